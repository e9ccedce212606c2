/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records for the ring buffer, with their stacks. */
#ifndef EVENTS_H
#define EVENTS_H

/* Where a walk along the frame pointers is. */
struct walk {
	__u64 frame_pointer; /* the next frame record; 0: at the end */
	__u64 last;          /* the one before */
};

/*
 * How many frames are in the record. It is counted there and nowhere else: of the record's memory the verifier knows nothing, so that however many steps
 * a walk took it finds the same state behind it, where a count in a register would have it follow what comes next once for each (Linux 6.1 takes seconds).
 */
static __always_inline volatile __u16 *frames_of(struct gmg_event *event)
{
	return &event->head.frame_count;
}

/* Follows the frame pointers until there are `room` frames, or `steps` more, or they leave the goroutine's stack (high: its upper end; 0: anywhere). */
static __always_inline void follow(struct gmg_event *event, struct walk *walk, const __u32 room, const __u32 steps, __u64 high)
{
	struct frame_record record;
	__u64 from = walk->frame_pointer, last = walk->last;

	for (__u32 i = 0; i < steps; i++) {
		__u32 n = *frames_of(event);

		if (n >= room || (high && from - last >= high - last))
			break;
		if (from == 0 || bpf_probe_read_user(&record, sizeof(record), (void *)from) || record.return_address < GMG_LOWEST_CODE) {
			from = 0;
			break;
		}
		event->frames[n] = record.return_address;
		*frames_of(event) = n + 1;
		last = from;
		from = record.frame_pointer;
	}
	walk->frame_pointer = from;
	walk->last = last;
}

#define SHORT_EVENT (sizeof(struct gmg_event) - (GMG_MAX_FRAMES - GMG_SHORT_FRAMES) * sizeof(__u64))

/* Whether the walk has left the goroutine's stack with its last step. */
static __always_inline int has_left(const struct walk *walk, __u64 high)
{
	return high && walk->frame_pointer && walk->frame_pointer - walk->last >= high - walk->last;
}

/*
 * Writes a record with its stack; a deep stack takes a second, longer one. Returns -1 when the ring has no room.
 *
 * A callback from C runs on the stack of the goroutine that called C, behind that call's frames, but its frame pointers lead through the C code on another
 * stack, and get lost there: the walk then goes on at the call of C (runtime/asm_amd64.s, cgocallback).
 */
static __noinline int write_event(struct gmg_event_head *head, struct stack_start *start)
{
	struct gmg_event *event, *longer;
	struct walk walk = { .frame_pointer = start->frame_pointer, .last = start->low };
	__u64 high = start->high;

	event = bpf_ringbuf_reserve(&events, SHORT_EVENT, 0);
	if (!event)
		return -1;
	event->head = *head;
	event->frames[0] = start->return_address;
	*frames_of(event) = 1;
	follow(event, &walk, GMG_SHORT_FRAMES, GMG_SHORT_FRAMES, high);
	event->head.truncated = 0;
	if (walk.frame_pointer == 0) {
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	longer = bpf_ringbuf_reserve(&events, sizeof(*longer), 0);
	if (!longer) {
		event->head.truncated = 1;
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	__builtin_memcpy(longer, event, SHORT_EVENT);
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
	if (!has_left(&walk, high))
		follow(longer, &walk, GMG_MAX_FRAMES, GMG_MAX_FRAMES, high);
	if (start->cgo_gap && has_left(&walk, high)) {
		__u64 call_of_c = walk.last + start->cgo_gap;

		follow(longer, &walk, GMG_MAX_FRAMES, GMG_C_FRAMES, 0);
		walk.frame_pointer = call_of_c;
		follow(longer, &walk, GMG_MAX_FRAMES, GMG_MAX_FRAMES, 0);
	}
	longer->head.truncated = walk.frame_pointer != 0;
	bpf_ringbuf_submit(longer, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void begin_event(struct gmg_event_head *head, __u32 kind, __u32 entry, __u64 now, __u64 g, void *ctx)
{
	__u64 id = current_id();

	__builtin_memset(head, 0, sizeof(*head));
	head->kind = kind;
	head->site = entry;
	head->time_ns = now;
	head->g = g;
	head->ip = register_instruction_pointer(ctx);
	head->tgid = id >> 32;
	head->tid = (__u32)id;
}

/* For walks that must not leave the goroutine's stack (runtime.g.stack: lo, hi). */
static __always_inline void stay_on_stack(struct stack_start *start, __u64 g, const struct gmg_site *site)
{
	if (!site->own_stack_only)
		return;
	/* Where that is not known they go nowhere. */
	if (bpf_probe_read_user(&start->low, 2 * sizeof(__u64), (void *)g))
		start->low = start->high = 1;
}

static __always_inline void read_goid(struct gmg_event_head *head, const struct gmg_site *site)
{
	if (site->goid == 0 || bpf_probe_read_user(&head->goid, sizeof(head->goid), (void *)(head->g + site->goid)))
		head->fault |= GMG_FAULT_G;
}

#endif

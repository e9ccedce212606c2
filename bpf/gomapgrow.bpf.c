// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Uprobes on the growth functions of Go's maps.
 *
 * At an entry the probed instruction is the branch of the stack check: the kernel emulates it, the arguments are in place, the frame pointer is still the
 * caller's, and the flags tell a call from a pass that is sent to morestack and comes again.
 *
 * Counters are added to atomically even though they are per CPU: a uprobe program can be preempted by another task that runs it on the same CPU.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gomapgrow.h"
#include "registers.h"
#include "maps.h"
#include "own-stack.h"

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

/* What new rows of the tables begin with. */
const struct goroutine new_goroutine = {};
const struct gmg_latency_row new_latency_row = {};

static __always_inline __u32 site_of(void *ctx)
{
	if (options.site_by_address) {
		struct address_key key = { .ip = register_instruction_pointer(ctx), .tgid = bpf_get_current_pid_tgid() >> 32 };
		__u32 *site = bpf_map_lookup_elem(&site_addresses, &key);

		return site ? *site : GMG_MAX_SITES;
	}
	return (__u32)bpf_get_attach_cookie(ctx);
}

static __always_inline __u64 goroutine_of(void *ctx, const struct gmg_site *site)
{
	return site->g_in_rcx ? register_link(ctx) : register_g(ctx);
}

/* Integer argument n (0 to 2) of a Go function at its entry. */
static __always_inline int argument(void *ctx, const struct gmg_site *site, int n, __u64 *value)
{
	if (site->args_on_stack)
		return bpf_probe_read_user(value, sizeof(*value), (void *)(register_stack_pointer(ctx) + 8 + 8 * n));
	*value = n == 0 ? register_argument0(ctx) : n == 1 ? register_argument1(ctx) : register_argument2(ctx);
	return 0;
}

/* ---- stacks ---- */

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
	__u64 id = bpf_get_current_pid_tgid();

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

/* ---- durations ---- */

/* Bytes from a stack pointer to the upper end of the goroutine's stack (runtime.g.stack.hi, at 8 in all releases). */
static __always_inline int depth_of(__u64 g, __u64 stack_pointer, __u32 *depth)
{
	__u64 high;

	if (bpf_probe_read_user(&high, sizeof(high), (void *)(g + 8)))
		return -1;
	*depth = (__u32)(high - stack_pointer);
	return 0;
}

/* The goroutine's call under way in the function with this slot; null: it has none. The verifier must see the very value that is used being checked. */
static __always_inline struct call *call_in(struct goroutine *goroutine, __u32 slot)
{
	asm volatile("" : "+r"(slot));
	if (slot >= GMG_SLOTS)
		return NULL;
	asm volatile("" : "+r"(slot));
	return &goroutine->calls[slot];
}

/* A call begins; null when its duration will not be known. */
static __always_inline struct call *begin_call(void *ctx, const struct gmg_site *site, struct gmg_site_counts *counts, __u64 g, __u64 map_type,
					       __u64 now)
{
	struct goroutine_key key = { .g = g, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct goroutine *goroutine;
	struct call *call;
	__u32 depth;

	if (site->slot >= GMG_SLOTS || depth_of(g, register_stack_pointer(ctx), &depth))
		return NULL;
	goroutine = bpf_map_lookup_elem(&goroutines, &key);
	if (!goroutine) {
		bpf_map_update_elem(&goroutines, &key, &new_goroutine, BPF_NOEXIST);
		goroutine = bpf_map_lookup_elem(&goroutines, &key);
		if (!goroutine)
			return NULL;
	}
	call = call_in(goroutine, site->slot);
	if (!call)
		return NULL;
	if (call->begun_ns)
		ADD(counts->left);
	call->begun_ns = now;
	call->map_type = map_type;
	call->depth = depth;
	call->chance = 0;
	call->handed_over = 0;
	call->iterating = 0;
	return call;
}

/*
 * Which bucket of a histogram a duration belongs to: 0 is below 64 ns, n from 2^(n+5) to below 2^(n+6) ns, the last one has no upper end. A global function: the verifier
 * looks at it once, by itself, and at its callers with any number for the result. Inlined, older kernels follow what comes next once for each bucket, and
 * refuse the program as too complex (Linux 6.1).
 */
__noinline __u32 bucket_of(__u64 duration_ns)
{
	__u64 rest = duration_ns >> GMG_FIRST_BUCKET_LOG2;
	__u32 bits = 0;

	if (rest >> (GMG_BUCKETS - 1))
		return GMG_BUCKETS - 1;
	for (__u32 half = 16; half; half >>= 1) {
		if (rest >> half) {
			rest >>= half;
			bits += half;
		}
	}
	return bits + (__u32)rest;
}

/* 0: there is no room for it. */
static __always_inline int add_latency(__u32 entry, __u64 map_type, __u64 duration_ns)
{
	struct gmg_latency_key key = { .site = entry, .map_type = map_type };
	struct gmg_latency_key rest = { .site = entry };
	struct gmg_latency_row *row = bpf_map_lookup_elem(&latency_rows, &key);
	__u32 bucket;

	if (!row) {
		/* While there is room: later types may find none. */
		bpf_map_update_elem(&latency_rows, &rest, &new_latency_row, BPF_NOEXIST);
		bpf_map_update_elem(&latency_rows, &key, &new_latency_row, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&latency_rows, &key);
		if (!row)
			row = bpf_map_lookup_elem(&latency_rows, &rest);
		if (!row)
			return 0;
	}
	bucket = bucket_of(duration_ns);
	__sync_fetch_and_add(&row->sum_ns, duration_ns);
	if (row->max_ns < duration_ns)
		row->max_ns = duration_ns;
	if (bucket < GMG_BUCKETS)
		ADD(row->buckets[bucket]);
	return 1;
}

/* ---- samples of the work tier ---- */

/* Chance with which this call was picked as a sample, of 2^32 (GMG_CERTAIN: every call is); 0: it was not. */
static __always_inline __u32 pick(void)
{
	__u32 zero = 0;
	struct gmg_settings *now = bpf_map_lookup_elem(&settings, &zero);
	__u32 chance = now ? now->sample_chance : 0;

	if (chance == 0 || chance == GMG_CERTAIN)
		return chance;
	return bpf_get_prandom_u32() < chance ? chance : 0;
}

static __always_inline void write_sample(struct gmg_event_head *head, struct stack_start *start, struct gmg_site_counts *counts)
{
	__u32 zero = 0;
	struct gmg_settings *now = bpf_map_lookup_elem(&settings, &zero);

	ADD(counts->picked);
	if (!now)
		return;
	if (!head->slow) {
		/* Whatever the chance: a reader that comes late must find room for growths. */
		if ((__s64)now->sample_room <= 0) {
			ADD(counts->throttled);
			return;
		}
		__sync_fetch_and_add(&now->sample_room, -1);
	}
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > now->high_water) {
		/* One in ten of what matters more; the rest of the ring is for growths. */
		if (!(head->slow || head->iterating) || bpf_get_prandom_u32() % 10 != 0) {
			ADD(counts->throttled);
			return;
		}
	}
	if (write_event(head, start))
		ADD(counts->sample_lost);
}

/* ---- exits ---- */

/* Where and when calls end. */
struct exit {
	__u64 now;
	__u64 g;
	__u8 framed;  /* as of stack_at_exit */
	__u8 outer;   /* the call is that of the function's caller */
};

static __noinline int end_call(void *ctx, struct call *call, struct exit *exit, __u32 entry)
{
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &entry);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &entry);
	__u64 begun_ns = call->begun_ns, duration_ns = exit->now - begun_ns;
	__u32 zero = 0;

	if (!counts || !site)
		return 0;
	call->begun_ns = 0;
	if (add_latency(entry, call->map_type, duration_ns))
		ADD(counts->paired);
	if (site->role <= GMG_ROLE_REHASH) {
		struct gmg_left *left = bpf_ringbuf_reserve(&events, sizeof(*left), 0);

		if (!left)
			return 0;
		left->kind = GMG_RECORD_LEFT;
		left->tgid = bpf_get_current_pid_tgid() >> 32;
		left->g = exit->g;
		left->begun_ns = begun_ns;
		left->duration_ns = duration_ns;
		left->site = entry;
		left->pad = 0;
		bpf_ringbuf_submit(left, BPF_RB_NO_WAKEUP);
	} else {
		struct gmg_settings *now = bpf_map_lookup_elem(&settings, &zero);
		int slow = now && duration_ns >= now->slow_ns;
		struct stack_start start = {};
		struct gmg_event_head head;

		if (!slow && !call->chance)
			return 0;
		begin_event(&head, GMG_RECORD_WORK, entry, begun_ns, exit->g, ctx);
		head.map_type = call->map_type;
		head.slow = slow;
		head.iterating = call->iterating;
		head.u.work.duration_ns = duration_ns;
		/* A slow call is always recorded, so it stands for itself. */
		head.u.work.chance = slow ? GMG_CERTAIN : call->chance;
		read_goid(&head, site);
		stay_on_stack(&start, exit->g, site);
		if (stack_at_exit(ctx, exit->framed, &start) || (exit->outer && stack_outwards(&start))) {
			start.return_address = start.frame_pointer = 0;
			ADD(counts->fault);
		}
		write_sample(&head, &start, counts);
	}
	return 0;
}

SEC("uprobe")
int leave(void *ctx)
{
	__u32 index = site_of(ctx), depth;
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	__u64 g = register_g(ctx), stack_pointer;
	struct goroutine_key key = { .g = g, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct exit exit = { .g = g };
	struct goroutine *goroutine;
	struct call *call, *outer;

	OWN_STACK(ctx);
	if (!site)
		return 0;
	goroutine = bpf_map_lookup_elem(&goroutines, &key);
	if (!goroutine)
		return 0;
	call = call_in(goroutine, site->slot);
	stack_pointer = site->frame_pointer ? register_frame_pointer(ctx) + 8 : register_stack_pointer(ctx);
	if (!call || !call->begun_ns || depth_of(g, stack_pointer, &depth) || depth != call->depth)
		return 0;
	if (site->condition == GMG_ALWAYS ? site->hands_over : condition_holds(site->condition, register_flags(ctx)) != site->leaves_taken) {
		call->handed_over = site->hands_over;
		return 0;
	}
	exit.now = bpf_ktime_get_ns();
	exit.framed = site->frame_pointer;
	end_call(ctx, call, &exit, site->entry);

	outer = call_in(goroutine, site->outer_slot);
	if (!outer || !outer->begun_ns || !outer->handed_over || outer->depth >= depth)
		return 0;
	exit.outer = 1;
	end_call(ctx, outer, &exit, site->outer_entry);
	return 0;
}

/* ---- growths ---- */

/* The goroutine that runs, where the code itself runs on the scheduler's stack (g is m.g0). g.m is at 48, m.g0 at 0 in all releases. */
static __always_inline __u64 user_goroutine(__u64 g, const struct gmg_site *site)
{
	__u64 m = 0, g0 = 0, current = 0;

	if (site->curg == 0 || bpf_probe_read_user(&m, sizeof(m), (void *)(g + 48)) || bpf_probe_read_user(&g0, sizeof(g0), (void *)m) || g0 != g)
		return g;
	if (bpf_probe_read_user(&current, sizeof(current), (void *)(m + site->curg)) || current == 0)
		return g;
	return current;
}

static __always_inline __u64 seed_of(__u64 map, const struct gmg_site *site)
{
	__u64 seed = 0;

	if (site->seed == 12)
		bpf_probe_read_user(&seed, 4, (void *)(map + 12));
	else
		bpf_probe_read_user(&seed, 8, (void *)(map + 8));
	return seed;
}

/* One more growth of the map; which one it is. */
static __always_inline __u64 number_growth(__u64 seed)
{
	struct grown_key key = { .seed = seed, .tgid = bpf_get_current_pid_tgid() >> 32 };
	__u64 *count = bpf_map_lookup_elem(&grown_maps, &key), zero = 0;

	if (!count) {
		bpf_map_update_elem(&grown_maps, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&grown_maps, &key);
		if (!count)
			return 0;
	}
	/* Programs do not let two goroutines write to one map. Adding and fetching at once would need Linux 5.12. */
	ADD(*count);
	return *count;
}

/* Growths: every one becomes a record, or is counted as lost. */
SEC("uprobe")
int growth(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	__u64 g, user, table = 0, map_type = 0, map = 0, now;
	__u32 chance;
	struct gmg_event_head head;
	struct stack_start start = {};

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	ADD(counts->hits);
	chance = site->chance;
	if (chance != GMG_CERTAIN && bpf_get_prandom_u32() >= chance) {
		/* Growths alone break the budget. */
		ADD(counts->throttled);
		return 0;
	}
	now = bpf_ktime_get_ns();
	g = goroutine_of(ctx, site);
	begin_event(&head, GMG_RECORD_GROWTH, index, now, g, ctx);

	switch (site->role) {
	case GMG_ROLE_HASH_GROW:
		if (argument(ctx, site, 0, &map_type) || argument(ctx, site, 1, &map))
			head.fault |= GMG_FAULT_HEADER;
		break;
	case GMG_ROLE_GROW_TO_TABLE:
		map = register_argument0(ctx);
		map_type = register_argument1(ctx);
		break;
	default: /* rehash(t, typ, m) */
		table = register_argument0(ctx);
		map_type = register_argument1(ctx);
		map = register_argument2(ctx);
	}
	head.map_type = map_type;
	head.u.growth.chance = chance;
	if (bpf_probe_read_user(head.u.growth.header, GMG_HEADER_BYTES, (void *)map))
		head.fault |= GMG_FAULT_HEADER;
	if (table && bpf_probe_read_user(head.u.growth.table, GMG_TABLE_BYTES, (void *)table))
		head.fault |= GMG_FAULT_TABLE;
	if (options.iterations)
		head.u.growth.sequence = number_growth(seed_of(map, site));

	begin_call(ctx, site, counts, g, map_type, now);
	user = user_goroutine(g, site);
	if (bpf_probe_read_user(&head.goid, sizeof(head.goid), (void *)(user + site->goid)))
		head.fault |= GMG_FAULT_G;
	if (site->parent_goid)
		bpf_probe_read_user(&head.u.growth.parent_goid, sizeof(__u64), (void *)(user + site->parent_goid));
	if (site->gopc)
		bpf_probe_read_user(&head.u.growth.gopc, sizeof(__u64), (void *)(user + site->gopc));
	if (site->startpc)
		bpf_probe_read_user(&head.u.growth.startpc, sizeof(__u64), (void *)(user + site->startpc));
	if (head.fault)
		ADD(counts->fault);
	if (stack_at_entry(ctx, &start))
		start.return_address = start.frame_pointer = 0;
	/* runtime.g.stack.hi */
	if (site->cgo_gap && bpf_probe_read_user(&start.high, sizeof(__u64), (void *)(g + 8)) == 0)
		start.cgo_gap = site->cgo_gap;
	stay_on_stack(&start, g, site);
	if (write_event(&head, &start))
		ADD(counts->lost);
	return 0;
}

/* ---- work ---- */

/* Return address into the first function outside the map code. */
static __always_inline __u64 caller_of(void *ctx, const struct gmg_site *site)
{
	struct stack_start start = { .frame_pointer = register_frame_pointer(ctx) };

	stay_on_stack(&start, goroutine_of(ctx, site), site);
	for (int depth = 2; depth <= 4; depth++) {
		if (depth > site->caller_depth)
			break;
		if (stack_outwards(&start))
			return 0;
	}
	return start.return_address;
}

static __always_inline void count_row(const struct gmg_work_key *key, struct gmg_site_counts *counts)
{
	struct gmg_work_row *row = bpf_map_lookup_elem(&work_rows, key);

	if (!row) {
		/* A new row starts at zero on every CPU and is then added to: another CPU may have made it meanwhile. */
		struct gmg_work_row zero = {};

		bpf_map_update_elem(&work_rows, key, &zero, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&work_rows, key);
		if (!row) {
			ADD(counts->lost);
			return;
		}
	}
	ADD(row->calls);
}

#define OLD_ITERATOR 2 /* hmap.flags (runtime/map.go) */

/* Whether the map may be iterated: the read costs as much as a quarter of the rest, so only records have it. */
static __always_inline __u8 may_iterate(void *ctx, const struct gmg_site *site)
{
	__u64 map = 0;
	__u8 flags = 0;

	if (site->reads_flags && argument(ctx, site, 1, &map) == 0)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)(map + 8));
	return !!(flags & OLD_ITERATOR);
}

/* One step of the work: counted exactly, broken down by map type and call site; samples become records. */
SEC("uprobe")
int work(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	struct gmg_work_key key = {};
	__u32 chance;

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	ADD(counts->hits);

	key.site = index;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	/* The swiss functions of this tier are (t, typ, m), the classic ones (t, h, bucket). */
	if (argument(ctx, site, site->role <= GMG_ROLE_EVACUATE && site->role >= GMG_ROLE_GROW_WORK ? 0 : 1, &key.map_type))
		ADD(counts->fault);
	key.caller = caller_of(ctx, site);
	count_row(&key, counts);

	chance = pick();
	if (site->slot < GMG_SLOTS) {
		__u64 g = goroutine_of(ctx, site);
		struct call *call = begin_call(ctx, site, counts, g, key.map_type, bpf_ktime_get_ns());

		if (call) {
			call->chance = chance;
			/* Of every call: a slow one becomes a record, too. */
			call->iterating = may_iterate(ctx, site);
		}
	} else if (chance) {
		struct gmg_event_head head;
		struct stack_start start = {};

		begin_event(&head, GMG_RECORD_WORK, index, bpf_ktime_get_ns(), goroutine_of(ctx, site), ctx);
		head.map_type = key.map_type;
		head.iterating = may_iterate(ctx, site);
		head.u.work.chance = chance;
		read_goid(&head, site);
		stay_on_stack(&start, head.g, site);
		if (stack_at_entry(ctx, &start) == 0)
			write_sample(&head, &start, counts);
	}
	return 0;
}

/* ---- iterations ---- */

/* runtime.hiter and internal/runtime/maps.Iter: key, elem, type, map, in this order in all releases. */
struct iterator_fields {
	__u64 key, elem, map_type, map;
};

/* Which iterator it is: iterators on a stack move with it. */
static __always_inline int identify(struct iterator_key *key, __u64 g, __u64 iterator)
{
	__u64 stack[2];

	if (bpf_probe_read_user(stack, sizeof(stack), (void *)g))
		return -1;
	key->g = g;
	key->tgid = bpf_get_current_pid_tgid() >> 32;
	key->place = iterator >= stack[0] && iterator < stack[1] ? stack[1] - iterator : iterator;
	return 0;
}

static __always_inline __u64 growths_of(__u64 seed)
{
	struct grown_key key = { .seed = seed, .tgid = bpf_get_current_pid_tgid() >> 32 };
	__u64 *count = bpf_map_lookup_elem(&grown_maps, &key);

	return count ? *count : 0;
}

SEC("uprobe")
int iterate(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	__u64 g, iterator_address = 0, map = 0, growths;
	struct iterator_fields fields;
	struct iterator_key key = {};
	struct iterator *iterator;
	struct gmg_event_head head;
	struct stack_start start = {};

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	ADD(counts->hits);
	if (site->role == GMG_ROLE_COUNT)
		return 0;
	g = goroutine_of(ctx, site);

	if (site->role != GMG_ROLE_ITER_NEXT) {
		struct iterator fresh = { .begun_ns = bpf_ktime_get_ns() };
		int is_init = site->role == GMG_ROLE_ITER_INIT;

		if (argument(ctx, site, is_init ? 2 : 1, &map) || argument(ctx, site, is_init ? 0 : 2, &iterator_address) || map == 0)
			return 0;
		fresh.seed = seed_of(map, site);
		fresh.seen = growths_of(fresh.seed);
		if (identify(&key, g, iterator_address) == 0)
			bpf_map_update_elem(&iterators, &key, &fresh, BPF_ANY);
		return 0;
	}

	if (argument(ctx, site, 0, &iterator_address) || bpf_probe_read_user(&fields, sizeof(fields), (void *)iterator_address) || fields.map == 0) {
		ADD(counts->fault);
		return 0;
	}
	begin_event(&head, GMG_RECORD_STEP, index, 0, g, ctx);
	head.u.step.seed = seed_of(fields.map, site);
	growths = growths_of(head.u.step.seed);
	if (growths == 0 || identify(&key, g, iterator_address))
		return 0;
	iterator = bpf_map_lookup_elem(&iterators, &key);
	/* Begun before the probes were there: nothing can be said about it. */
	if (!iterator || iterator->seed != head.u.step.seed || iterator->seen == growths)
		return 0;
	head.time_ns = bpf_ktime_get_ns();
	head.map_type = fields.map_type;
	head.u.step.begun_ns = iterator->begun_ns;
	head.u.step.seen = iterator->seen;
	head.u.step.sequence = growths;
	iterator->seen = growths;
	read_goid(&head, site);
	if (stack_at_entry(ctx, &start))
		start.return_address = start.frame_pointer = 0;
	stay_on_stack(&start, g, site);
	if (write_event(&head, &start))
		ADD(counts->lost);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

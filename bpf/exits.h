/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Exits: where timed calls end. */
#ifndef EXITS_H
#define EXITS_H

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
	__u64 tgid = current_id() >> 32;
	struct gmg_row_key key = { .site = entry, .tgid = tgid, .map_type = call->map_type, .caller = call->caller, .shape = call->shape };
	struct gmg_row *row;
	__u32 zero = 0;

	if (!counts || !site)
		return 0;
	call->begun_ns = 0;
	if (begun_ns < site->since_ns) {
		ADD(counts->withdrawn);
		return 0;
	}
	if (add_latency(entry, call->map_type, duration_ns))
		ADD(counts->paired);
	row = bpf_map_lookup_elem(&call_rows, &key);
	if (row) {
		__s64 cpu_ns = cpu_time_of(call, duration_ns);

		ADD(row->timed);
		__sync_fetch_and_add(&row->elapsed_ns, duration_ns);
		if (cpu_ns >= 0) {
			ADD(row->on_cpu);
			__sync_fetch_and_add(&row->cpu_ns, cpu_ns);
		}
	}
	if (site->role <= GMG_ROLE_REHASH) {
		struct gmg_left *left;

		if (!call->chance)
			return 0;
		left = bpf_ringbuf_reserve(&events, sizeof(*left), 0);
		if (!left)
			return 0;
		left->kind = GMG_RECORD_LEFT;
		left->tgid = tgid;
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

/*
 * The goroutine that leaves. What the kernel has in the task is what was last set with arch_prctl or clone, as Go and C libraries do. The option comes
 * first: without it the verifier never sees a helper that a locked-down kernel refuses.
 */
static __always_inline __u64 leaving_goroutine(void *ctx, const struct gmg_site *site)
{
	__u64 base = 0, g = 0;

	if (!options.fs_base || !site->fs_offset)
		return register_g(ctx);
	if (bpf_probe_read_kernel(&base, sizeof(base), (void *)(bpf_get_current_task() + options.fs_base)))
		return 0;
	bpf_probe_read_user(&g, sizeof(g), (void *)(base + site->fs_offset));
	return g;
}

SEC("uprobe")
int leave(void *ctx)
{
	__u32 index = site_of(ctx), depth;
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	__u64 g, stack_pointer;
	struct goroutine_key key = { .tgid = current_id() >> 32 };
	struct exit exit = {};
	struct goroutine *goroutine;
	struct call *call, *outer;

	OWN_STACK(ctx);
	if (!site || !counts)
		return 0;
	ADD(counts->hits);
	g = key.g = exit.g = leaving_goroutine(ctx, site);
	goroutine = bpf_map_lookup_elem(&goroutines, &key);
	if (!goroutine)
		return 0;
	call = call_in(goroutine, site->slot);
	outer = call_in(goroutine, site->outer_slot);
	stack_pointer = site->frame_pointer ? register_frame_pointer(ctx) + 8 : register_stack_pointer(ctx);
	if (call && (!call->begun_ns || depth_of(g, stack_pointer, &depth) || depth != call->depth))
		call = NULL;
	if (site->condition == GMG_ALWAYS ? site->hands_over : condition_holds(site->condition, register_flags(ctx)) != site->leaves_taken) {
		if (call)
			call->handed_over = site->hands_over;
		return 0;
	}
	exit.now = bpf_ktime_get_ns();
	exit.framed = site->frame_pointer;
	if (call)
		end_call(ctx, call, &exit, site->entry);

	/* The function that ends with this one, whether or not calls of this one are watched themselves. */
	if (!outer || !outer->begun_ns || !outer->handed_over || depth_of(g, stack_pointer, &depth) || outer->depth >= depth)
		return 0;
	exit.outer = 1;
	end_call(ctx, outer, &exit, site->outer_entry);
	return 0;
}

#endif

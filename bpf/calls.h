/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls whose duration is measured: where one begins, and the histograms that it ends in. */
#ifndef CALLS_H
#define CALLS_H

/* What new rows of the tables begin with. */
const struct goroutine new_goroutine = {};
const struct gmg_latency_row new_latency_row = {};

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

/* Where the processor time of the thread stands. The offsets come first: without them the verifier never sees a helper that a locked-down kernel refuses. */
static __always_inline void read_thread_clock(__u64 *sum_exec_runtime, __u64 *exec_start)
{
	__u64 task;

	*sum_exec_runtime = *exec_start = 0;
	if (!options.sum_exec_runtime || !options.exec_start)
		return;
	task = bpf_get_current_task();
	bpf_probe_read_kernel(sum_exec_runtime, sizeof(__u64), (void *)(task + options.sum_exec_runtime));
	bpf_probe_read_kernel(exec_start, sizeof(__u64), (void *)(task + options.exec_start));
}

/* A call begins; null when its duration will not be known. */
static __always_inline struct call *begin_call(void *ctx, const struct gmg_site *site, struct gmg_site_counts *counts, __u64 g,
					       const struct gmg_row_key *row, __u64 now)
{
	__u64 id = current_id();
	struct goroutine_key key = { .g = g, .tgid = id >> 32 };
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
	if (call->begun_ns) {
		/* Its exit may have been passed while no probe was there. */
		if (call->begun_ns < site->since_ns)
			ADD(counts->withdrawn);
		else
			ADD(counts->left);
	}
	ADD(counts->begun);
	call->begun_ns = now;
	call->map_type = row->map_type;
	call->caller = row->caller;
	call->shape = (__u32)row->shape;
	call->depth = depth;
	call->chance = 0;
	call->handed_over = 0;
	call->iterating = 0;
	call->tid = (__u32)id;
	call->cpu = bpf_get_smp_processor_id();
	read_thread_clock(&call->sum_exec_runtime, &call->exec_start);
	return call;
}

/*
 * Processor time of the thread since the call began, at most the time that has passed (elapsed_ns); -1: not known, because the goroutine has moved to another thread. The kernel adds the time
 * since exec_start to the sum now and then, by a clock of each processor: on another processor only the sum tells, and it tells too little.
 */
static __always_inline __s64 cpu_time_of(const struct call *call, __u64 elapsed_ns)
{
	__u64 sum_exec_runtime, exec_start, least, ns;

	if (!call->sum_exec_runtime || call->tid != (__u32)current_id())
		return -1;
	read_thread_clock(&sum_exec_runtime, &exec_start);
	least = sum_exec_runtime - call->sum_exec_runtime;
	ns = least;
	if (call->cpu == bpf_get_smp_processor_id())
		ns = least + elapsed_ns - (exec_start - call->exec_start);
	if ((__s64)ns < (__s64)least)
		ns = least;
	return ns > elapsed_ns ? elapsed_ns : ns;
}

/*
 * Which bucket of a histogram a duration belongs to (GMG_BUCKETS). A global function: the verifier looks at it once, by itself, and at its callers with any number for the result. Inlined,
 * older kernels follow what comes next once for each bucket, and refuse the program as too complex (Linux 6.1).
 */
__noinline __u32 bucket_of(__u64 duration_ns)
{
	__u64 rest = duration_ns >> GMG_FIRST_BUCKET_LOG2;
	__u32 log2 = 0;

	if (!rest)
		return 0;
	if (duration_ns >> GMG_LAST_BUCKET_LOG2)
		return GMG_BUCKETS - 1;
	for (__u32 half = 16; half; half >>= 1) {
		if (rest >> half) {
			rest >>= half;
			log2 += half;
		}
	}
	return 1 + (log2 << GMG_PARTS_LOG2) + (__u32)(duration_ns >> (log2 + GMG_FIRST_BUCKET_LOG2 - GMG_PARTS_LOG2) & ((1 << GMG_PARTS_LOG2) - 1));
}

/* 0: there is no room for it. */
static __always_inline int add_latency(__u32 entry, __u64 map_type, __u64 duration_ns)
{
	__u32 tgid = current_id() >> 32;
	struct gmg_latency_key key = { .site = entry, .tgid = tgid, .map_type = map_type };
	struct gmg_latency_key rest = { .site = entry, .tgid = tgid };
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
	/* Exchanging with a comparison would need Linux 5.12: another CPU may write a smaller one at the same moment. */
	for (int i = 0; i < 3 && *(volatile __u64 *)&row->max_ns < duration_ns; i++)
		*(volatile __u64 *)&row->max_ns = duration_ns;
	if (bucket < GMG_BUCKETS)
		ADD(row->buckets[bucket]);
	return 1;
}

#endif

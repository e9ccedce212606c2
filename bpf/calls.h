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

/* A call begins; null when its duration will not be known. */
static __always_inline struct call *begin_call(void *ctx, const struct gmg_site *site, struct gmg_site_counts *counts, __u64 g, __u64 map_type,
					       __u64 now)
{
	struct goroutine_key key = { .g = g, .tgid = current_id() >> 32 };
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

#endif

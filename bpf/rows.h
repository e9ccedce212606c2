/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What calls are counted by: type, call site and, of growths, the shape of the map. */
#ifndef ROWS_H
#define ROWS_H

/* A new row starts at zero on every CPU and is then added to: another CPU may have made it meanwhile. */
const struct gmg_row new_row = {};

static __always_inline struct gmg_row *row_of(const struct gmg_row_key *key)
{
	struct gmg_row *row = bpf_map_lookup_elem(&call_rows, key);

	if (row)
		return row;
	bpf_map_update_elem(&call_rows, key, &new_row, BPF_NOEXIST);
	return bpf_map_lookup_elem(&call_rows, key);
}

static __always_inline void count_row(const struct gmg_row_key *key, __u64 entries, struct gmg_site_counts *counts)
{
	struct gmg_row *row = row_of(key);

	if (!row) {
		ADD(counts->row_lost);
		return;
	}
	ADD(row->calls);
	if (entries)
		__sync_fetch_and_add(&row->entries, entries);
}

/* Whether this code wraps the map code. A global function: the verifier looks at it once, by itself. */
__noinline int is_wrapper(__u32 number, __u64 address)
{
	struct gmg_wrappers *own = bpf_map_lookup_elem(&wrappers, &number);

	if (!own)
		return 0;
	for (int i = 0; i < GMG_WRAPPER_RANGES; i++) {
		if (address - own->ranges[i].from < own->ranges[i].to - own->ranges[i].from)
			return 1;
	}
	return 0;
}

/* Return address into the first function outside the map code; where only wrappers are found the outermost one. */
static __always_inline __u64 caller_of(void *ctx, const struct gmg_site *site)
{
	struct stack_start start = {};
	__u64 bias = register_instruction_pointer(ctx) - site->address;

	if (stack_at_entry(ctx, &start))
		return 0;
	stay_on_stack(&start, goroutine_of(ctx, site), site);
	for (int depth = 2; depth <= 4; depth++) {
		if (depth > site->caller_depth)
			break;
		if (stack_outwards(&start))
			return 0;
	}
	if (site->wrappers == GMG_NO_WRAPPERS)
		return start.return_address;
	/* reflect.Value.SetMapIndex, reflect.mapassign, reflect.mapassign0. */
	for (int i = 0; i < 4; i++) {
		__u64 wrapper = start.return_address;

		/* The byte before a return address belongs to the call. */
		if (!is_wrapper(site->wrappers, wrapper - 1 - bias))
			break;
		if (stack_outwards(&start))
			return wrapper;
	}
	return start.return_address;
}

#define CLASSIC_ITERATOR 1 /* hmap.flags: there may be an iterator using buckets (runtime/map.go) */
#define MOST_BUCKETS_LOG2 47
#define SWISS_GROUP_SLOTS 8
#define SWISS_TABLE_SLOTS 1024 /* maps.maxTableCapacity */

/* hashGrow: from the fields of runtime.hmap, as in src/gomap/classic.ts. */
static __always_inline __u32 classic_shape(const __u8 *header, __u8 load_factor, __u64 *entries)
{
	__u64 count = *(const __u64 *)header;
	__u8 flags = header[8], size = header[9];
	__u32 shape = size;

	if (size > MOST_BUCKETS_LOG2)
		return GMG_SHAPE_UNREADABLE;
	if (count < 8 || count < load_factor * ((1ull << size) >> 1))
		shape |= GMG_SHAPE_SAME_SIZE;
	if (flags & CLASSIC_ITERATOR)
		shape |= GMG_SHAPE_ITERATING;
	*entries = count;
	return shape;
}

/* rehash: from the fields of maps.table, as in src/gomap/swiss.ts. */
static __always_inline __u32 table_shape(const __u8 *table, __u64 *entries)
{
	__u32 used = *(const __u16 *)table, slots = *(const __u16 *)(table + 2), full, size = 3;

	if (slots < SWISS_GROUP_SLOTS || slots > SWISS_TABLE_SLOTS || slots & (slots - 1) || used > slots)
		return GMG_SHAPE_UNREADABLE;
	for (__u32 rest = slots >> 4; rest; rest >>= 1)
		size++;
	full = slots == SWISS_GROUP_SLOTS ? slots - 1 : slots / 8 * 7;
	*entries = used;
	return size | (used < full ? GMG_SHAPE_SAME_SIZE : 0);
}

#endif

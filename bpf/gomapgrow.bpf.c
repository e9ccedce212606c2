// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Uprobes on the growth functions of Go's maps.
 *
 * At an entry the probed instruction is the branch of the stack check: the kernel emulates it, the arguments are in place, the frame pointer is still the
 * caller's, and the flags tell a call from a pass that is sent to morestack and comes again.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gomapgrow.h"
#include "registers.h"
#include "maps.h"
#include "own-stack.h"
#include "sites.h"
#include "events.h"
#include "rows.h"
#include "calls.h"
#include "samples.h"
#include "exits.h"
#include "makes.h"
#include "follow.h"

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

/* One more growth of the map; which one it is. */
static __always_inline __u64 number_growth(__u64 seed)
{
	struct grown_key key = { .seed = seed, .tgid = current_id() >> 32 };
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

/* Growths: every one is counted by its type, call site and shape, and becomes a record with the site's chance. */
SEC("uprobe")
int growth(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	__u64 g, user, table = 0, map_type = 0, map = 0, entries = 0, now, window;
	__u32 chance;
	struct gmg_row_key key = {};
	struct call *call;
	struct gmg_event_head head;
	struct stack_start start = {};

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	now = bpf_ktime_get_ns();
	if (!is_open(site, counts, now, &window))
		return 0;
	ADD(counts->hits);
	g = goroutine_of(ctx, site);
	begin_event(&head, GMG_RECORD_GROWTH, index, now, g, ctx);

	switch (site->role) {
	case GMG_ROLE_COUNT:
		head.fault |= GMG_FAULT_HEADER;
		break;
	case GMG_ROLE_HASH_GROW:
		if (argument(ctx, site, 0, &map_type) || map_argument(ctx, site, 1, &map))
			head.fault |= GMG_FAULT_HEADER;
		break;
	case GMG_ROLE_GROW_TO_TABLE:
		map_type = site->map_at ? register_argument0(ctx) : register_argument1(ctx);
		if (map_argument(ctx, site, 0, &map))
			head.fault |= GMG_FAULT_HEADER;
		break;
	default: /* rehash(t, typ, m) */
		table = register_argument0(ctx);
		map_type = register_argument1(ctx);
		map = register_argument2(ctx);
	}
	head.map_type = map_type;
	head.u.growth.map = map;
	if (bpf_probe_read_user(head.u.growth.header, GMG_HEADER_BYTES, (void *)map))
		head.fault |= GMG_FAULT_HEADER;
	if (table && bpf_probe_read_user(head.u.growth.table, GMG_TABLE_BYTES, (void *)table))
		head.fault |= GMG_FAULT_TABLE;

	key.site = index;
	key.tgid = head.tgid;
	key.map_type = map_type;
	key.caller = caller_of(ctx, site);
	if (head.fault)
		key.shape = GMG_SHAPE_UNREADABLE;
	else if (site->role == GMG_ROLE_HASH_GROW)
		key.shape = classic_shape(head.u.growth.header, site->load_factor, &entries);
	else if (site->role == GMG_ROLE_REHASH)
		key.shape = table_shape(head.u.growth.table, &entries);
	else {
		entries = *(__u64 *)head.u.growth.header;
		key.shape = entries > SWISS_GROUP_SLOTS ? GMG_SHAPE_UNREADABLE : 3;
	}
	if (options.makes && key.shape != GMG_SHAPE_UNREADABLE) {
		head.on_stack = is_on_stack(g, map);
		if (!head.on_stack) {
			/* A bucket has eight slots. */
			struct linked_growth linked = { .site = index, .map = map, .map_type = map_type, .caller = key.caller, .seed = seed_of(map, site) };

			linked.log2_slots = (key.shape & GMG_SHAPE_SIZE) + (site->role == GMG_ROLE_HASH_GROW ? 3 : 0);
			link_growth(&linked, &head);
		}
	}
	key.shape |= window;
	count_row(&key, entries, counts);

	if (site->map_at == GMG_NO_MAP) {
		ADD(counts->throttled);
		return 0;
	}
	call = begin_call(ctx, site, counts, g, &key, now);
	if (options.iterations)
		head.u.growth.sequence = number_growth(seed_of(map, site));
	chance = site->chance;
	if (chance != GMG_CERTAIN && bpf_get_prandom_u32() >= chance) {
		ADD(counts->throttled);
		return 0;
	}
	head.u.growth.chance = chance;
	if (!options.makes)
		head.on_stack = is_on_stack(g, map);
	if (call)
		call->chance = chance;
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
	struct gmg_row_key key = {};
	__u32 chance;
	__u64 now;

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	now = bpf_ktime_get_ns();
	if (!is_open(site, counts, now, &key.shape))
		return 0;
	ADD(counts->hits);

	key.site = index;
	key.tgid = current_id() >> 32;
	/* The swiss functions of this tier are (t, typ, m), the classic ones (t, h, bucket). */
	if (site->role != GMG_ROLE_COUNT && argument(ctx, site, site->role <= GMG_ROLE_EVACUATE && site->role >= GMG_ROLE_GROW_WORK ? 0 : 1, &key.map_type))
		ADD(counts->fault);
	key.caller = caller_of(ctx, site);
	count_row(&key, 0, counts);

	chance = pick();
	if (site->slot < GMG_SLOTS) {
		__u64 g = goroutine_of(ctx, site);
		struct call *call = begin_call(ctx, site, counts, g, &key, now);

		if (call) {
			call->chance = chance;
			/* Of every call: a slow one becomes a record, too. */
			call->iterating = may_iterate(ctx, site);
		}
	} else if (chance) {
		struct gmg_event_head head;
		struct stack_start start = {};

		begin_event(&head, GMG_RECORD_WORK, index, now, goroutine_of(ctx, site), ctx);
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
	key->tgid = current_id() >> 32;
	key->place = iterator >= stack[0] && iterator < stack[1] ? stack[1] - iterator : iterator;
	return 0;
}

static __always_inline __u64 growths_of(__u64 seed)
{
	struct grown_key key = { .seed = seed, .tgid = current_id() >> 32 };
	__u64 *count = bpf_map_lookup_elem(&grown_maps, &key);

	return count ? *count : 0;
}

SEC("uprobe")
int iterate(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	__u64 g, iterator_address = 0, map = 0, growths, window;
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
	if (!is_open(site, counts, bpf_ktime_get_ns(), &window))
		return 0;
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
	/* Begun before the probes were there, or in a window of theirs before this one: nothing can be said about it. */
	if (!iterator || iterator->begun_ns < site->since_ns || iterator->seed != head.u.step.seed || iterator->seen == growths)
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

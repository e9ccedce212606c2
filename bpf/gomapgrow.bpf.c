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
#include "calls.h"
#include "samples.h"

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
		left->tgid = current_id() >> 32;
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
	__u64 g, stack_pointer;
	struct goroutine_key key = { .tgid = current_id() >> 32 };
	struct exit exit = {};
	struct goroutine *goroutine;
	struct call *call, *outer;

	OWN_STACK(ctx);
	if (!site)
		return 0;
	g = key.g = exit.g = leaving_goroutine(ctx, site);
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
	key.tgid = current_id() >> 32;
	/* The swiss functions of this tier are (t, typ, m), the classic ones (t, h, bucket). */
	if (site->role != GMG_ROLE_COUNT && argument(ctx, site, site->role <= GMG_ROLE_EVACUATE && site->role >= GMG_ROLE_GROW_WORK ? 0 : 1, &key.map_type))
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

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where maps are made, with what hint, how large they become, and which make a growth belongs to.
 *
 * A header in the heap does not move, but its address is used again when the map is garbage, also for maps whose making is not seen (maps.Clone; outside of
 * windows). So a map is told by its hash seed. At the probed instruction, the call that draws it, it is not there yet: it is read when the CPU makes its next
 * map, or the map grows, provided that nothing has been freed since.
 */
#ifndef MAKES_H
#define MAKES_H

static __always_inline __u64 seed_of(__u64 map, const struct gmg_site *site)
{
	__u64 seed = 0;

	if (site->seed == 12)
		bpf_probe_read_user(&seed, 4, (void *)(map + 12));
	else
		bpf_probe_read_user(&seed, 8, (void *)(map + 8));
	return seed;
}

/* Class of a number (GMG_CLASS_PARTS_LOG2). A global function: the verifier looks at it once, by itself. */
__noinline __u32 class_of(__u64 number)
{
	__u64 below = number - 1;
	__u32 log2 = 0;

	if (!number)
		return 0;
	if (below < 1 << GMG_CLASS_PARTS_LOG2)
		return 1 + (__u32)below;
	for (__u32 half = 32; half; half >>= 1) {
		if (below >> log2 >> half)
			log2 += half;
	}
	return 1 + ((log2 - GMG_CLASS_PARTS_LOG2 + 1) << GMG_CLASS_PARTS_LOG2) +
	       (__u32)(below >> (log2 - GMG_CLASS_PARTS_LOG2) & ((1 << GMG_CLASS_PARTS_LOG2) - 1));
}

const struct gmg_make_row new_make_row = {};

/* 0: there is no room for it. */
static __noinline int count_maps(struct gmg_make_key *key, __u64 number)
{
	struct gmg_make_row *row = bpf_map_lookup_elem(&make_rows, key);

	if (!row) {
		bpf_map_update_elem(&make_rows, key, &new_make_row, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&make_rows, key);
		if (!row)
			return 0;
	}
	ADD(row->maps);
	if (number)
		__sync_fetch_and_add(&row->sum, number);
	return 1;
}

/* Whether the map whose header has this seed now is the one that was made. `site`: of its make. */
static __always_inline int is_same_map(struct origin *origin, __u64 seed, __u64 tgid)
{
	struct gmg_site *site;
	__u64 *freed;
	__u32 index = origin->site;

	/* The make has not stored it yet. */
	if (!seed)
		return 0;
	if (origin->seed)
		return origin->seed == seed;
	site = bpf_map_lookup_elem(&sites, &index);
	if (!site || origin->time_ns < site->since_ns)
		return 0;
	freed = bpf_map_lookup_elem(&collections, &tgid);
	if (freed && *freed >= origin->time_ns)
		return 0;
	origin->seed = seed;
	return 1;
}

/* Return address into the first function outside the map code and its wrappers, and the outermost wrapper's. */
static __always_inline __u64 maker_of(void *ctx, const struct gmg_site *site, __u64 *via)
{
	struct stack_start start = {};
	__u64 bias = register_instruction_pointer(ctx) - site->address;

	*via = 0;
	if (stack_at_exit(ctx, site->frame_pointer, &start))
		return 0;
	if (site->wrappers == GMG_NO_WRAPPERS)
		return start.return_address;
	stay_on_stack(&start, goroutine_of(ctx, site), site);
	/* makemap, reflect.makemap, reflect.MakeMapWithSize, reflect.MakeMap; makemap, mapclone2, maps.clone, maps.Clone. */
	for (int i = 0; i < 4; i++) {
		if (!is_wrapper(site->wrappers, start.return_address - 1 - bias))
			break;
		*via = start.return_address;
		if (stack_outwards(&start))
			return *via;
	}
	return start.return_address;
}

/* The CPU's previous map has its seed by now. */
static __always_inline void learn_seed(const struct gmg_site *site, const struct header_key *key)
{
	__u32 zero = 0;
	struct header_key *newest = bpf_map_lookup_elem(&newest_map, &zero), before;
	struct origin *origin;

	if (!newest)
		return;
	before = *newest;
	*newest = *key;
	if (before.tgid != key->tgid || before.address == key->address)
		return;
	origin = bpf_map_lookup_elem(&origins, &before);
	if (origin && !origin->seed)
		is_same_map(origin, seed_of(before.address, site), before.tgid);
}

/* How many entries the previous map of the line has: it is mostly not used any more when the next one is made. */
static __noinline int look_at_previous(const struct gmg_site *site, const struct header_key *header, __u64 caller)
{
	struct line_key line = { .caller = caller, .tgid = header->tgid, .cpu = bpf_get_smp_processor_id() };
	struct header_key previous = { .tgid = header->tgid };
	struct gmg_make_key key = { .tgid = header->tgid, .caller = caller, .what = GMG_SIZE };
	__u64 *last = bpf_map_lookup_elem(&last_made, &line), entries = 0;
	struct origin *origin;

	if (!last) {
		bpf_map_update_elem(&last_made, &line, &header->address, BPF_ANY);
		return 0;
	}
	previous.address = *last;
	*last = header->address;
	if (previous.address == header->address)
		return 0;
	origin = bpf_map_lookup_elem(&origins, &previous);
	if (!origin || origin->looked || origin->caller != caller)
		return 0;
	/* hmap.count, Map.used; then the seed: had the place been used again in between, that would be another one. */
	if (bpf_probe_read_user(&entries, sizeof(entries), (void *)previous.address) || entries >> 32)
		return 0;
	if (!is_same_map(origin, seed_of(previous.address, site), previous.tgid))
		return 0;
	key.site = origin->site;
	key.map_type = origin->map_type;
	key.number = class_of(entries);
	origin->looked = key.number + 1;
	count_maps(&key, entries);
	return 0;
}

/* Whether the address is on the goroutine's stack (runtime.g.stack: lo, hi). */
static __always_inline int is_on_stack(__u64 g, __u64 address)
{
	__u64 stack[2];

	if (bpf_probe_read_user(stack, sizeof(stack), (void *)g))
		return 0;
	return address >= stack[0] && address < stack[1];
}

static __always_inline __u64 word_at(void *ctx, __u16 distance)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)(register_stack_pointer(ctx) + distance));
	return word;
}

SEC("uprobe")
int make(void *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	struct header_key header = { .tgid = current_id() >> 32 };
	struct gmg_make_key key = { .site = index, .tgid = header.tgid, .what = GMG_MADE };
	struct origin origin = { .site = index };
	__u64 now, window, hint = 0;

	OWN_STACK(ctx);
	if (!counts || !site)
		return 0;
	if (!site->always_enters && diverted(ctx)) {
		ADD(counts->diverted);
		return 0;
	}
	now = bpf_ktime_get_ns();
	/* In and out of windows. */
	if (site->role == GMG_ROLE_COLLECT)
		bpf_map_update_elem(&collections, &header.tgid, &now, BPF_ANY);
	if (!is_open(site, counts, now, &window))
		return 0;
	ADD(counts->hits);
	if (site->role == GMG_ROLE_COLLECT)
		return 0;

	if (site->role == GMG_ROLE_MAKE) {
		if (site->hint_at) {
			hint = word_at(ctx, site->hint_at);
			key.map_type = word_at(ctx, site->type_at);
		} else if (argument(ctx, site, 0, &key.map_type) || argument(ctx, site, 1, &hint)) {
			ADD(counts->fault);
		}
		/* Negative, or more than there can be: the runtime takes it for none. */
		if (hint >> 40)
			hint = 0;
	}
	if (site->map_at)
		header.address = word_at(ctx, site->map_at);
	if (site->role == GMG_ROLE_MAKE && header.address && is_on_stack(goroutine_of(ctx, site), header.address)) {
		key.what = GMG_MADE_ON_STACK;
		header.address = 0;
	}
	key.caller = maker_of(ctx, site, &key.via);
	key.number = class_of(hint);
	if (window)
		key.what |= GMG_MAKE_WINDOW;
	if (!count_maps(&key, hint))
		ADD(counts->row_lost);
	if (!header.address)
		return 0;

	learn_seed(site, &header);
	look_at_previous(site, &header, key.caller);
	origin.time_ns = now;
	origin.caller = key.caller;
	origin.map_type = key.map_type;
	origin.hint = hint >> 32 ? 0xffffffff : hint;
	bpf_map_update_elem(&origins, &header, &origin, BPF_ANY);
	return 0;
}

/* A growth, and where its map was made. */
struct linked_growth {
	__u32 site;
	__u32 log2_slots;
	__u64 map;
	__u64 map_type;
	__u64 caller;
	__u64 seed;
};

static __noinline int link_growth(struct linked_growth *growth, struct gmg_event_head *head)
{
	struct header_key header = { .address = growth->map, .tgid = head->tgid };
	struct gmg_make_key key = { .tgid = head->tgid, .map_type = growth->map_type };
	struct origin *origin = bpf_map_lookup_elem(&origins, &header);

	if (!origin || !is_same_map(origin, growth->seed, header.tgid)) {
		key.site = growth->site;
		key.what = GMG_UNLINKED;
		count_maps(&key, 0);
		return 0;
	}
	head->u.growth.made_ns = origin->time_ns;
	head->u.growth.made_by = origin->caller;
	head->u.growth.made_hint = origin->hint;
	key.site = origin->site;
	key.caller = origin->caller;
	if (origin->looked) {
		key.what = GMG_OUTGREW;
		key.number = origin->looked - 1;
		origin->looked = 0;
		count_maps(&key, 0);
	}
	if (!origin->grew) {
		origin->grew = 1;
		key.what = GMG_GREW;
		key.number = 0;
		count_maps(&key, 0);
	}
	key.what = GMG_GROWTH;
	key.via = growth->caller;
	key.number = growth->log2_slots;
	count_maps(&key, 0);
	return 0;
}

#endif

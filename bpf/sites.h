/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What every program asks first: which site was hit, and what its registers hold there. */
#ifndef SITES_H
#define SITES_H

/* Counters are added to atomically even though they are per CPU: a uprobe program can be preempted by another task that runs it on the same CPU. */
#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

/* The current process (upper half) and thread, with the numbers that they have for gomapgrow, which may be in a PID namespace of its own. */
static __always_inline __u64 current_id(void)
{
	struct bpf_pidns_info id;

	if (options.pid_namespace && bpf_get_ns_current_pid_tgid(options.pid_namespace_device, options.pid_namespace, &id, sizeof(id)) == 0)
		return (__u64)id.tgid << 32 | id.pid;
	return bpf_get_current_pid_tgid();
}

/* What is known of the current process, which has this number in the first PID namespace; null: it is not followed. */
static __always_inline struct member *member_of(__u32 tgid)
{
	struct member *member = bpf_map_lookup_elem(&tree, &tgid), *root;
	__u32 own;

	if (member)
		return member;
	own = current_id() >> 32;
	root = bpf_map_lookup_elem(&roots, &own);
	if (!root)
		return NULL;
	bpf_map_update_elem(&tree, &tgid, root, BPF_NOEXIST);
	bpf_map_delete_elem(&roots, &own);
	return bpf_map_lookup_elem(&tree, &tgid);
}

/* No such number is given. */
#define NO_SITE 0xffffffffu

/* Probes of a file are those of all processes that execute it, each of which has sites of its own: the cookie has the file's number and that of the site among those of the process. */
static __always_inline __u32 site_of_file(__u64 cookie)
{
	struct member *member = member_of(bpf_get_current_pid_tgid() >> 32);

	if (!member || member->file != cookie >> 32)
		return NO_SITE;
	return member->base + (__u32)cookie;
}

static __always_inline __u32 site_of(void *ctx)
{
	__u64 cookie;

	if (options.site_by_address) {
		struct address_key key = { .ip = register_instruction_pointer(ctx), .tgid = current_id() >> 32 };
		__u32 *site = bpf_map_lookup_elem(&site_addresses, &key);

		return site ? *site : NO_SITE;
	}
	cookie = bpf_get_attach_cookie(ctx);
	return options.follows && cookie >> 32 ? site_of_file(cookie) : (__u32)cookie;
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

/* The map's header: argument n, or where the code around an inlined copy keeps it. */
static __always_inline int map_argument(void *ctx, const struct gmg_site *site, int n, __u64 *value)
{
	if (site->map_at == GMG_NO_MAP)
		return -1;
	if (site->map_at)
		return bpf_probe_read_user(value, sizeof(*value), (void *)(register_stack_pointer(ctx) + site->map_at));
	return argument(ctx, site, n, value);
}

/* Whether hits count now, and in which window: GMG_SHAPE_…. Those that do not are noted down. */
static __always_inline int is_open(const struct gmg_site *site, struct gmg_site_counts *counts, __u64 now, __u64 *window)
{
	*window = 0;
	if (now >= site->open_ns[0] && now < site->close_ns[0])
		return 1;
	*window = GMG_SHAPE_WINDOW;
	if (now >= site->open_ns[1] && now < site->close_ns[1])
		return 1;
	ADD(counts->outside);
	return 0;
}

#endif

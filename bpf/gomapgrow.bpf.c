// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Uprobes on the conditional branch of the stack check of Go's map growth functions (x86-64).
 *
 * The branch (jbe) is emulated by the kernel, the argument registers still hold the arguments, RBP is still the caller's, and [rsp] is the return
 * address. When CF or ZF is set the branch leads to morestack and the function starts again: such a pass is not a call.
 *
 * Counters are added to atomically even though they are per CPU: a uprobe program can be preempted by another task that runs it on the same CPU.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gomapgrow.h"

/* struct pt_regs of x86-64 (arch/x86/include/asm/ptrace.h), which is what a uprobe program gets as context. */
struct regs {
	__u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
};

/* The verifier wants each register read at a constant offset of the context: keep the compiler from choosing between two addresses. */
#define REG(ctx, name) (*(const volatile __u64 *)&(ctx)->name)

#define FLAG_CF (1u << 0)
#define FLAG_ZF (1u << 6)

/* Kernels without attach cookies (before 5.15) find the site by (process, address). */
const volatile __u32 site_by_address = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, __u32);
	__type(value, struct gmg_site);
} sites SEC(".maps");

struct address_key {
	__u64 ip;
	__u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, struct address_key);
	__type(value, __u32);
} site_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, __u32);
	__type(value, struct gmg_site_counts);
} site_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, GMG_WORK_ROWS);
	__type(key, struct gmg_work_key);
	__type(value, __u64);
} work_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GMG_RING_BYTES);
} growths SEC(".maps");

static __always_inline __u32 site_of(struct regs *ctx)
{
	if (site_by_address) {
		struct address_key key = { .ip = REG(ctx, rip), .tgid = bpf_get_current_pid_tgid() >> 32 };
		__u32 *site = bpf_map_lookup_elem(&site_addresses, &key);

		return site ? *site : GMG_MAX_SITES;
	}
	return (__u32)bpf_get_attach_cookie(ctx);
}

/* Integer argument n (0 or 1) of a Go function at its stack check. */
static __always_inline int argument(struct regs *ctx, const struct gmg_site *site, int n, __u64 *value)
{
	__u64 first = REG(ctx, rax), second = REG(ctx, rbx);

	if (site->args_on_stack)
		return bpf_probe_read_user(value, sizeof(*value), (void *)(REG(ctx, rsp) + 8 + 8 * n));
	*value = n == 0 ? first : second;
	return 0;
}

/* Return addresses from [rsp] and the chain of frame pointers. */
static __always_inline void walk(struct regs *ctx, struct gmg_growth *growth)
{
	struct {
		__u64 rbp, ret;
	} frame;
	__u64 rbp = REG(ctx, rbp);
	__u32 n = 0;

	growth->truncated = 0;
	if (bpf_probe_read_user(&growth->frames[0], sizeof(__u64), (void *)REG(ctx, rsp)) == 0)
		n = 1;
	for (int i = 1; i < GMG_MAX_FRAMES; i++) {
		if (rbp == 0 || bpf_probe_read_user(&frame, sizeof(frame), (void *)rbp) || frame.ret == 0)
			goto done;
		growth->frames[i] = frame.ret;
		n = i + 1;
		rbp = frame.rbp;
	}
	growth->truncated = rbp != 0;
done:
	growth->frame_count = n;
}

/* One growth: every one becomes a record, or is counted as lost. */
SEC("uprobe")
int growth(struct regs *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	struct gmg_growth *growth;
	__u64 g, table = 0, map_type = 0, map = 0, id;
	__u8 fault = 0;

	if (!counts || !site)
		return 0;
	if (REG(ctx, eflags) & (FLAG_CF | FLAG_ZF)) {
		__sync_fetch_and_add(&counts->diverted, 1);
		return 0;
	}
	__sync_fetch_and_add(&counts->hits, 1);

	growth = bpf_ringbuf_reserve(&growths, sizeof(*growth), 0);
	if (!growth) {
		__sync_fetch_and_add(&counts->lost, 1);
		return 0;
	}
	id = bpf_get_current_pid_tgid();
	growth->time_ns = bpf_ktime_get_ns();
	growth->tgid = id >> 32;
	growth->tid = (__u32)id;
	growth->site = index;
	growth->ip = REG(ctx, rip);

	switch (site->role) {
	case GMG_ROLE_HASH_GROW:
		fault |= argument(ctx, site, 0, &map_type) || argument(ctx, site, 1, &map) ? GMG_FAULT_HEADER : 0;
		break;
	case GMG_ROLE_GROW_TO_TABLE:
		map = REG(ctx, rax);
		map_type = REG(ctx, rbx);
		break;
	default: /* rehash(t, typ, m) */
		table = REG(ctx, rax);
		map_type = REG(ctx, rbx);
		map = REG(ctx, rcx);
	}
	growth->map_type = map_type;
	growth->map = map;
	if (bpf_probe_read_user(growth->header, sizeof(growth->header), (void *)map))
		fault |= GMG_FAULT_HEADER;
	if (table && bpf_probe_read_user(growth->table, sizeof(growth->table), (void *)table))
		fault |= GMG_FAULT_TABLE;

	g = REG(ctx, r14);
	if (site->g_in_rcx)
		g = REG(ctx, rcx);
	growth->goid = 0;
	if (bpf_probe_read_user(&growth->goid, sizeof(growth->goid), (void *)(g + site->goid_offset)))
		fault |= GMG_FAULT_G;
	growth->fault = fault;
	if (fault)
		__sync_fetch_and_add(&counts->fault, 1);
	walk(ctx, growth);
	bpf_ringbuf_submit(growth, BPF_RB_NO_WAKEUP);
	return 0;
}

/* One step of the incremental work: counted exactly, and broken down by map type and call site. */
SEC("uprobe")
int work(struct regs *ctx)
{
	__u32 index = site_of(ctx);
	struct gmg_site_counts *counts = bpf_map_lookup_elem(&site_counts, &index);
	struct gmg_site *site = bpf_map_lookup_elem(&sites, &index);
	struct gmg_work_key key = {};
	__u64 *row, zero = 0, rbp, ret = 0;

	if (!counts || !site)
		return 0;
	if (REG(ctx, eflags) & (FLAG_CF | FLAG_ZF)) {
		__sync_fetch_and_add(&counts->diverted, 1);
		return 0;
	}
	__sync_fetch_and_add(&counts->hits, 1);

	key.site = index;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	/* The swiss functions of this tier are (t, typ, m), the classic ones (t, h, bucket). */
	if (argument(ctx, site, site->role == GMG_ROLE_GROW_WORK || site->role == GMG_ROLE_EVACUATE ? 0 : 1, &key.map_type))
		__sync_fetch_and_add(&counts->fault, 1);
	rbp = REG(ctx, rbp);
	for (int depth = 2; depth <= 4; depth++) {
		struct {
			__u64 rbp, ret;
		} frame;

		if (depth > site->caller_depth)
			break;
		if (bpf_probe_read_user(&frame, sizeof(frame), (void *)rbp)) {
			ret = 0;
			break;
		}
		rbp = frame.rbp;
		ret = frame.ret;
	}
	key.caller = ret;

	row = bpf_map_lookup_elem(&work_rows, &key);
	if (row) {
		__sync_fetch_and_add(row, 1);
		return 0;
	}
	/* A new row starts at zero on every CPU and is then added to: another CPU may have made it meanwhile. */
	bpf_map_update_elem(&work_rows, &key, &zero, BPF_NOEXIST);
	row = bpf_map_lookup_elem(&work_rows, &key);
	if (row)
		__sync_fetch_and_add(row, 1);
	else
		__sync_fetch_and_add(&counts->lost, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

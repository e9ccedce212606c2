// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A uprobe program that does nothing: what any probe costs at least. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("uprobe")
int empty(void *ctx)
{
	(void)ctx;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

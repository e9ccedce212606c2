/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Keeps the stack of each BPF program its own.
 *
 * From 6.13 on the kernel puts the stack of a program that needs 64 bytes or more into memory of the CPU instead ("private stack": kernel/bpf/verifier.c,
 * bpf_enable_priv_stack; on arm64 from 6.17 on), on the ground that such a program cannot run twice on one CPU. A uprobe's can: it may be preempted (on
 * kernels with full or lazy preemption, the default from 7.0 on) while another thread of the target runs the same program on that CPU, which then
 * overwrites the registers that the first one keeps there. That loses records and mixes up counts, and as the registers are
 * pointers of the kernel's, it also brings the kernel down (measured on 7.2).
 *
 * A program with a tail call gets no private stack (check_max_stack_depth). This one is never made: the verifier knows that the condition is false and
 * removes it, so that it costs nothing and kernels that do not allow tail calls beside calls of functions do not see it either. For the same reason it needs no
 * map of programs. Such a map would stay in the kernel for good when somebody lists maps (bpftool) in the moment in which we end: the kernel takes a reference
 * each time that the last descriptor is closed (prog_array_map_clear), and gives back only one (measured on 6.18).
 */
#ifndef OWN_STACK_H
#define OWN_STACK_H

/* A value of options.machine that user space never writes. */
#define NO_MACHINE 255

/* In every program, and there alone: one tail call is enough for all the functions that it calls. */
#define OWN_STACK(ctx)                                             \
	do {                                                       \
		if (options.machine == NO_MACHINE)           \
			bpf_tail_call(ctx, (void *)0, 0);       \
	} while (0)

#endif

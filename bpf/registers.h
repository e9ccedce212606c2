/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Registers of the probed process, by their place in the context of a uprobe program: struct pt_regs of x86-64 (arch/x86/include/asm/ptrace.h), struct
 * user_pt_regs of arm64 (arch/arm64/include/uapi/asm/ptrace.h). One object serves both: the kernel removes the branches of the other
 * machine, because options are constant.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

/* In a section of its own: user space replaces it as a whole. */
const volatile struct gmg_options options SEC(".rodata.options") = {};

#define ON_ARM64 (options.machine == GMG_MACHINE_ARM64)

/* The verifier wants each register read at a constant offset of the context: assembly keeps the compiler from choosing between two addresses. */
#define WORD(ctx, offset)                                                                                \
	({                                                                                               \
		__u64 word;                                                                              \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(word) : "r"(ctx), "i"(offset));           \
		word;                                                                                    \
	})

#define REGISTER(name, x86_64, arm64)                                           \
	static __always_inline __u64 register_##name(void *ctx)                  \
	{                                                                         \
		if (ON_ARM64)                                     \
			return WORD(ctx, arm64);                                  \
		return WORD(ctx, x86_64);                                         \
	}

REGISTER(g, 8, 28 * 8)              /* R14, X28 */
REGISTER(frame_pointer, 32, 29 * 8) /* RBP, X29 */
REGISTER(argument0, 80, 0)          /* RAX, X0 */
REGISTER(argument1, 40, 8)          /* RBX, X1 */
REGISTER(argument2, 88, 16)         /* RCX, X2 */
REGISTER(flags, 144, 33 * 8)        /* EFLAGS, PSTATE */
REGISTER(stack_pointer, 152, 31 * 8)
REGISTER(instruction_pointer, 128, 32 * 8)
REGISTER(link, 88, 30 * 8)          /* X30; on x86-64 it is the 1.15 stack check's g: RCX */

#define X86_CF (1u << 0)
#define X86_PF (1u << 2)
#define X86_ZF (1u << 6)
#define X86_SF (1u << 7)
#define X86_OF (1u << 11)
#define ARM64_Z (1u << 30)
#define ARM64_C (1u << 29)

/* The branch of the stack check (jbe, b.ls) is taken: to morestack, after which the function starts again. */
static __always_inline int diverted(void *ctx)
{
	__u64 flags = register_flags(ctx);

	if (ON_ARM64)
		return (flags & (ARM64_C | ARM64_Z)) != ARM64_C;
	return (flags & (X86_CF | X86_ZF)) != 0;
}

/* Whether a branch with this condition code of x86-64 (the low four bits of its opcode) is taken. */
static __always_inline int condition_holds(__u8 code, __u64 flags)
{
	int differ = !(flags & X86_SF) != !(flags & X86_OF);
	int holds;

	switch (code >> 1 & 7) {
	case 0: holds = !!(flags & X86_OF); break;
	case 1: holds = !!(flags & X86_CF); break;
	case 2: holds = !!(flags & X86_ZF); break;
	case 3: holds = !!(flags & (X86_CF | X86_ZF)); break;
	case 4: holds = !!(flags & X86_SF); break;
	case 5: holds = !!(flags & X86_PF); break;
	case 6: holds = differ; break;
	default: holds = differ || (flags & X86_ZF);
	}
	return holds != (code & 1);
}

/* Go's frame records are the same on both machines: the caller's frame pointer, then the return address. */
struct frame_record {
	__u64 frame_pointer;
	__u64 return_address;
};

/* Where a stack begins: the innermost return address and the frame pointer of the function that it leads into. */
struct stack_start {
	__u64 return_address;
	__u64 frame_pointer;
	__u64 low, high;   /* of the goroutine's stack; 0 where it does not matter */
	__u64 cgo_gap;     /* 0: callbacks from C are not followed further */
};

/* Whether the next frame record is where the walk must not go. */
static __always_inline int leads_out(const struct stack_start *start)
{
	return start->high && start->frame_pointer - start->low >= start->high - start->low;
}

/* At a function's entry: nothing has been pushed yet. */
static __always_inline int stack_at_entry(void *ctx, struct stack_start *start)
{
	start->frame_pointer = register_frame_pointer(ctx);
	if (ON_ARM64) {
		start->return_address = register_link(ctx);
		return 0;
	}
	return bpf_probe_read_user(&start->return_address, sizeof(__u64), (void *)register_stack_pointer(ctx));
}

/* At one of its exits: the frame record is still there (`framed`), or all but the return is done. */
static __always_inline int stack_at_exit(void *ctx, __u8 framed, struct stack_start *start)
{
	struct frame_record record;

	if (!framed)
		return stack_at_entry(ctx, start);
	if (bpf_probe_read_user(&record, sizeof(record), (void *)register_frame_pointer(ctx)))
		return -1;
	start->return_address = record.return_address;
	start->frame_pointer = record.frame_pointer;
	return 0;
}

/* One function further out. */
static __always_inline int stack_outwards(struct stack_start *start)
{
	struct frame_record record;

	if (leads_out(start) || bpf_probe_read_user(&record, sizeof(record), (void *)start->frame_pointer))
		return -1;
	start->return_address = record.return_address;
	start->frame_pointer = record.frame_pointer;
	return 0;
}

#endif

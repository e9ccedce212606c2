// SPDX-License-Identifier: Apache-2.0
/*
 * Something to probe in ourselves, so that the cost of a hit on this machine can be measured. gmg_calibrated_growth and gmg_calibrated_work look to the BPF programs like a
 * growth function of Go: a conditional branch that is not taken at the entry, arguments and goroutine in Go's registers, a frame record, an exit.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* Each function is entered at its branch; `_exit` is an instruction that the kernel emulates, `_stepped` one that it single-steps. */
#if defined(__x86_64__)
#define CALIBRATED(name)                                                                 \
	__asm__(".text\n.p2align 4\n.hidden " #name "\n.globl " #name "\n" #name ":\n"    \
		"	jbe 1f\n	push %rbp\n	mov %rsp, %rbp\n"                        \
		".hidden " #name "_exit\n.globl " #name "_exit\n" #name "_exit:\n"        \
		"	jmp 2f\n2:\n"                                                     \
		".hidden " #name "_stepped\n.globl " #name "_stepped\n" #name "_stepped:\n" \
		"	mov %rax, %rax\n	pop %rbp\n1:	ret\n")
/* rdi: function, rsi: calls, rdx: g, rcx: map type, r8: map. Three frame records stand for the callers. */
__asm__(".text\n.p2align 4\ngmg_call_calibrated:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rdi, %r12\n	mov %rsi, %r13\n	mov %rdx, %r14\n	mov %rcx, %r15\n"
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n	push $0\n	mov %rsp, %rbp\n"
	"	push %rax\n	push %rbp\n	mov %rsp, %rbp\n"
	"	push %rax\n	push %rbp\n	mov %rsp, %rbp\n"
	"	mov %r8, %rbx\n"
	"0:	mov %r15, %rax\n	mov %rbx, %rcx\n"
	"	cmp $0, %rsp\n"
	"	call *%r12\n	dec %r13\n	jne 0b\n"
	"1:	add $48, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n	ret\n");
#elif defined(__aarch64__)
#define CALIBRATED(name)                                                                 \
	__asm__(".text\n.p2align 4\n.hidden " #name "\n.globl " #name "\n" #name ":\n"    \
		"	b.ls 1f\n	sub sp, sp, #16\n"                                       \
		".hidden " #name "_exit\n.globl " #name "_exit\n" #name "_exit:\n"        \
		"	b 2f\n2:\n"                                                       \
		".hidden " #name "_stepped\n.globl " #name "_stepped\n" #name "_stepped:\n" \
		"	mov x9, x9\n	add sp, sp, #16\n1:	ret\n")
/* x0: function, x1: calls, x2: g, x3: map type, x4: map. */
__asm__(".text\n.p2align 4\ngmg_call_calibrated:\n"
	"	stp x29, x30, [sp, #-96]!\n	stp x19, x20, [sp, #16]\n	stp x21, x22, [sp, #32]\n	stp x27, x28, [sp, #48]\n"
	"	mov x19, x0\n	mov x20, x1\n	mov x28, x2\n	mov x21, x3\n	mov x22, x4\n"
	"	adr x9, 1f\n	stp xzr, x9, [sp, #64]\n	add x10, sp, #64\n	stp x10, x9, [sp, #80]\n	add x29, sp, #80\n"
	"0:	mov x0, x21\n	mov x1, x22\n	mov x2, x22\n"
	"	cmp sp, #0\n"
	"	blr x19\n	subs x20, x20, #1\n	b.ne 0b\n"
	"1:	ldp x19, x20, [sp, #16]\n	ldp x21, x22, [sp, #32]\n	ldp x27, x28, [sp, #48]\n	ldp x29, x30, [sp], #96\n	ret\n");
#else
#error "no calibration for this architecture"
#endif

CALIBRATED(gmg_calibrated_growth);
CALIBRATED(gmg_calibrated_work);

extern const char gmg_calibrated_growth[], gmg_calibrated_growth_exit[], gmg_calibrated_growth_stepped[];
extern const char gmg_calibrated_work[], gmg_calibrated_work_exit[], gmg_calibrated_work_stepped[];
extern void gmg_call_calibrated(const char *function, uint64_t calls, const void *g, const void *map_type, const void *map);

/* Calls it so many times. g: runtime.g with its fields where the sites say; map: a map header. */
EXPORT void gmg_calibrate(uint32_t growth, uint64_t calls, const void *g, const void *map_type, const void *map)
{
	gmg_call_calibrated(growth ? gmg_calibrated_growth : gmg_calibrated_work, calls, g, map_type, map);
}

struct place {
	uint64_t address;
	uint64_t offset;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *data)
{
	struct place *place = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && place->address >= start && place->address < start + segment->p_filesz) {
			place->offset = place->address - start + segment->p_offset;
			return 1;
		}
	}
	return 0;
}

static uint64_t site_address(uint32_t which)
{
	const char *const sites[] = {
		gmg_calibrated_work,   gmg_calibrated_work_exit,   gmg_calibrated_work_stepped,
		gmg_calibrated_growth, gmg_calibrated_growth_exit, gmg_calibrated_growth_stepped,
	};

	return which < sizeof(sites) / sizeof(sites[0]) ? (uint64_t)(uintptr_t)sites[which] : 0;
}

/* Address of the entry (0), the exit (1) and the single-stepped instruction (2) of the work function, and of those of the growth function (3 to 5). */
EXPORT uint64_t gmg_calibration_address(uint32_t which)
{
	return site_address(which);
}

/* The same as an offset in this library's file. 0: not found. */
EXPORT uint64_t gmg_calibration_site(uint32_t which)
{
	struct place place = { site_address(which), 0 };

	if (place.address)
		dl_iterate_phdr(find_offset, &place);
	return place.offset;
}

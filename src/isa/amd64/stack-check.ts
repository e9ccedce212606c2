/**
 * Decodes the stack check at the start of a Go function on x86-64, instruction by instruction from its first byte, so that the
 * branch found is certainly an instruction boundary.
 *
 * The compiler (cmd/internal/obj/x86/obj6.go, stacksplit) emits: load g (Go <= 1.16 only), lea for frames over StackSmall,
 * cmp with g.stackguard0 (+0x10), jbe to the call of morestack at the function's end.
 */
import type { FlagsTest, StackCheck } from "../stack-check.ts";

/** Longest known form: 26 bytes (Go 1.15 PIE, frame over StackSmall). */
export const MAX_STACK_CHECK_BYTES = 32;

/** jbe is taken when CF or ZF is set (EFLAGS bits 0 and 6). */
export const STACK_CHECK_TAKEN: FlagsTest = { word: "flags", set: 0x41, clear: 0 };

interface Form {
	bytes: number[];
	/** Bytes of displacement that follow and are skipped. */
	skip: number;
}

const LOAD_G_TLS: Form = { bytes: [0x64, 0x48, 0x8b, 0x0c, 0x25], skip: 4 }; // mov rcx, fs:disp32
const LOAD_TLS_OFFSET: Form = { bytes: [0x48, 0xc7, 0xc1], skip: 4 }; // mov rcx, imm32 (PIE)
const LOAD_G_INDIRECT: Form = { bytes: [0x64, 0x48, 0x8b, 0x09], skip: 0 }; // mov rcx, fs:[rcx]

const LEA_R12: Form[] = [
	{ bytes: [0x4c, 0x8d, 0x64, 0x24], skip: 1 }, // lea r12, [rsp+disp8]
	{ bytes: [0x4c, 0x8d, 0xa4, 0x24], skip: 4 }, // lea r12, [rsp+disp32]
];
const LEA_RAX: Form[] = [
	{ bytes: [0x48, 0x8d, 0x44, 0x24], skip: 1 }, // lea rax, [rsp+disp8]
	{ bytes: [0x48, 0x8d, 0x84, 0x24], skip: 4 }, // lea rax, [rsp+disp32]
];

const CMP_RSP_R14: Form = { bytes: [0x49, 0x3b, 0x66, 0x10], skip: 0 }; // cmp rsp, [r14+0x10]
const CMP_R12_R14: Form = { bytes: [0x4d, 0x3b, 0x66, 0x10], skip: 0 }; // cmp r12, [r14+0x10]
const CMP_RSP_RCX: Form = { bytes: [0x48, 0x3b, 0x61, 0x10], skip: 0 }; // cmp rsp, [rcx+0x10]
const CMP_RAX_RCX: Form = { bytes: [0x48, 0x3b, 0x41, 0x10], skip: 0 }; // cmp rax, [rcx+0x10]

/** Length of the form when it stands at `at`, else 0. */
function matches(code: Uint8Array, at: number, form: Form): number {
	const length = form.bytes.length + form.skip;
	if (at + length > code.length) return 0;
	for (let i = 0; i < form.bytes.length; i++) if (code[at + i] !== form.bytes[i]) return 0;
	return length;
}

function matchesAny(code: Uint8Array, at: number, forms: Form[]): number {
	for (const form of forms) {
		const length = matches(code, at, form);
		if (length > 0) return length;
	}
	return 0;
}

/**
 * The stack check of the function whose code starts at `code[0]`; undefined when it does not begin with one of the known forms.
 * `code` needs the first MAX_STACK_CHECK_BYTES of the function, `size` is the function's length in bytes: the branch must stay inside it.
 */
export function findStackCheck(code: Uint8Array, size: number): StackCheck | undefined {
	const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
	let at = matches(code, 0, LOAD_G_TLS);
	let offsetEnd = at;
	if (at === 0) {
		offsetEnd = matches(code, 0, LOAD_TLS_OFFSET);
		const load = offsetEnd > 0 ? matches(code, offsetEnd, LOAD_G_INDIRECT) : 0;
		at = load > 0 ? offsetEnd + load : 0;
	}
	const fsOffset = at > 0 ? { fsOffset: view.getInt32(offsetEnd - 4, true) } : {};
	const gRegister = at > 0 ? "rcx" : "r14";

	const lea = matchesAny(code, at, gRegister === "r14" ? LEA_R12 : LEA_RAX);
	at += lea;
	const small = gRegister === "r14" ? CMP_RSP_R14 : CMP_RSP_RCX;
	const large = gRegister === "r14" ? CMP_R12_R14 : CMP_RAX_RCX;
	const cmp = matches(code, at, lea > 0 ? large : small);
	if (cmp === 0) return undefined;
	at += cmp;

	let branchLength: number;
	let target: number;
	if (code[at] === 0x76 && at + 2 <= code.length) {
		branchLength = 2;
		target = at + 2 + view.getInt8(at + 1);
	} else if (code[at] === 0x0f && code[at + 1] === 0x86 && at + 6 <= code.length) {
		branchLength = 6;
		target = at + 6 + view.getInt32(at + 2, true);
	} else {
		return undefined;
	}
	// The slow path stands behind the function's body; anything else is not a stack check.
	if (target <= at || target >= size) return undefined;
	return { branchOffset: at, branchLength, target, gRegister, ...fsOffset };
}

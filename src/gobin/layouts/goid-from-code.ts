import { i32, u8, u32 } from "../../elf/little-endian.ts";
import type { GoFunction } from "../pclntab/function-table.ts";

/**
 * runtime/traceback.go, goroutineheader(gp): `print("goroutine ", gp.goid, …)`. The compiler loads gp.goid, keeps it on the stack,
 * takes the print lock, prints the text and then the number (Go 1.15 to 1.27):
 *
 *	mov reg, [gp+goid]; mov [rsp+slot], reg; call printlock; lea rax, "goroutine "; … call printstring; mov rax, [rsp+slot]; … call printuint
 */
const HEADER = "runtime.goroutineheader";
const LOCK = "runtime.printlock";
/** goid was signed up to 1.19. */
const PRINTERS = ["runtime.printint", "runtime.printuint"] as const;
/** All functions that are looked at: whoever looks for others can have these found along the way. */
export const GOID_WITNESSES: readonly string[] = [HEADER, LOCK, ...PRINTERS];
const TEXT = Buffer.from("goroutine ");

/** Longest goroutineheader seen: 900 bytes. */
const MAX_CODE = 8192;
/** From the lock to the call that prints the number; 40 bytes seen. */
const REACH = 96;
/** runtime.g has less than 500 bytes. */
const MAX_OFFSET = 4096;

/** What the search needs of a program. */
export interface CodeReader {
	functionsByName(names: readonly string[]): Map<string, GoFunction>;
	bytesAt(vaddr: number, length: number): Uint8Array;
	readonly elf: { bytesFrom(vaddr: number): number };
}

/**
 * The offset of runtime.g.goid as the program's own x86-64 code has it; undefined when the code does not look as expected. It takes one
 * look at each byte and is right only if load, text and both calls agree, so that nothing is taken for it by chance.
 */
export function goidFromCode(program: CodeReader): number | undefined {
	const found = program.functionsByName(GOID_WITNESSES);
	const header = found.get(HEADER);
	const lock = found.get(LOCK)?.entry;
	const printers = PRINTERS.map((name) => found.get(name)?.entry);
	if (header === undefined || lock === undefined) {
		return undefined;
	}
	const code = program.bytesAt(header.entry, Math.min(MAX_CODE, header.end - header.entry));
	for (let at = 0; at + 7 < code.length; at++) {
		const load = loadAt(code, at);
		const store = load && storeAt(code, load.end, load.register);
		const call = store && callAt(code, skipNops(code, store.end));
		if (load === undefined || store === undefined || call === undefined || header.entry + call.target !== lock) {
			continue;
		}
		const text = leaAt(code, call.end);
		if (text === undefined || !holdsText(program, header.entry + text)) {
			continue;
		}
		if (printsSlot(code, call.end, store.slot, (target) => printers.includes(header.entry + target))) {
			return load.offset > 0 && load.offset < MAX_OFFSET && load.offset % 8 === 0 ? load.offset : undefined;
		}
	}
	return undefined;
}

function holdsText(program: CodeReader, vaddr: number): boolean {
	return program.elf.bytesFrom(vaddr) >= TEXT.length && Buffer.from(program.bytesAt(vaddr, TEXT.length)).equals(TEXT);
}

/** mov reg, [base+disp] with a base other than RSP. */
function loadAt(code: Uint8Array, at: number): { register: number; offset: number; end: number } | undefined {
	const rex = code[at] ?? 0;
	const modrm = code[at + 2] ?? 0;
	const mod = modrm >> 6;
	if ((rex & 0xf8) !== 0x48 || code[at + 1] !== 0x8b || (mod !== 1 && mod !== 2) || (modrm & 7) === 4) {
		return undefined;
	}
	const end = at + 3 + (mod === 1 ? 1 : 4);
	if (end > code.length) {
		return undefined;
	}
	return { register: registerOf(rex, modrm), offset: mod === 1 ? u8(code, at + 3) : u32(code, at + 3), end };
}

/** mov [rsp+slot], reg */
function storeAt(code: Uint8Array, at: number, register: number): { slot: number; end: number } | undefined {
	return stackMove(code, at, 0x89, register);
}

function stackMove(
	code: Uint8Array,
	at: number,
	opcode: number,
	register: number,
): { slot: number; end: number } | undefined {
	const rex = code[at] ?? 0;
	const modrm = code[at + 2] ?? 0;
	const mod = modrm >> 6;
	const onStack = (rex & 0xfb) === 0x48 && code[at + 1] === opcode && (modrm & 7) === 4 && code[at + 3] === 0x24;
	if (!onStack || (mod !== 1 && mod !== 2) || registerOf(rex, modrm) !== register) {
		return undefined;
	}
	const end = at + 4 + (mod === 1 ? 1 : 4);
	return end > code.length ? undefined : { slot: mod === 1 ? u8(code, at + 4) : u32(code, at + 4), end };
}

function registerOf(rex: number, modrm: number): number {
	return ((rex & 4) << 1) | ((modrm >> 3) & 7);
}

/** call rel32; the target from the start of the code. */
function callAt(code: Uint8Array, at: number): { target: number; end: number } | undefined {
	return code[at] === 0xe8 && at + 5 <= code.length ? { target: at + 5 + i32(code, at + 1), end: at + 5 } : undefined;
}

/** lea rax, [rip+disp32]; the address from the start of the code. */
function leaAt(code: Uint8Array, at: number): number | undefined {
	return code[at] === 0x48 && code[at + 1] === 0x8d && code[at + 2] === 0x05 && at + 7 <= code.length
		? at + 7 + i32(code, at + 3)
		: undefined;
}

/** Whether soon after `at` the slot is loaded into RAX (and, with arguments on the stack, put there) for one of the printers. */
function printsSlot(code: Uint8Array, at: number, slot: number, isPrinter: (target: number) => boolean): boolean {
	const end = Math.min(code.length, at + REACH);
	for (let from = at; from < end; from++) {
		const move = stackMove(code, from, 0x8b, 0);
		if (move?.slot !== slot) {
			continue;
		}
		// Up to 1.16: mov [rsp], rax
		const pushed = [0x48, 0x89, 0x04, 0x24].every((byte, index) => code[move.end + index] === byte);
		const call = callAt(code, skipNops(code, pushed ? move.end + 4 : move.end));
		if (call !== undefined && isPrinter(call.target)) {
			return true;
		}
	}
	return false;
}

/** The one- to nine-byte nops with which the linker aligns calls (cmd/internal/obj/x86/asm6.go, nop). */
function skipNops(code: Uint8Array, start: number): number {
	let at = start;
	for (;;) {
		const prefix = code[at] === 0x66 ? 1 : 0;
		const next = at + prefix;
		const modrm = code[next + 2];
		if (code[next] === 0x90) {
			at = next + 1;
		} else if (code[next] === 0x0f && code[next + 1] === 0x1f && modrm !== undefined) {
			const sib = (modrm & 7) === 4 ? 1 : 0;
			at = next + 3 + sib + ([0, 1, 4][modrm >> 6] ?? 0);
		} else {
			return at;
		}
	}
}

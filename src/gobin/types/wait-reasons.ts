import { i32, text, u64 } from "../../elf/little-endian.ts";
import type { GoFunction } from "../pclntab/function-table.ts";

/**
 * runtime/runtime2.go, waitReasonStrings: what each value of g.waitreason means, in words. The numbers change with almost every
 * release, so the program's own array is read. Two functions hold its address (Go 1.15 to 1.27): waitReason.String, and goroutineheader
 * into which it is inlined.
 */
const USERS = ["runtime.waitReason.String", "runtime.goroutineheader"];
const MAX_CODE = 8192;
/** Value 1 in all releases; value 0 is the empty string. */
const FIRST = "GC assist marking";
/** A string header: address and length. */
const STRING_BYTES = 16;
const MAX_LENGTH = 80;
/** g.waitreason is a byte; Go 1.27 has 45 reasons. */
const MAX_REASONS = 256;

export interface StringReader {
	functionsByName(names: readonly string[]): Map<string, GoFunction>;
	bytesAt(vaddr: number, length: number): Uint8Array;
	readonly elf: { bytesFrom(vaddr: number): number; pointerAt(vaddr: number): number };
}

/**
 * The reasons by number, or undefined when the array is not found. It may hold more entries than the runtime has reasons, since
 * only the shape of an entry tells where it ends.
 */
export function readWaitReasons(program: StringReader): readonly string[] | undefined {
	for (const { entry, end } of program.functionsByName(USERS).values()) {
		const code = program.bytesAt(entry, Math.min(MAX_CODE, end - entry));
		for (const address of leaTargets(code, entry)) {
			if (stringAt(program, address) === "" && stringAt(program, address + STRING_BYTES) === FIRST) {
				return stringsFrom(program, address);
			}
		}
	}
	return undefined;
}

function stringsFrom(program: StringReader, address: number): string[] {
	const reasons: string[] = [];
	while (reasons.length < MAX_REASONS) {
		const reason = stringAt(program, address + reasons.length * STRING_BYTES);
		if (reason === undefined || (reason === "" && reasons.length > 0)) {
			break;
		}
		reasons.push(reason);
	}
	return reasons;
}

/** The Go string whose header is there; undefined unless it is short printable ASCII text. */
function stringAt(program: StringReader, address: number): string | undefined {
	if (program.elf.bytesFrom(address) < STRING_BYTES) {
		return undefined;
	}
	const length = u64(program.bytesAt(address + 8, 8), 0);
	if (length === 0) {
		return "";
	}
	const start = program.elf.pointerAt(address);
	if (length > MAX_LENGTH || program.elf.bytesFrom(start) < length) {
		return undefined;
	}
	const value = text(program.bytesAt(start, length));
	return /^[ -~]+$/.test(value) ? value : undefined;
}

/** Targets of lea reg, [rip+disp32]; every byte is taken for a possible start. */
function* leaTargets(code: Uint8Array, base: number): Generator<number> {
	for (let at = 0; at + 7 <= code.length; at++) {
		const rex = code[at];
		if ((rex === 0x48 || rex === 0x4c) && code[at + 1] === 0x8d && ((code[at + 2] ?? 0) & 0xc7) === 0x05) {
			yield base + at + 7 + i32(code, at + 3);
		}
	}
}

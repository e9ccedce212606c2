import { i32 } from "../../elf/little-endian.ts";
import type { CodeReader } from "./goid-from-code.ts";

/**
 * runtime/proc.go, allgadd(gp): `allgs = append(allgs, gp)`. The compiler loads the three words of the slice (address, length,
 * capacity), calls growslice when it is full, and stores all three again (Go 1.15 to 1.27). No other variable of the function
 * has three neighbouring words that are both loaded and stored.
 */
const APPENDER = "runtime.allgadd";
const SYMBOL = "runtime.allgs";
/** Longest allgadd seen: 700 bytes, without optimisation. */
const MAX_CODE = 4096;
const WORD = 8;

/** What the search needs of a program. */
export interface AllgsReader extends CodeReader {
	readonly elf: CodeReader["elf"] & { symbol(name: string): { value: number } | undefined };
}

/**
 * The address of the variable runtime.allgs, the slice of all goroutines, without the load bias: from the symbol table, else from
 * the program's x86-64 code. Undefined when neither has it.
 */
export function locateAllgs(program: AllgsReader): number | undefined {
	return program.elf.symbol(SYMBOL)?.value ?? allgsFromCode(program);
}

/** The address as the code of runtime.allgadd has it; undefined when that code does not look as expected. */
export function allgsFromCode(program: CodeReader): number | undefined {
	const appender = program.functionsByName([APPENDER]).get(APPENDER);
	if (appender === undefined) {
		return undefined;
	}
	const code = program.bytesAt(appender.entry, Math.min(MAX_CODE, appender.end - appender.entry));
	const loaded = wordAccesses(code, appender.entry, LOAD);
	const stored = wordAccesses(code, appender.entry, STORE);
	const slices = [...stored].filter((address) =>
		[0, WORD, 2 * WORD].every((offset) => loaded.has(address + offset) && stored.has(address + offset)),
	);
	return slices.length === 1 ? slices[0] : undefined;
}

/** mov reg, [rip+disp32] */
const LOAD = 0x8b;
/** mov [rip+disp32], reg */
const STORE = 0x89;

/** Addresses of aligned variables that are moved to or from a 64-bit register. Every byte is taken for a possible start. */
function wordAccesses(code: Uint8Array, base: number, opcode: number): Set<number> {
	const found = new Set<number>();
	for (let at = 0; at + 7 <= code.length; at++) {
		const rex = code[at];
		if ((rex === 0x48 || rex === 0x4c) && code[at + 1] === opcode && ((code[at + 2] ?? 0) & 0xc7) === 0x05) {
			const address = base + at + 7 + i32(code, at + 3);
			if (address % WORD === 0) {
				found.add(address);
			}
		}
	}
	return found;
}

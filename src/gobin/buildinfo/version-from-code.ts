/** The version that a program itself knows: what runtime.Version() returns. */
import { i32, text, u32 } from "../../elf/little-endian.ts";
import type { GoFunction } from "../pclntab/function-table.ts";

/**
 * runtime/proc.go, schedinit: `if buildVersion == "" { buildVersion = "unknown" }`, which is there so that the
 * variable is in every program (Go 1.15 to 1.27). The compiler compares its length with 0 and stores 7:
 *
 *	cmpq $0, buildVersion+8(SB); … movq $7, buildVersion+8(SB)
 */
const USER = "runtime.schedinit";
const SYMBOL = "runtime.buildVersion";
/** Longest schedinit seen: 2,600 bytes. */
const MAX_CODE = 16384;
const STRING_BYTES = 16;
const MAX_VERSION_BYTES = 4096;
const UNKNOWN_LENGTH = 7;

/** What the search needs of a program. */
export interface VersionReader {
	functionsByName(names: readonly string[]): Map<string, GoFunction>;
	bytesAt(vaddr: number, length: number): Uint8Array;
	readonly arch: string;
	readonly elf: {
		bytesFrom(vaddr: number): number;
		pointerAt(vaddr: number): number;
		symbol(name: string): { value: number } | undefined;
	};
}

/** The text, unparsed; undefined when neither the symbol table nor the program's x86-64 code says where it is. */
export function buildVersionOf(program: VersionReader): string | undefined {
	const symbol = program.elf.symbol(SYMBOL)?.value;
	const named = symbol === undefined ? undefined : stringAt(program, symbol);
	return named ?? (program.arch === "amd64" ? fromCode(program) : undefined);
}

function fromCode(program: VersionReader): string | undefined {
	const user = program.functionsByName([USER]).get(USER);
	if (user === undefined) {
		return undefined;
	}
	const code = program.bytesAt(user.entry, Math.min(MAX_CODE, user.end - user.entry));
	const compared = new Set<number>();
	for (let at = 0; at + 8 <= code.length; at++) {
		// cmpq $imm8, [rip+disp32]
		if (code[at] === 0x48 && code[at + 1] === 0x83 && code[at + 2] === 0x3d && code[at + 7] === 0) {
			compared.add(user.entry + at + 8 + i32(code, at + 3));
		}
	}
	for (let at = 0; at + 11 <= code.length; at++) {
		// movq $imm32, [rip+disp32]
		const isStore = code[at] === 0x48 && code[at + 1] === 0xc7 && code[at + 2] === 0x05;
		if (!isStore || u32(code, at + 7) !== UNKNOWN_LENGTH) {
			continue;
		}
		const length = user.entry + at + 11 + i32(code, at + 3);
		const found = compared.has(length) ? stringAt(program, length - 8) : undefined;
		if (found !== undefined) {
			return found;
		}
	}
	return undefined;
}

/** The Go string whose header is at the address; undefined when it is empty or not in the file. */
function stringAt(program: VersionReader, address: number): string | undefined {
	const { elf } = program;
	if (elf.bytesFrom(address) < STRING_BYTES) {
		return undefined;
	}
	const length = elf.pointerAt(address + 8);
	const start = elf.pointerAt(address);
	return length === 0 || length > MAX_VERSION_BYTES || elf.bytesFrom(start) < length
		? undefined
		: text(program.bytesAt(start, length));
}

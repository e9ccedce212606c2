import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";
import { u8, u16, u32, u64 } from "./little-endian.ts";

/** Elf64_Ehdr and its constants (ELF-64 Object File Format 1.5, section 3; <elf.h>). */
const EHDR_BYTES = 64;
const ET_EXEC = 2;
export const ET_DYN = 3;
const EM_X86_64 = 62;
const EM_AARCH64 = 183;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;

export type ElfArch = "amd64" | "arm64";

export interface ElfHeader {
	arch: ElfArch;
	/** EI_OSABI. */
	osAbi: number;
	/** ET_EXEC or ET_DYN. */
	type: number;
	/** Virtual address of the entry point. */
	entry: number;
	phoff: number;
	shoff: number;
	phentsize: number;
	/** Raw e_phnum; 0xffff means that section 0 has the number. */
	phnum: number;
	shentsize: number;
	/** Raw e_shnum; 0 with a shoff means that section 0 has the number. */
	shnum: number;
	/** Raw e_shstrndx; 0xffff means that section 0 has the index. */
	shstrndx: number;
}

const MACHINES: Record<number, string> = {
	2: "SPARC",
	3: "386",
	8: "MIPS",
	20: "PowerPC",
	21: "PowerPC64",
	22: "S/390",
	40: "ARM",
	243: "RISC-V",
	258: "LoongArch",
};

/**
 * Reads the ELF header. Throws E-BIN-NOT-ELF, E-BIN-32BIT, E-BIN-ARCH (big-endian or another machine), E-BIN-TRUNCATED,
 * E-BIN-MALFORMED (not an executable or shared object).
 */
export function readHeader(source: ByteSource): ElfHeader {
	const bytes = source.read(0, Math.min(EHDR_BYTES, source.size));
	const wanted = "a 64-bit little-endian ELF executable for x86-64 or arm64";
	if (bytes.length < 4 || u32(bytes, 0) !== 0x464c457f) {
		throw new GomapgrowError("E-BIN-NOT-ELF", { wanted, found: describeStart(bytes) });
	}
	if (bytes.length >= 5 && u8(bytes, 4) !== ELFCLASS64) {
		const found = u8(bytes, 4) === 1 ? "a 32-bit ELF file (EI_CLASS 1)" : `EI_CLASS ${u8(bytes, 4)}`;
		throw new GomapgrowError("E-BIN-32BIT", { wanted, found });
	}
	if (bytes.length < EHDR_BYTES) {
		throw new GomapgrowError("E-BIN-TRUNCATED", { wanted, found: `an ELF file of only ${bytes.length} bytes` });
	}
	if (u8(bytes, 5) !== ELFDATA2LSB) {
		const found = u8(bytes, 5) === 2 ? "a big-endian ELF file (EI_DATA 2)" : `EI_DATA ${u8(bytes, 5)}`;
		throw new GomapgrowError("E-BIN-ARCH", { wanted, found });
	}
	const machine = u16(bytes, 18);
	const arch: ElfArch | undefined = machine === EM_X86_64 ? "amd64" : machine === EM_AARCH64 ? "arm64" : undefined;
	if (arch === undefined) {
		const name = MACHINES[machine];
		throw new GomapgrowError("E-BIN-ARCH", {
			wanted,
			found: name === undefined ? `machine type ${machine}` : `an ELF file for ${name} (e_machine ${machine})`,
		});
	}
	const type = u16(bytes, 16);
	if (type !== ET_EXEC && type !== ET_DYN) {
		const kind = type === 1 ? "an object file" : type === 4 ? "a core dump" : "an ELF file";
		throw new GomapgrowError("E-BIN-MALFORMED", { wanted, found: `${kind} (e_type ${type})` });
	}
	return {
		arch,
		osAbi: u8(bytes, 7),
		type,
		entry: u64(bytes, 24),
		phoff: u64(bytes, 32),
		shoff: u64(bytes, 40),
		phentsize: u16(bytes, 54),
		phnum: u16(bytes, 56),
		shentsize: u16(bytes, 58),
		shnum: u16(bytes, 60),
		shstrndx: u16(bytes, 62),
	};
}

function describeStart(bytes: Uint8Array): string {
	if (bytes.length === 0) {
		return "an empty file";
	}
	if (bytes.length >= 2 && bytes[0] === 0x23 && bytes[1] === 0x21) {
		const [command = ""] = Buffer.from(bytes.subarray(2)).toString("latin1").split("\n");
		const [interpreter = ""] = command.trim().split(/\s/);
		return interpreter === "" ? "a script (starts with #!)" : `a script (#!), which ${interpreter} executes`;
	}
	const shown = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
	return `a file that starts with ${shown}`;
}

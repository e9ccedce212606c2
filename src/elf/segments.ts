import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";
import type { ElfHeader } from "./header.ts";
import { u32, u64 } from "./little-endian.ts";

/** Program headers (Elf64_Phdr). */
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
const PF_X = 1;
const PF_W = 2;

const PHDR_BYTES = 56;
const PN_XNUM = 0xffff;
/** The kernel refuses program header tables above 64 KiB (load_elf_phdrs in fs/binfmt_elf.c), so nothing larger can run. */
const MAX_PHDRS = Math.floor(65536 / PHDR_BYTES);

export interface Segment {
	type: number;
	executable: boolean;
	writable: boolean;
	/** File offset, in bytes. */
	offset: number;
	vaddr: number;
	/** Bytes in the file. */
	filesz: number;
	/** Bytes in memory, at least filesz. */
	memsz: number;
}

/** Reads the program headers; throws E-BIN-MALFORMED or E-BIN-TRUNCATED (a loaded segment ends behind the file's end). */
export function readSegments(source: ByteSource, header: ElfHeader): Segment[] {
	const count = header.phnum === PN_XNUM ? realCount(source, header) : header.phnum;
	if (count === 0 || count > MAX_PHDRS || header.phentsize !== PHDR_BYTES) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: `1 to ${MAX_PHDRS} program headers of ${PHDR_BYTES} bytes`,
			found: `${count} of ${header.phentsize} bytes`,
		});
	}
	const table = source.read(header.phoff, count * PHDR_BYTES);
	const segments: Segment[] = [];
	for (let at = 0; at < table.length; at += PHDR_BYTES) {
		const flags = u32(table, at + 4);
		const segment: Segment = {
			type: u32(table, at),
			executable: (flags & PF_X) !== 0,
			writable: (flags & PF_W) !== 0,
			offset: u64(table, at + 8),
			vaddr: u64(table, at + 16),
			filesz: u64(table, at + 32),
			memsz: u64(table, at + 40),
		};
		if (segment.type === PT_LOAD) {
			checkLoad(segment, source.size);
		}
		segments.push(segment);
	}
	return segments;
}

/** e_phnum 0xffff: the number is in sh_info of section 0 (gABI, "Program Header"). */
function realCount(source: ByteSource, header: ElfHeader): number {
	return u32(source.read(header.shoff, 64), 44);
}

function checkLoad(segment: Segment, size: number): void {
	const { offset, filesz, memsz, vaddr } = segment;
	if (memsz < filesz || !Number.isSafeInteger(vaddr + memsz) || !Number.isSafeInteger(offset + filesz)) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: "loadable segments inside the address space",
			found: `p_vaddr ${vaddr}, p_filesz ${filesz}, p_memsz ${memsz}`,
		});
	}
	if (offset + filesz > size) {
		throw new GomapgrowError("E-BIN-TRUNCATED", {
			wanted: `a file of at least ${offset + filesz} bytes, as its program headers say`,
			found: `${size} bytes`,
			advice: "copy the executable again; it is cut short",
		});
	}
}

import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";
import type { ElfHeader } from "./header.ts";
import { u32, u64 } from "./little-endian.ts";

/** Section headers (Elf64_Shdr). */
export const SHT_RELA = 4;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;

const SHDR_BYTES = 64;
const SHN_XINDEX = 0xffff;
/** Far above what linkers write for executables (tens); bounds the work for a malformed header. */
const MAX_SECTIONS = 100_000;
const MAX_NAMES_BYTES = 16 << 20;

export interface Section {
	/** Offset of the name in the section name table. */
	nameOffset: number;
	type: number;
	flags: number;
	/** Virtual address; 0 for sections that are not loaded. */
	addr: number;
	/** File offset, in bytes. */
	offset: number;
	size: number;
	link: number;
	entsize: number;
}

export interface SectionTable {
	sections: Section[];
	/** The section names, NUL-terminated. */
	names: Uint8Array;
}

/** Reads the section headers; an empty table when the file has none (sstrip). Throws E-BIN-MALFORMED, E-BIN-TRUNCATED. */
export function readSections(source: ByteSource, header: ElfHeader): SectionTable {
	if (header.shoff === 0) {
		return { sections: [], names: new Uint8Array(0) };
	}
	if (header.shentsize !== SHDR_BYTES) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: `section headers of ${SHDR_BYTES} bytes`,
			found: `${header.shentsize} bytes`,
		});
	}
	if (header.shoff + SHDR_BYTES > source.size) {
		throw new GomapgrowError("E-BIN-TRUNCATED", {
			wanted: `section headers at file offset ${header.shoff}`,
			found: `a file of ${source.size} bytes`,
			advice: "copy the executable again; it is cut short",
		});
	}
	// gABI, "ELF Header": numbers that do not fit are in section 0 (count in sh_size, string table index in sh_link).
	const zero = readSection(source.read(header.shoff, SHDR_BYTES), 0);
	const count = header.shnum === 0 ? zero.size : header.shnum;
	const stringIndex = header.shstrndx === SHN_XINDEX ? zero.link : header.shstrndx;
	if (count > MAX_SECTIONS) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: `at most ${MAX_SECTIONS} sections`,
			found: String(count),
		});
	}
	const table = source.read(header.shoff, count * SHDR_BYTES);
	const sections: Section[] = [];
	for (let at = 0; at < table.length; at += SHDR_BYTES) {
		sections.push(readSection(table, at));
	}
	const strings = sections[stringIndex];
	if (strings === undefined || strings.type === SHT_NOBITS || strings.size > MAX_NAMES_BYTES) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: "a section name table",
			found: `e_shstrndx ${stringIndex} of ${count} sections`,
		});
	}
	return { sections, names: source.read(strings.offset, strings.size) };
}

function readSection(table: Uint8Array, at: number): Section {
	return {
		nameOffset: u32(table, at),
		type: u32(table, at + 4),
		flags: u64(table, at + 8),
		addr: u64(table, at + 16),
		offset: u64(table, at + 24),
		size: u64(table, at + 32),
		link: u32(table, at + 40),
		entsize: u64(table, at + 56),
	};
}

/** Compares in place, so that no name is decoded for a lookup. */
export function sectionHasName(table: SectionTable, section: Section, name: string): boolean {
	const { names } = table;
	const at = section.nameOffset;
	if (names[at + name.length] !== 0) {
		return false;
	}
	for (let index = 0; index < name.length; index++) {
		if (names[at + index] !== name.charCodeAt(index)) {
			return false;
		}
	}
	return true;
}

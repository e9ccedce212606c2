import { occurrences } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { searchable, text, u8 } from "../../elf/little-endian.ts";
import { SHT_NOBITS } from "../../elf/sections.ts";
import type { Segment } from "../../elf/segments.ts";
import { type ModInfo, parseModInfo } from "./mod-info.ts";
import { readUvarint } from "./varint.ts";

/**
 * The blob that the linker puts into every Go program since 1.13 (debug/buildinfo/buildinfo.go): a 32-byte header, then, since
 * 1.18, the strings inline; before, the header holds pointers to two string headers.
 */
const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
export const BUILD_INFO_SECTION = ".go.buildinfo";
const HEADER_BYTES = 32;
/** The linker aligns the blob to 16 bytes; 8 is accepted as well. */
const ALIGN = 8;
const FLAG_BIG_ENDIAN = 1;
const FLAG_INLINE = 2;
const MAX_VERSION_BYTES = 4096;
const MAX_MODINFO_BYTES = 16 << 20;
/** Aligned copies of the magic that are tried in a segment. Programs that read other Go programs have one more. */
const MAX_CANDIDATES = 16;

export interface BuildInfo extends ModInfo {
	/** runtime.Version() of the program, unparsed. */
	goVersion: string;
	/** vcs.revision of the settings. */
	revision?: string;
}

/** Reads the build information, or undefined when the file has none (not Go, or Go before 1.13). */
export function readBuildInfo(elf: ElfFile): BuildInfo | undefined {
	const section = elf.section(BUILD_INFO_SECTION);
	if (section !== undefined && section.type !== SHT_NOBITS && section.addr !== 0) {
		const info = readAt(elf, section.addr);
		if (info !== undefined) {
			return info;
		}
	}
	const writableFirst = [...elf.loads].sort((a, b) => Number(b.writable) - Number(a.writable));
	for (const segment of writableFirst) {
		if (!segment.executable) {
			const info = scan(elf, segment);
			if (info !== undefined) {
				return info;
			}
		}
	}
	return undefined;
}

function scan(elf: ElfFile, segment: Segment): BuildInfo | undefined {
	let left = MAX_CANDIDATES;
	for (const at of occurrences(elf.source, segment.offset, segment.filesz, MAGIC)) {
		const vaddr = segment.vaddr + (at - segment.offset);
		if (vaddr % ALIGN !== 0) {
			continue;
		}
		const info = left-- > 0 ? readAt(elf, vaddr) : undefined;
		if (info !== undefined || left <= 0) {
			return info;
		}
	}
	return undefined;
}

function readAt(elf: ElfFile, vaddr: number): BuildInfo | undefined {
	if (elf.bytesFrom(vaddr) < HEADER_BYTES) {
		return undefined;
	}
	const header = elf.bytesAt(vaddr, HEADER_BYTES);
	const flags = u8(header, 15);
	if (searchable(header).indexOf(MAGIC) !== 0 || (flags & FLAG_BIG_ENDIAN) !== 0) {
		return undefined;
	}
	const strings = (flags & FLAG_INLINE) !== 0 ? inlineStrings(elf, vaddr) : pointedStrings(elf, vaddr, u8(header, 14));
	if (strings === undefined || strings.version.length === 0) {
		return undefined;
	}
	const info: BuildInfo = { goVersion: text(strings.version), ...parseModInfo(text(unframe(strings.modinfo))) };
	const revision = info.settings.get("vcs.revision");
	if (revision !== undefined) {
		info.revision = revision;
	}
	return info;
}

interface Strings {
	version: Uint8Array;
	modinfo: Uint8Array;
}

function inlineStrings(elf: ElfFile, vaddr: number): Strings | undefined {
	const version = inlineString(elf, vaddr + HEADER_BYTES, MAX_VERSION_BYTES);
	const modinfo = version && inlineString(elf, version.end, MAX_MODINFO_BYTES);
	return version && modinfo && { version: version.bytes, modinfo: modinfo.bytes };
}

function inlineString(elf: ElfFile, vaddr: number, max: number): { bytes: Uint8Array; end: number } | undefined {
	const available = elf.bytesFrom(vaddr);
	const length = available === 0 ? undefined : readUvarint(elf.bytesAt(vaddr, Math.min(5, available)), 0);
	if (length === undefined || length.value > max || available < length.end + length.value) {
		return undefined;
	}
	const start = vaddr + length.end;
	return { bytes: elf.bytesAt(start, length.value), end: start + length.value };
}

function pointedStrings(elf: ElfFile, vaddr: number, pointerSize: number): Strings | undefined {
	if (pointerSize !== 8) {
		return undefined;
	}
	const version = pointedString(elf, elf.pointerAt(vaddr + 16), MAX_VERSION_BYTES);
	const modinfo = pointedString(elf, elf.pointerAt(vaddr + 24), MAX_MODINFO_BYTES);
	return version && { version, modinfo: modinfo ?? new Uint8Array(0) };
}

/** The string whose header (pointer, length) is at the address; undefined when it does not point into the file. */
function pointedString(elf: ElfFile, header: number, max: number): Uint8Array | undefined {
	if (elf.bytesFrom(header) < 16) {
		return undefined;
	}
	const data = elf.pointerAt(header);
	const length = elf.pointerAt(header + 8);
	return length === 0 || length > max || elf.bytesFrom(data) < length ? undefined : elf.bytesAt(data, length);
}

/** The go command frames the module information with 16 random bytes on each side (cmd/go/internal/modload/build.go). */
function unframe(modinfo: Uint8Array): Uint8Array {
	return modinfo.length >= 33 && modinfo[modinfo.length - 17] === 0x0a
		? modinfo.subarray(16, modinfo.length - 16)
		: new Uint8Array(0);
}

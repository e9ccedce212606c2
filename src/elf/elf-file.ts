import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";
import { type ElfArch, type ElfHeader, ET_DYN, readHeader } from "./header.ts";
import { hex, hexBytes, text, u64 } from "./little-endian.ts";
import { type ElfNote, readNotes } from "./notes.ts";
import { RELA_BYTES, RelativeRelocations } from "./relocations.ts";
import { sectionBytes, zdebugSectionBytes } from "./section-data.ts";
import {
	readSections,
	type Section,
	type SectionTable,
	SHT_NOBITS,
	SHT_NOTE,
	SHT_RELA,
	sectionHasName,
} from "./sections.ts";
import { PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE, readSegments, type Segment } from "./segments.ts";
import { type ElfSymbol, findSymbols } from "./symbols.ts";

const DT_NULL = 0;
const DT_RELA = 7;
const DT_RELASZ = 8;
const MAX_DYNAMIC_BYTES = 1 << 20;
const MAX_NOTE_BYTES = 1 << 20;
const MAX_NOTE_RANGES = 32;
const NT_GNU_BUILD_ID = 3;
const NT_GO_BUILD_ID = 4;

/** A 64-bit little-endian ELF executable. The header and the program headers are read by `openElf`, all else on demand. */
export class ElfFile {
	readonly source: ByteSource;
	readonly header: ElfHeader;
	readonly segments: readonly Segment[];
	readonly #loads: readonly Segment[];
	#sectionTable: SectionTable | undefined;
	#relocations: RelativeRelocations | undefined;
	#notes: ElfNote[] | undefined;

	constructor(source: ByteSource, header: ElfHeader, segments: readonly Segment[]) {
		this.source = source;
		this.header = header;
		this.segments = segments;
		this.#loads = segments.filter((segment) => segment.type === PT_LOAD);
	}

	get arch(): ElfArch {
		return this.header.arch;
	}

	/** Position-independent (ET_DYN): loaded at a bias that only the running process knows. */
	get pie(): boolean {
		return this.header.type === ET_DYN;
	}

	/** No dynamic loader (PT_INTERP). */
	get static(): boolean {
		return !this.segments.some((segment) => segment.type === PT_INTERP);
	}

	/** The loadable segments. */
	get loads(): readonly Segment[] {
		return this.#loads;
	}

	/** p_vaddr of the lowest loadable segment; load bias = start of its mapping - this. */
	get firstLoadAddress(): number {
		return this.#loads.reduce((lowest, segment) => Math.min(lowest, segment.vaddr), Number.MAX_SAFE_INTEGER);
	}

	/** All sections in file order; empty when the file has no section headers. */
	get sections(): readonly Section[] {
		return this.#table.sections;
	}

	get #table(): SectionTable {
		this.#sectionTable ??= readSections(this.source, this.header);
		return this.#sectionTable;
	}

	/** The first section of that name. */
	section(name: string): Section | undefined {
		const table = this.#table;
		return table.sections.find((section) => sectionHasName(table, section, name));
	}

	/** The section's bytes, inflated if compressed. Throws E-BIN-MALFORMED, E-BIN-TRUNCATED. */
	sectionBytes(section: Section): Uint8Array {
		return sectionBytes(this.source, section);
	}

	/** The inflated bytes of a debug section by its plain name (".debug_info"), also when the file has ".zdebug_info". */
	debugSection(name: string): Uint8Array | undefined {
		const plain = this.section(name);
		if (plain !== undefined && plain.type !== SHT_NOBITS) {
			return sectionBytes(this.source, plain);
		}
		const gnu = this.section(name.replace(/^\.debug_/, ".zdebug_"));
		return gnu === undefined ? undefined : zdebugSectionBytes(this.source, gnu);
	}

	/** Defined symbols by name, of any binding, from .symtab; names without one are absent. */
	symbols(names: readonly string[]): Map<string, ElfSymbol> {
		const table = this.section(".symtab");
		const strings = table === undefined ? undefined : this.sections[table.link];
		return table === undefined || strings === undefined ? new Map() : findSymbols(this.source, table, strings, names);
	}

	symbol(name: string): ElfSymbol | undefined {
		return this.symbols([name]).get(name);
	}

	/**
	 * Notes of the note sections; of the PT_NOTE segments when there are none (sstrip). Sections first: the Go linker's PT_NOTE
	 * leaves out .note.gnu.build-id (1.24 to 1.27).
	 */
	get notes(): readonly ElfNote[] {
		this.#notes ??= this.#noteRanges().flatMap(({ offset, size }) =>
			readNotes(this.source.read(offset, Math.min(size, MAX_NOTE_BYTES))),
		);
		return this.#notes;
	}

	#noteRanges(): { offset: number; size: number }[] {
		const sections = this.sections.filter((section) => section.type === SHT_NOTE);
		return sections.length > 0
			? sections.slice(0, MAX_NOTE_RANGES)
			: this.segments
					.filter((segment) => segment.type === PT_NOTE)
					.slice(0, MAX_NOTE_RANGES)
					.map(({ offset, filesz }) => ({ offset, size: filesz }));
	}

	/** The Go build id ("action/.../content"). */
	get goBuildId(): string | undefined {
		const note = this.notes.find((candidate) => candidate.name === "Go" && candidate.type === NT_GO_BUILD_ID);
		return note === undefined ? undefined : text(note.desc);
	}

	/** The GNU build id in hex. */
	get gnuBuildId(): string | undefined {
		const note = this.notes.find((candidate) => candidate.name === "GNU" && candidate.type === NT_GNU_BUILD_ID);
		return note === undefined ? undefined : hexBytes(note.desc);
	}

	/** The file offset of a virtual address, or undefined when no loadable segment has file bytes for it. */
	fileOffset(vaddr: number): number | undefined {
		const segment = this.loadAt(vaddr);
		return segment === undefined || vaddr >= segment.vaddr + segment.filesz
			? undefined
			: segment.offset + (vaddr - segment.vaddr);
	}

	/** The loadable segment that holds the address in memory. */
	loadAt(vaddr: number): Segment | undefined {
		for (const segment of this.#loads) {
			if (vaddr >= segment.vaddr && vaddr < segment.vaddr + segment.memsz) {
				return segment;
			}
		}
		return undefined;
	}

	isExecutable(vaddr: number): boolean {
		return this.loadAt(vaddr)?.executable === true;
	}

	/** The file's bytes for [vaddr, vaddr + length); throws E-BIN-MALFORMED when a segment does not hold all of them. */
	bytesAt(vaddr: number, length: number): Uint8Array {
		const segment = this.loadAt(vaddr);
		if (segment === undefined || vaddr + length > segment.vaddr + segment.filesz || !(length >= 0)) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `${length} bytes at address ${hex(vaddr)}`,
				found: segment === undefined ? "no segment there" : "a segment that ends before",
			});
		}
		return this.source.read(segment.offset + (vaddr - segment.vaddr), length);
	}

	/** How many file bytes follow in the segment from this address on; 0 outside. */
	bytesFrom(vaddr: number): number {
		const segment = this.loadAt(vaddr);
		return segment === undefined ? 0 : Math.max(0, segment.vaddr + segment.filesz - vaddr);
	}

	/** The 64-bit pointer stored at the address, as it is before the load bias is added; applies RELATIVE relocations. */
	pointerAt(vaddr: number): number {
		return this.relocations?.addend(vaddr) ?? u64(this.bytesAt(vaddr, 8), 0);
	}

	/** `count` such pointers side by side: for a structure, whose single words would be looked up one by one. */
	pointersAt(vaddr: number, count: number): Float64Array {
		const bytes = this.bytesAt(vaddr, count * 8);
		const words = Float64Array.from({ length: count }, (_, index) => u64(bytes, index * 8));
		this.relocations?.applyTo(words, vaddr, 8);
		return words;
	}

	/** The RELATIVE relocations; undefined for executables with fixed addresses. */
	get relocations(): RelativeRelocations | undefined {
		if (!this.pie) {
			return undefined;
		}
		this.#relocations ??= this.#findRelocations();
		return this.#relocations;
	}

	#findRelocations(): RelativeRelocations {
		const { offset, size } = this.#relaRange();
		return new RelativeRelocations(this.source, offset, size, this.arch);
	}

	#relaRange(): { offset: number; size: number } {
		const section = this.section(".rela.dyn") ?? this.section(".rela");
		if (section !== undefined && section.type === SHT_RELA) {
			return section;
		}
		const dynamic = this.segments.find((segment) => segment.type === PT_DYNAMIC);
		if (dynamic === undefined) {
			return { offset: 0, size: 0 };
		}
		const entries = this.source.read(dynamic.offset, Math.min(dynamic.filesz, MAX_DYNAMIC_BYTES));
		let address = 0;
		let size = 0;
		for (let at = 0; at + 16 <= entries.length; at += 16) {
			const tag = u64(entries, at);
			if (tag === DT_NULL) {
				break;
			}
			if (tag === DT_RELA) {
				address = u64(entries, at + 8);
			} else if (tag === DT_RELASZ) {
				size = u64(entries, at + 8);
			}
		}
		const offset = this.fileOffset(address);
		return size < RELA_BYTES || offset === undefined || size > this.bytesFrom(address)
			? { offset: 0, size: 0 }
			: { offset, size };
	}
}

/**
 * Opens an ELF executable. Throws E-BIN-NOT-ELF, E-BIN-32BIT, E-BIN-ARCH, E-BIN-TRUNCATED, E-BIN-MALFORMED; so do all
 * members when what they need of the file is damaged.
 */
export function openElf(source: ByteSource): ElfFile {
	const header = readHeader(source);
	return new ElfFile(source, header, readSegments(source, header));
}

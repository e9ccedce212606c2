/** Where in a program damage has effects: the fields that readers believe in, by kind. */

import { DwarfData } from "../../src/dwarf/dwarf-data.ts";
import { findStructures } from "../../src/dwarf/type-search.ts";
import type { ElfFile } from "../../src/elf/elf-file.ts";
import { u32, u64 } from "../../src/elf/little-endian.ts";
import { type Section, SHT_NOBITS, SHT_NOTE } from "../../src/elf/sections.ts";
import type { GoBinary } from "../../src/gobin/go-binary.ts";
import { noPclntab, pclntabCandidates } from "../../src/gobin/pclntab/locate.ts";

/** A number in the file. */
export interface Site {
	at: number;
	/** Bytes: 1, 2, 4 or 8. */
	width: number;
}

/** A part of the file that is a table, text or program. */
export interface Region {
	at: number;
	size: number;
}

export interface Sites {
	fields: Map<string, Site[]>;
	regions: Map<string, Region>;
	/** Offsets of the section headers and of the program headers, for swaps. */
	sectionHeaders: Region[];
	programHeaders: Region[];
	/** Headers of debug sections: where a bomb can be put. */
	debugSections: { header: number; at: number; size: number }[];
}

/** Functions whose records, tables and code are damaged on purpose. */
export const FUNCTIONS = [
	...["runtime.hashGrow", "runtime.growWork_fast64", "runtime.evacuate", "runtime.mapassign", "runtime.goexit"],
	...["internal/runtime/maps.(*table).rehash", "internal/runtime/maps.(*Map).growToTable", "main.chains", "main.main"],
	"runtime.goroutineheader",
];

const STRUCTS = ["runtime.g", "runtime.m", "runtime.hmap", "internal/runtime/maps.Map", "runtime.moduledata"];

export function sitesOf(binary: GoBinary): Sites {
	const fields = new Map<string, Site[]>();
	const regions = new Map<string, Region>();
	const { elf } = binary;
	const { phoff, shoff } = elf.header;
	const programHeaders = elf.segments.map((_, index) => ({ at: phoff + 56 * index, size: 56 }));
	const sectionHeaders = elf.sections.map((_, index) => ({ at: shoff + 64 * index, size: 64 }));
	fields.set(
		"ELF header",
		row(
			0,
			[
				[4, 1],
				[5, 1],
				[16, 2],
				[18, 2],
				[24, 8],
				[32, 8],
				[40, 8],
			],
			54,
			5,
			2,
		),
	);
	fields.set(
		"program header",
		programHeaders.flatMap(({ at }) =>
			row(
				at,
				[
					[0, 4],
					[4, 4],
				],
				8,
				6,
				8,
			),
		),
	);
	fields.set(
		"section header",
		sectionHeaders.flatMap(({ at }) =>
			row(
				at,
				[
					[0, 4],
					[4, 4],
					[40, 4],
					[44, 4],
					[48, 8],
					[56, 8],
				],
				8,
				4,
				8,
			),
		),
	);
	addSections(elf, fields, regions);
	addBuildInfo(elf, fields, regions);
	addGoTables(binary, fields, regions);
	addDwarf(elf, fields);
	const debugSections = elf.sections
		.map((section, index) => ({ header: shoff + 64 * index, at: section.offset, size: section.size, section }))
		.filter(({ section, size }) => nameOf(elf, section)?.startsWith(".debug_") === true && size > 256)
		.map(({ header, at, size }) => ({ header, at, size }));
	return { fields, regions, sectionHeaders, programHeaders, debugSections };
}

/** Fields at (offset, width) pairs, then `count` ones of `width` bytes side by side from `from` on. */
function row(base: number, pairs: [number, number][], from: number, count: number, width: number): Site[] {
	const sites = pairs.map(([at, wide]) => ({ at: base + at, width: wide }));
	for (let index = 0; index < count; index++) {
		sites.push({ at: base + from + index * width, width });
	}
	return sites;
}

/** Words of a region, at most `most` of them, evenly spread. */
function words(region: Region, width: number, most: number): Site[] {
	const count = Math.floor(region.size / width);
	const step = Math.max(1, Math.floor(count / most));
	const sites: Site[] = [];
	for (let index = 0; index < count; index += step) {
		sites.push({ at: region.at + index * width, width });
	}
	return sites;
}

function nameOf(elf: ElfFile, section: Section): string | undefined {
	const names = elf.sections[elf.header.shstrndx];
	const bytes = names && elf.source.read(names.offset, names.size);
	const start = section.nameOffset;
	return bytes && Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString("latin1");
}

/** All sections are regions; tables of words that nothing below knows better are fields as well. */
function addSections(elf: ElfFile, fields: Map<string, Site[]>, regions: Map<string, Region>): void {
	for (const section of elf.sections) {
		const name = nameOf(elf, section);
		if (name === undefined || name === "" || section.type === SHT_NOBITS || section.size === 0) continue;
		const region = { at: section.offset, size: section.size };
		regions.set(name, region);
		if (section.type === SHT_NOTE) fields.set(`note ${name}`, words(region, 4, 16));
		if ([".rela.dyn", ".rela", ".dynamic"].includes(name)) fields.set(name, words(region, 8, 3000));
		if ([".symtab", ".dynsym"].includes(name)) fields.set(name, words(region, 4, 3000));
		if (name.startsWith(".debug_") || name.startsWith(".zdebug_"))
			fields.set(name, words({ ...region, size: Math.min(64, region.size) }, 4, 16));
	}
}

function addBuildInfo(elf: ElfFile, fields: Map<string, Site[]>, regions: Map<string, Region>): void {
	const blob = elf.section(".go.buildinfo");
	if (blob === undefined) return;
	const at = blob.offset;
	regions.set("build information", { at, size: Math.min(blob.size, 512) });
	fields.set(
		"build information",
		row(
			at,
			[
				[14, 1],
				[15, 1],
				[32, 1],
				[33, 1],
				[40, 1],
			],
			16,
			2,
			8,
		),
	);
}

function addGoTables(binary: GoBinary, fields: Map<string, Site[]>, regions: Map<string, Region>): void {
	const { elf, moduleData } = binary;
	const table = pclntabCandidates(elf).next().value;
	if (table === undefined) {
		throw noPclntab(elf);
	}
	const { format } = table;
	const base = elf.fileOffset(table.address) ?? 0;
	const relative = format.relativeEntries;
	fields.set(
		"pclntab header",
		row(
			base,
			[
				[0, 4],
				[6, 1],
				[7, 1],
			],
			8,
			8,
			8,
		),
	);
	const functab = { at: base + table.functab, size: table.functionCount * (relative ? 8 : 16) };
	regions.set("functab", functab);
	fields.set("functab", words(functab, relative ? 4 : 8, 4000));
	if (format.since !== "1.2") {
		regions.set("function names", { at: base + table.names, size: Math.max(0, table.units - table.names) });
		regions.set("unit files", { at: base + table.units, size: Math.max(0, table.files - table.units) });
		regions.set("file names", { at: base + table.files, size: Math.max(0, table.pcTables - table.files) });
		regions.set("pc tables", { at: base + table.pcTables, size: Math.max(0, table.records - table.pcTables) });
	}
	const records = functab.at + functab.size;
	regions.set("function records", { at: records, size: Math.max(0, base + table.bytes.size - records) });
	const found = [...binary.functionsByName(FUNCTIONS).values()];
	const recordSites: Site[] = [];
	const pcTables: Site[] = [];
	const code: Site[] = [];
	for (const { entry } of found) {
		const index = indexOf(binary, functab, relative, moduleData.text, entry);
		if (index === undefined) continue;
		const pair = functab.at + index * (relative ? 8 : 16);
		recordSites.push({ at: pair, width: relative ? 4 : 8 }, { at: pair + (relative ? 4 : 8), width: relative ? 4 : 8 });
		const offset = relative ? u32(elf.source.read(pair + 4, 4), 0) : u64(elf.source.read(pair + 8, 8), 0);
		const record = base + table.records + offset;
		recordSites.push(...words({ at: record, size: format.record.bytes + 40 }, 4, 32));
		const { pcfile, pcln } = format.record;
		for (const field of [pcfile, pcln]) {
			const start = base + table.pcTables + u32(elf.source.read(record + field, 4), 0);
			for (let byte = 0; byte < 24; byte++) pcTables.push({ at: start + byte, width: 1 });
		}
		const codeAt = elf.fileOffset(entry) ?? 0;
		for (let byte = 0; byte < 32; byte++) code.push({ at: codeAt + byte, width: 1 });
	}
	fields.set("function record", recordSites);
	fields.set("pc table", pcTables);
	fields.set("code", code);
	const module = { at: elf.fileOffset(moduleData.address) ?? 0, size: 640 };
	fields.set("module data", words(module, 8, 80));
	const types: Site[] = [];
	for (let vaddr = moduleData.types; vaddr < moduleData.etypes && types.length < 3000; vaddr += 8) {
		const at = elf.fileOffset(vaddr);
		if (at !== undefined && binary.mapTypeAt(vaddr) !== undefined) {
			types.push(
				...row(
					at,
					[
						[20, 1],
						[23, 1],
						[40, 4],
					],
					48,
					6,
					8,
				),
			);
		}
	}
	fields.set("map type", types);
	const span = Math.min(elf.bytesFrom(moduleData.types), moduleData.etypes - moduleData.types);
	regions.set("types", { at: elf.fileOffset(moduleData.types) ?? 0, size: span });
}

function indexOf(
	binary: GoBinary,
	functab: Region,
	relative: boolean,
	text: number,
	entry: number,
): number | undefined {
	const { elf } = binary;
	const bytes = elf.source.read(functab.at, functab.size);
	const width = relative ? 8 : 16;
	for (let index = 0; index * width < functab.size; index++) {
		if ((relative ? text + u32(bytes, index * width) : u64(bytes, index * width)) === entry) return index;
	}
	return undefined;
}

/** The unit headers and what stands around the structures that are asked for; only when nothing is compressed. */
function addDwarf(elf: ElfFile, fields: Map<string, Site[]>): void {
	const info = elf.section(".debug_info");
	const abbrev = elf.section(".debug_abbrev");
	if (info === undefined || abbrev === undefined || (info.flags & 0x800) !== 0) return;
	const sections = { section: (name: string) => elf.debugSection(name) };
	const data = new DwarfData(sections, elf.sectionBytes(info), elf.sectionBytes(abbrev));
	const units: Site[] = [];
	for (const { header } of data.units) {
		units.push(
			...row(
				info.offset + header.offset,
				[
					[0, 4],
					[4, 2],
				],
				6,
				6,
				1,
			),
		);
		for (let byte = 0; byte < 24; byte++) units.push({ at: info.offset + header.dieOffset + byte, width: 1 });
	}
	fields.set("DWARF unit", units);
	const types: Site[] = [];
	for (const offset of findStructures(data, STRUCTS).values()) {
		for (let byte = 0; byte < 400; byte++)
			types.push({ at: info.offset + offset + byte, width: byte % 4 === 3 ? 4 : 1 });
	}
	fields.set("DWARF type", types);
	fields.set("DWARF abbreviation", words({ at: abbrev.offset, size: abbrev.size }, 1, 2000));
}

import { LOAD_ADDRESS, syntheticElf } from "../elf/synthetic-elf.ts";

/**
 * A Go program in the way of the linker (cmd/link/internal/ld/pcln.go of each release), as far as the readers look: for the
 * releases that have no toolchain here.
 */
export interface SyntheticFunction {
	name: string;
	size: number;
	/** Value up to (not including) an offset in the function. */
	lines: [line: number, until: number][];
	/** Inline tree: entries, and the index for each range of offsets (-1: none). */
	inlined: { name: string; parentPc: number; file: string; line: number }[];
	inlineIndex: [index: number, until: number][];
}

export interface SyntheticType {
	name: string;
	kind: number;
	extraStar: boolean;
	/** For map types: indexes of the key's and the element's type, their sizes as they are stored, and the bucket size. */
	map?: { key: number; elem: number; keySize: number; elemSize: number; bucket: number };
}

const FILE = "/src/synthetic/main.go";
const MAGIC: Record<number, number> = {
	15: 0xfffffffb,
	16: 0xfffffffa,
	17: 0xfffffffa,
	18: 0xfffffff0,
	19: 0xfffffff0,
	20: 0xfffffff1,
};

class Blob {
	#bytes: number[] = [];
	get size(): number {
		return this.#bytes.length;
	}
	align(to: number): number {
		while (this.#bytes.length % to !== 0) {
			this.#bytes.push(0);
		}
		return this.size;
	}
	u8(...values: number[]): number {
		const at = this.size;
		this.#bytes.push(...values);
		return at;
	}
	u32(value: number): number {
		return this.u8(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
	}
	u64(value: number): number {
		const at = this.u32(value % 4294967296);
		this.u32(Math.floor(value / 4294967296));
		return at;
	}
	text(value: string): number {
		return this.u8(...Buffer.from(value), 0);
	}
	put64(at: number, value: number): void {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64LE(BigInt(value));
		this.#bytes.splice(at, 8, ...bytes);
	}
	bytes(): Uint8Array {
		return Uint8Array.from(this.#bytes);
	}
}

function varint(value: number): number[] {
	return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** A pc-value table. */
function pcTable(ranges: [value: number, until: number][]): number[] {
	const out: number[] = [];
	let last = -1;
	let pc = 0;
	for (const [value, until] of ranges) {
		const delta = value - last;
		out.push(...varint(delta < 0 ? -2 * delta - 1 : 2 * delta), ...varint(until - pc));
		last = value;
		pc = until;
	}
	return [...out, 0];
}

export function syntheticGo(minor: number, functions: SyntheticFunction[], types: SyntheticType[]): Uint8Array {
	const textSize = functions.reduce((sum, fn) => sum + fn.size, 0);
	const text = LOAD_ADDRESS + 120;
	const align = (size: number): number => Math.ceil(size / 8) * 8;
	const relative = minor >= 18;

	// Addresses follow from the order of the sections, so the parts are made one after the other: first those with few pointers.
	const treesAt = text + align(textSize);
	const names = new Blob();
	names.text("");
	const nameOffsets = new Map<string, number>();
	const nameOf = (name: string): number => {
		const known = nameOffsets.get(name);
		const offset = known ?? names.text(name);
		nameOffsets.set(name, offset);
		return offset;
	};
	for (const fn of functions) {
		nameOf(fn.name);
		fn.inlined.map((entry) => nameOf(entry.name));
	}
	// In the 1.2 format name offsets count from the table's start; the names are placed at 0x1000 there.
	const nameBase = minor === 15 ? 0x1000 : 0;
	const files = [FILE, ...new Set(functions.flatMap((fn) => fn.inlined.map((entry) => entry.file)))];
	const fileNumber = (file: string): number => files.indexOf(file) + (minor === 15 ? 1 : 0);

	const trees = new Blob();
	const treeOffsets = functions.map((fn) => {
		const at = trees.align(8);
		for (const entry of fn.inlined) {
			const name = nameBase + nameOf(entry.name);
			if (minor >= 20) {
				[0, name, entry.parentPc, 1].map((word) => trees.u32(word));
			} else {
				[0xffff, fileNumber(entry.file), entry.line, name, entry.parentPc].map((word) => trees.u32(word));
			}
		}
		return at;
	});

	const pclntabAt = treesAt + align(Math.max(8, trees.size));
	const table = new Blob();
	table.u32(MAGIC[minor] ?? 0);
	table.u8(0, 0, 1, 8);
	table.u64(functions.length);
	let headerOffsets = 0;
	const functabAt: number[] = [];
	const pcTables = new Blob();
	pcTables.u8(0);
	const fileNames = new Blob();
	const fileOffsets = files.map((file) => fileNames.text(file));
	let recordsBase = 0;
	const writeFunctab = (): void => {
		let entry = 0;
		for (const fn of functions) {
			functabAt.push(table.size);
			if (relative) {
				table.u32(entry);
				table.u32(0);
			} else {
				table.u64(text + entry);
				table.u64(0);
			}
			entry += fn.size;
		}
		if (relative) {
			table.u32(entry);
		} else {
			table.u64(text + entry);
		}
	};
	const tables = functions.map((fn) => ({
		file: pcTables.u8(...pcTable([[fileNumber(FILE), fn.size]])),
		line: pcTables.u8(...pcTable(fn.lines)),
		inline: pcTables.u8(...pcTable(fn.inlineIndex)),
	}));
	const pad = (to: number): void => {
		while (table.size < to) {
			table.u8(0);
		}
	};
	let pcBase = 0;
	if (minor === 15) {
		writeFunctab();
		const fileOffsetAt = table.u32(0);
		table.u32(0);
		pad(nameBase);
		table.u8(...names.bytes());
		pcBase = table.u8(...pcTables.bytes());
		const strings = table.u8(...fileNames.bytes());
		const list = table.align(4);
		table.u32(files.length + 1);
		fileOffsets.map((offset) => table.u32(strings + offset));
		table.put64(fileOffsetAt, list);
	} else {
		table.u64(files.length);
		if (relative) {
			table.u64(text);
		}
		headerOffsets = table.size;
		for (let index = 0; index < 5; index++) {
			table.u64(0);
		}
		table.put64(headerOffsets, table.u8(...names.bytes()));
		table.put64(headerOffsets + 8, table.align(4));
		fileOffsets.map((offset) => table.u32(offset));
		table.put64(headerOffsets + 16, table.u8(...fileNames.bytes()));
		table.put64(headerOffsets + 24, table.u8(...pcTables.bytes()));
		recordsBase = table.align(8);
		table.put64(headerOffsets + 32, recordsBase);
		writeFunctab();
	}
	let entry = 0;
	functions.forEach((fn, index) => {
		const at = table.align(8);
		const pcs = tables[index] ?? { file: 0, line: 0, inline: 0 };
		const functab = functabAt[index] ?? 0;
		if (relative) {
			const words = table.bytes();
			const offset = at - recordsBase;
			table.put64(functab, new DataView(words.buffer).getUint32(functab, true) + offset * 4294967296);
			table.u32(entry);
		} else {
			table.put64(functab + 8, at - recordsBase);
			table.u64(text + entry);
		}
		// nameoff, args, deferreturn, pcsp, pcfile, pcln, npcdata
		for (const word of [nameBase + nameOf(fn.name), 0, 0, 0, pcBase + pcs.file, pcBase + pcs.line, 3]) {
			table.u32(word);
		}
		if (minor >= 16) {
			table.u32(0);
		}
		if (minor >= 20) {
			table.u32(1);
		}
		const treeIndex = minor === 15 ? 4 : 3;
		table.u8(0, 0, 0, treeIndex + 1);
		[0, 0, pcBase + pcs.inline].map((word) => table.u32(word));
		if (!relative) {
			table.align(8);
		}
		for (let data = 0; data <= treeIndex; data++) {
			const there = data === treeIndex && fn.inlined.length > 0;
			const offset = treeOffsets[index] ?? 0;
			if (relative) {
				table.u32(there ? offset : 0xffffffff);
			} else {
				table.u64(there ? treesAt + offset : 0);
			}
		}
		entry += fn.size;
	});
	table.align(8);

	const typesAt = pclntabAt + table.size;
	const typeNames = new Blob();
	const typeBytes = new Blob();
	const namesStart = types.length * 88;
	types.forEach((type, index) => {
		const shown = `${type.extraStar ? "*" : ""}${type.name}`;
		const length = Buffer.byteLength(shown);
		const nameAt =
			namesStart +
			typeNames.u8(0, ...(minor < 17 ? [length >> 8, length & 255] : varint(length)), ...Buffer.from(shown));
		const start = index * 88;
		typeBytes.u64(8);
		typeBytes.u64(0);
		typeBytes.u32(0);
		typeBytes.u8(type.extraStar ? 2 : 0, 8, 8, type.kind);
		typeBytes.u64(0);
		typeBytes.u64(0);
		typeBytes.u32(nameAt);
		typeBytes.u32(0);
		typeBytes.u64(type.map === undefined ? 0 : typesAt + type.map.key * 88);
		typeBytes.u64(type.map === undefined ? 0 : typesAt + type.map.elem * 88);
		typeBytes.u64(0);
		typeBytes.u64(0);
		typeBytes.u8(
			type.map?.keySize ?? 0,
			type.map?.elemSize ?? 0,
			(type.map?.bucket ?? 0) & 255,
			(type.map?.bucket ?? 0) >> 8,
		);
		typeBytes.u32(0);
		if (typeBytes.size !== start + 88) {
			throw new Error("a type descriptor has 88 bytes here");
		}
	});
	typeBytes.u8(...typeNames.bytes());
	typeBytes.align(8);
	const etypes = typesAt + typeBytes.size;

	const module = new Blob();
	for (let word = 0; word < 80; word++) {
		module.u64(0);
	}
	// Offsets by the declaration of moduledata in runtime/symtab.go of the release, counted in words.
	const at =
		minor === 15
			? { ftab: 3, minpc: 10, text: 12, types: 25, gofunc: 0 }
			: minor < 20
				? { ftab: 16, minpc: 20, text: 22, types: 35, gofunc: minor >= 18 ? 38 : 0 }
				: { ftab: 16, minpc: 20, text: 22, types: 37, gofunc: 40 };
	const put = (word: number, value: number): void => module.put64(word * 8, value);
	if (at.gofunc !== 0) {
		put(at.gofunc, treesAt);
	}
	put(0, pclntabAt);
	put(at.ftab, pclntabAt + (minor === 15 ? 16 : recordsBase));
	put(at.ftab + 1, functions.length + 1);
	put(at.minpc, text);
	put(at.minpc + 1, text + textSize);
	put(at.text, text);
	put(at.text + 1, text + textSize);
	put(at.types, typesAt);
	put(at.types + 1, etypes);

	const version = `go1.${minor}.1`;
	const infoAt = etypes + module.size;
	const info = new Blob();
	info.u8(...Buffer.from("\xff Go buildinf:", "latin1"), 8, minor >= 18 ? 2 : 0);
	if (minor >= 18) {
		info.align(32);
		info.u8(version.length, ...Buffer.from(version), 0);
	} else {
		info.u64(infoAt + 32);
		info.u64(infoAt + 48);
		info.u64(infoAt + 64);
		info.u64(version.length);
		info.u64(0);
		info.u64(0);
		info.text(version);
	}
	return syntheticElf([
		{ name: ".text", data: new Uint8Array(textSize).fill(0xcc) },
		{ name: ".trees", data: trees.size === 0 ? new Uint8Array(8) : trees.bytes() },
		{ name: ".gopclntab", data: table.bytes() },
		{ name: ".types", data: typeBytes.bytes() },
		{ name: ".noptrdata", data: module.bytes() },
		{ name: ".go.buildinfo", data: info.bytes() },
	]);
}

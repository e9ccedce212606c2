/** Headers of maps in memory, with the layouts of all releases and with others; whatever no map can have is refused. */
import { describe, expect, test } from "bun:test";
import { NEWEST_MINOR, OLDEST_MINOR } from "../../../src/gobin/buildinfo/go-version.ts";
import { structLayouts } from "../../../src/gobin/layouts/struct-layouts.ts";
import { tableLayouts } from "../../../src/gobin/layouts/table.ts";
import {
	type ClassicMapLayout,
	COPIED_FIELDS,
	readClassicHeader,
	readClassicMap,
	readSwissHeader,
	readSwissMap,
	readTable,
	readTableHeader,
	type SwissMapLayout,
	seedText,
	type TableLayout,
} from "../../../src/gomap/header.ts";
import { Prng } from "../../support/prng.ts";

/** Bytes of each field. */
const SIZES = {
	...{ count: 8, flags: 1, B: 1, noverflow: 2, hash0: 4, buckets: 8, oldbuckets: 8, nevacuate: 8, extra: 8 },
	...{ used: 8, seed: 8, dirPtr: 8, dirLen: 8, globalDepth: 1, globalShift: 1, writing: 1, clearSeq: 8 },
	...{ capacity: 2, growthLeft: 2, localDepth: 1, index: 8, groupsData: 8, groupsLengthMask: 8 },
};
const TABLE_SIZES = { ...SIZES, used: 2 };

/** Bytes with these fields, with `at` bytes of something else in front. */
function memory(layout: object, fields: Record<string, number | bigint>, sizes: object = SIZES, at = 0): DataView {
	const bytes = new Uint8Array(at + 96).fill(0xee, 0, at);
	for (const [field, offset] of Object.entries(layout)) {
		if (field === "bytes") continue;
		const size: number = new Map(Object.entries(sizes)).get(field) ?? 8;
		let value = BigInt.asUintN(64, BigInt(fields[field] ?? 0));
		for (let i = 0; i < size; i++, value >>= 8n) bytes[at + offset + i] = Number(value & 255n);
	}
	return new DataView(bytes.buffer);
}

const CLASSIC: ClassicMapLayout = {
	...COPIED_FIELDS.hmap,
	...{ buckets: 16, oldbuckets: 24, nevacuate: 32, extra: 40 },
};
const SWISS: SwissMapLayout = {
	...COPIED_FIELDS.swissMap,
	...{ dirPtr: 16, globalShift: 33, writing: 34, clearSeq: 40 },
};
const TABLE: TableLayout = {
	...COPIED_FIELDS.swissTable,
	...{ growthLeft: 4, index: 8, groupsData: 16, groupsLengthMask: 24 },
};
/** Nothing says that fields keep their places. */
const MOVED_CLASSIC: ClassicMapLayout = {
	...{ hash0: 0, B: 5, flags: 6, noverflow: 8, extra: 16, nevacuate: 24, oldbuckets: 32, buckets: 40, count: 56 },
};

const HMAP = {
	...{ count: 52, flags: 4, B: 3, noverflow: 2, hash0: 0xfedcba98 },
	...{ buckets: 0xc000_0120_00, oldbuckets: 0xc000_0100_00, nevacuate: 5, extra: 0xc000_0000_10 },
};
const MAP = {
	...{ used: 5000, seed: 0xfedc_ba98_7654_3210n, dirPtr: 0xc000_0120_00, dirLen: 8, globalDepth: 3 },
	...{ globalShift: 61, writing: 1, clearSeq: 7 },
};
const ONE_TABLE = {
	...{
		used: 20,
		capacity: 32,
		growthLeft: 5,
		localDepth: 2,
		index: 4,
		groupsData: 0xc000_0120_00,
		groupsLengthMask: 3,
	},
};

const MINORS = Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, n) => OLDEST_MINOR + n);

describe.each(MINORS)("Go 1.%d", (minor) => {
	const layouts = structLayouts(tableLayouts(minor) as never);

	test("all fields are read where they are", () => {
		const { hmap, swissMap, swissTable } = layouts;
		expect(hmap !== undefined || (swissMap !== undefined && swissTable !== undefined)).toBe(true);
		if (hmap !== undefined) {
			expect(readClassicMap(memory(hmap, HMAP), hmap)).toEqual({
				...{ count: 52, flags: 4, b: 3, overflowBuckets: 2, seed: 0xfedcba98 },
				...{ buckets: 0xc000_0120_00, oldBuckets: 0xc000_0100_00, evacuated: 5, extra: 0xc000_0000_10 },
			});
		}
		if (swissMap !== undefined) {
			expect(readSwissMap(memory(swissMap, MAP), swissMap)).toEqual({
				...{ used: 5000, seed: 0xfedc_ba98_7654_3210n, directoryLength: 8, globalDepth: 3 },
				...{ directory: 0xc000_0120_00, writing: true, clearSequence: 7 },
			});
		}
		if (swissTable !== undefined) {
			expect(readTable(memory(swissTable, ONE_TABLE, TABLE_SIZES), swissTable)).toEqual({
				...{ used: 20, capacity: 32, localDepth: 2, growthLeft: 5, tombstones: 3, index: 4, groups: 0xc000_0120_00 },
			});
		}
	});
});

test("the layout decides, and where the header begins", () => {
	for (const at of [0, 1, 8, 4096]) {
		const bytes = memory(MOVED_CLASSIC, HMAP, SIZES, at);
		expect(readClassicMap(bytes, MOVED_CLASSIC, at)).toMatchObject({ count: 52, b: 3, evacuated: 5, seed: 0xfedcba98 });
		expect(readClassicMap(bytes, CLASSIC, at)).toBeUndefined();
	}
});

const READERS = [
	["hmap, short", memory(CLASSIC, HMAP), 16, (view: DataView, at = 0) => readClassicHeader(view, CLASSIC, at)],
	["hmap", memory(CLASSIC, HMAP), 48, (view: DataView, at = 0) => readClassicMap(view, CLASSIC, at)],
	["Map, short", memory(SWISS, MAP), 33, (view: DataView, at = 0) => readSwissHeader(view, SWISS, at)],
	["Map", memory(SWISS, MAP), 48, (view: DataView, at = 0) => readSwissMap(view, SWISS, at)],
	[
		"table, short",
		memory(TABLE, ONE_TABLE, TABLE_SIZES),
		7,
		(view: DataView, at = 0) => readTableHeader(view, TABLE, at),
	],
	["table", memory(TABLE, ONE_TABLE, TABLE_SIZES), 32, (view: DataView, at = 0) => readTable(view, TABLE, at)],
] as const;

describe.each(READERS)("%s", (name, bytes, needed, read) => {
	test("too few bytes", () => {
		for (let length = 0; length < needed; length++) expect(read(new DataView(bytes.buffer, 0, length))).toBeUndefined();
		expect(read(new DataView(bytes.buffer, 0, needed))).toBeDefined();
	});

	test("beyond the bytes", () => {
		for (const at of [-1, bytes.byteLength, 2 ** 40, Number.NaN]) expect(read(bytes, at)).toBeUndefined();
	});

	test("nothing but bytes of chance", () => {
		const random = new Prng(4711);
		let accepted = 0;
		for (let round = 0; round < 20_000; round++) {
			if (read(new DataView(random.bytes(96).buffer)) !== undefined) accepted++;
		}
		expect(accepted).toBeLessThan(name.endsWith("short") ? 20 : 1);
	});
});

describe("an hmap that cannot be one", () => {
	const read = (fields: Partial<typeof HMAP>) => readClassicMap(memory(CLASSIC, { ...HMAP, ...fields }), CLASSIC);

	test.each<[string, Partial<typeof HMAP>]>([
		["an unknown flag", { flags: 16 }],
		["more buckets than memory", { B: 48 }],
		["more entries than ever fit", { count: 62 }],
		["nine entries in one bucket", { B: 0, count: 9, nevacuate: 0 }],
		["more old buckets moved than there are", { nevacuate: 9 }],
		["entries without buckets", { buckets: 0, oldbuckets: 0 }],
		["old buckets without new ones", { count: 0, buckets: 0 }],
		["buckets in the kernel's half", { buckets: 2 ** 47 }],
		["buckets at an odd address", { buckets: 0xc000_0120_01 }],
		["old buckets at an odd address", { oldbuckets: 0xc000_0120_04 }],
		["an extra at an odd address", { extra: 3 }],
	])("%s", (_what, fields) => {
		expect(read(fields)).toBeUndefined();
	});

	test("but one that is as full as a map ever gets, and an empty one", () => {
		expect(read({ count: 61 })).toBeDefined();
		expect(read({ count: 0, B: 0, buckets: 0, oldbuckets: 0, nevacuate: 0, extra: 0 })).toBeDefined();
		expect(read({ B: 0, count: 8, nevacuate: 1 })).toBeDefined();
	});
});

describe("a Map that cannot be one", () => {
	type Fields = Partial<Record<keyof typeof MAP, number>>;
	const read = (fields: Fields) => readSwissMap(memory(SWISS, { ...MAP, ...fields }), SWISS);
	const SMALL = { dirLen: 0, globalDepth: 0, globalShift: 0, used: 8 };

	test.each<[string, Fields]>([
		["a directory of another length", { dirLen: 4 }],
		["more bits than memory", { globalDepth: 48, dirLen: 0 }],
		["a small one with a depth", { ...SMALL, globalDepth: 1 }],
		["nine entries in one group", { ...SMALL, used: 9 }],
		["more entries than tables hold", { used: 8 * 896 + 1 }],
		["another shift", { globalShift: 60 }],
		["two who write", { writing: 2 }],
		["tables without a directory", { dirPtr: 0 }],
		["a directory at an odd address", { dirPtr: 0xc000_0120_02 }],
	])("%s", (_what, fields) => {
		expect(read(fields)).toBeUndefined();
	});

	test("but a small one, an empty one, and one that is full", () => {
		expect(read(SMALL)).toMatchObject({ directoryLength: 0, used: 8 });
		expect(read({ ...SMALL, used: 0, dirPtr: 0, writing: 0 })).toMatchObject({ directory: 0, writing: false });
		expect(read({ used: 8 * 896 })).toBeDefined();
		expect(read({ dirLen: 1, globalDepth: 0, globalShift: 64, used: 7 })).toBeDefined();
	});
});

describe("a table that cannot be one", () => {
	const read = (fields: Partial<typeof ONE_TABLE>) =>
		readTable(memory(TABLE, { ...ONE_TABLE, ...fields }, TABLE_SIZES), TABLE);

	test.each<[string, Partial<typeof ONE_TABLE>]>([
		["no power of two", { capacity: 24 }],
		["more slots than a table has", { capacity: 2048, groupsLengthMask: 255 }],
		["another number of groups", { groupsLengthMask: 7 }],
		["more room than there is", { growthLeft: 9 }],
		["no groups", { groupsData: 0 }],
		["before the directory", { index: -2 }],
		["more bits than memory", { localDepth: 32 }],
	])("%s", (_what, fields) => {
		expect(read(fields)).toBeUndefined();
	});

	test("but one that has been replaced", () => {
		expect(read({ index: -1 })).toMatchObject({ index: -1 });
	});
});

test("seeds are told with all their digits", () => {
	expect(seedText("classic", 0xab)).toBe("0x000000ab");
	expect(seedText("swiss", 0xabn)).toBe("0x00000000000000ab");
});

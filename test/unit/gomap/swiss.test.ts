/** What the bytes of a swiss map and its table say about the growth that begins, against the arithmetic of internal/runtime/maps. */
import { describe, expect, test } from "bun:test";
import { rehash, type SwissGrowth, smallToTable } from "../../../src/gomap/swiss.ts";
import { swissMapBytes, swissTableBytes, viewOf } from "../kernel/raw-records.ts";

type MapFields = Parameters<typeof swissMapBytes>[0];
type TableFields = Parameters<typeof swissTableBytes>[0];

const small = (map: MapFields, groupBytes?: number) => smallToTable(viewOf(swissMapBytes(map)), groupBytes);
const tried = (map: MapFields, table: TableFields, groupBytes?: number) =>
	rehash(viewOf(swissMapBytes(map)), viewOf(swissTableBytes(table)), groupBytes);

function growth(map: MapFields, table: TableFields, groupBytes?: number): SwissGrowth {
	const found = tried(map, table, groupBytes);
	if (found === undefined) throw new Error("no growth");
	return found;
}

describe("growToTable", () => {
	test("the ninth key: one group of eight becomes two", () => {
		expect(small({ used: 8, seed: 0xfedc_ba98_7654_3210n }, 136)).toEqual({
			kind: "small-to-table",
			cause: "load",
			count: 8,
			capacityBefore: 8,
			capacityAfter: 16,
			bytes: 272,
			moved: 8,
			seed: "0xfedcba9876543210",
		});
	});

	test("there is no table yet, so nothing is said of tables and directories", () => {
		const found = small({ used: 8 }) ?? {};
		for (const field of ["localDepth", "globalDepth", "directoryLength", "directoryDoubles"]) {
			expect(found).not.toHaveProperty(field);
		}
		expect(small({ used: 8 })?.bytes).toBeUndefined();
	});

	test("a map that has more entries than one group holds is none of these", () => {
		expect(small({ used: 9 })).toBeUndefined();
		expect(small({ used: 2 ** 53 })).toBeUndefined();
	});
});

describe("rehash", () => {
	test("all that there is to say of one that doubles", () => {
		expect(growth({ used: 28, seed: 7n }, { used: 28, capacity: 32 }, 200)).toEqual({
			kind: "table-double",
			cause: "load",
			count: 28,
			capacityBefore: 32,
			capacityAfter: 64,
			bytes: 1600,
			moved: 28,
			tombstones: 0,
			localDepth: 0,
			globalDepth: 0,
			directoryLength: 1,
			directoryDoubles: false,
			seed: "0x0000000000000007",
		});
	});

	test("all that there is to say of one that splits", () => {
		expect(growth({ used: 5000, globalDepth: 3 }, { used: 896, capacity: 1024, localDepth: 2 }, 136)).toEqual({
			kind: "split",
			cause: "load",
			count: 5000,
			capacityBefore: 1024,
			capacityAfter: 2048,
			bytes: 256 * 136,
			moved: 896,
			tombstones: 0,
			localDepth: 2,
			globalDepth: 3,
			directoryLength: 8,
			directoryDoubles: false,
			seed: "0x00000000deadbeef",
		});
	});

	test("deleted slots are what is neither used nor left", () => {
		const table = { used: 20, capacity: 32, growthLeft: 1 };
		expect(growth({ used: 20 }, table, 200)).toMatchObject({ cause: "tombstones", tombstones: 7 });
	});

	// Slots, entries when the table is full (7 of 8 slots; 7 in a table of one group), groups afterwards.
	const TABLES: [capacity: number, full: number, after: number, groups: number][] = [
		[8, 7, 16, 2],
		[16, 14, 32, 4],
		[32, 28, 64, 8],
		[64, 56, 128, 16],
		[128, 112, 256, 32],
		[256, 224, 512, 64],
		[512, 448, 1024, 128],
		[1024, 896, 2048, 256],
	];

	test.each(TABLES)("of a table of %d slots", (capacity, full, after, groups) => {
		for (const [groupBytes, globalDepth] of [
			[72, 0],
			[136, 1],
			[584, 7],
		] as const) {
			const map = { used: full + 11, globalDepth };
			expect(growth(map, { used: full, capacity }, groupBytes)).toMatchObject({
				kind: capacity === 1024 ? "split" : "table-double",
				cause: "load",
				count: full + 11,
				capacityBefore: capacity,
				capacityAfter: after,
				bytes: groups * groupBytes,
				moved: full,
			});
		}
		expect(growth({ used: full }, { used: full, capacity }).bytes).toBeUndefined();
	});

	test.each(TABLES)("of a table of %d slots with fewer live entries than 7/8: tombstones", (capacity, full) => {
		for (let used = 0; used <= capacity; used++) {
			const { cause, moved } = growth({ used }, { used, capacity });
			expect([used, cause, moved]).toEqual([used, used < full ? "tombstones" : "load", used]);
		}
	});

	test("only a split can make the directory double, and only when the table uses all of its bits", () => {
		for (let globalDepth = 0; globalDepth <= 16; globalDepth++) {
			for (let localDepth = 0; localDepth <= globalDepth; localDepth++) {
				for (const [capacity, used] of TABLES) {
					const map = { used: 70_000, globalDepth };
					const { localDepth: local, ...found } = growth(map, { used, capacity, localDepth });
					expect([local, found.globalDepth, found.directoryLength]).toEqual([
						localDepth,
						globalDepth,
						2 ** globalDepth,
					]);
					expect(found.directoryDoubles).toBe(capacity === 1024 && localDepth === globalDepth);
				}
			}
		}
	});

	test.each<[string, MapFields, TableFields]>([
		["no power of two", { used: 10 }, { used: 10, capacity: 24 }],
		["no slots", { used: 10 }, { used: 10, capacity: 0 }],
		["less than a group", { used: 4 }, { used: 4, capacity: 4 }],
		["more than a table has", { used: 1792 }, { used: 1792, capacity: 2048 }],
		["more entries than slots", { used: 40 }, { used: 33, capacity: 32 }],
		["more entries than the map", { used: 10 }, { used: 11, capacity: 16 }],
		["a map of 2^53 entries", { used: 2 ** 53 }, { used: 14, capacity: 16 }],
		["more bits than the directory", { used: 99, globalDepth: 2 }, { used: 14, capacity: 16, localDepth: 3 }],
		["a directory of another length", { used: 99, globalDepth: 2, directoryLength: 5 }, { used: 14, capacity: 16 }],
		["no directory", { used: 14, directoryLength: 0 }, { used: 14, capacity: 16 }],
		["a directory beyond all memory", { used: 99, globalDepth: 32, directoryLength: 0 }, { used: 14, capacity: 16 }],
	])("a table that cannot be one: %s", (_what, map, table) => {
		expect(tried(map, table)).toBeUndefined();
	});

	test("torn memory", () => {
		const torn = viewOf(new Uint8Array(48).fill(0xff));
		expect(rehash(torn, viewOf(swissTableBytes({ used: 14, capacity: 16 })))).toBeUndefined();
		expect(rehash(viewOf(swissMapBytes({ used: 14 })), torn)).toBeUndefined();
	});
});

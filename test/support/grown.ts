/**
 * What is known of the growths of test/programs/grow, which puts 2000 keys one by one into an empty map: how many there are, at which counts, of which sizes,
 * of which type and from which lines.
 */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EndRecord, Frame, GrowthRecord, TargetRecord } from "../../src/records/records.ts";

const SOURCE = join(import.meta.dir, "../programs/grow/main.go");
export const KEYS = 2000;

/** A finished run of it. */
export interface Grown {
	target: TargetRecord;
	growths: readonly GrowthRecord[];
	end: EndRecord;
}

/** Count at each hashGrow: the map doubles when 6.5 entries per bucket of 8 are exceeded (runtime/map.go, overLoadFactor). */
const CLASSIC_COUNTS = [8, 13, 26, 52, 104, 208, 416, 832, 1664];
/** Entries of the one table when its 7/8 are full, before each doubling; the next rehash, at 896 of 1024, is the first split. */
const SWISS_DOUBLINGS = [14, 28, 56, 112, 224, 448];

export interface Kind {
	name: string;
	mapType: string;
	fn: string;
	/** Suffix of mapassign, growWork and evacuate for the key type: classic and swiss. */
	variant: string;
	/** Bytes of a classic bucket: 8 hash bytes, 8 keys, 8 values, a pointer. */
	bucketBytes: number;
	/** Bytes of a swiss group: 8 control bytes and 8 slots of key and value. */
	groupBytes: number;
}

export const INT: Kind = {
	name: "int",
	mapType: "map[int]int",
	fn: "main.growInt",
	variant: "_fast64",
	bucketBytes: 144,
	groupBytes: 136,
};
export const OTHER_KINDS: Kind[] = [
	{ name: "i32", mapType: "map[int32]int32", fn: "main.growI32", variant: "_fast32", bucketBytes: 80, groupBytes: 72 },
	{
		name: "str",
		mapType: "map[string]*main.node",
		fn: "main.growStr",
		variant: "_faststr",
		bucketBytes: 208,
		groupBytes: 200,
	},
	// A value of one byte is padded to the key's alignment in a slot of 24 bytes.
	{ name: "pair", mapType: "map[main.pair]bool", fn: "main.growPair", variant: "", bucketBytes: 152, groupBytes: 200 },
	// Values of more than 128 bytes are stored as pointers.
	{ name: "big", mapType: "map[int]main.bigval", fn: "main.growBig", variant: "", bucketBytes: 144, groupBytes: 136 },
];

/** Line of the source that has this text, as grep -n counts. */
export function lineOf(text: string, source = SOURCE): number {
	const lines = readFileSync(source, "utf8").split("\n");
	const found = lines.flatMap((line, i) => (line.includes(text) ? [i + 1] : []));
	expect(found).toHaveLength(1);
	return found[0] ?? 0;
}

function isMain(frame: Frame): boolean {
	return frame.fn.startsWith("main.");
}

/** The growths of the program's own map; the runtime's start grows some of its own in a few versions. */
function ownGrowths({ target, growths }: Grown, kind: Kind): GrowthRecord[] {
	const own = growths.filter((growth) => growth.stack.some(isMain));
	for (const growth of own) {
		expect(growth).toMatchObject({
			pid: target.pid,
			// The main goroutine is the first one.
			goid: 1,
			map_type: kind.mapType,
			map: own[0]?.map ?? "",
			cause: "load",
		});
		expect(growth.map).toMatch(/^0x[0-9a-f]+$/);
		expect(growth.stack.map((frame) => frame.fn)).toEqual([
			growth.fn,
			`runtime.mapassign${kind.variant}`,
			kind.fn,
			"main.main",
			"runtime.main",
		]);
		const [grow, main] = growth.stack.filter(isMain);
		// The cache of built programs is shared by all checkouts: theirs is the folder, not the rest of the path.
		const file = expect.stringMatching(/\/test\/programs\/grow\/main\.go$/);
		expect(grow).toEqual({ fn: kind.fn, file, line: lineOf(`// grows: ${kind.name}`) });
		expect(main).toEqual({
			fn: "main.main",
			file,
			line: lineOf(`total += ${kind.fn.slice("main.".length)}(n)`),
		});
		for (const frame of growth.stack) {
			expect(frame.file).toMatch(/\.go$/);
			expect(frame.line).toBeGreaterThan(0);
		}
	}
	return own;
}

function checkClassic(grown: Grown, kind: Kind): void {
	const own = ownGrowths(grown, kind);
	expect(
		own.map(({ impl, fn, kind, count, capacity_before, capacity_after }) => [
			`${impl} ${fn} ${kind}`,
			count,
			capacity_before,
			capacity_after,
		]),
	).toEqual(CLASSIC_COUNTS.map((count, b) => ["classic runtime.hashGrow double", count, 8 << b, 8 << (b + 1)]));
	// From 2^4 buckets on, a sixteenth is allocated in addition, for overflow (runtime/map.go, makeBucketArray).
	const buckets = CLASSIC_COUNTS.map((_, b) => (2 << b) + (b + 1 >= 4 ? (2 << b) / 16 : 0));
	expect(own.map((growth) => growth.bytes)).toEqual(buckets.map((n) => n * kind.bucketBytes));
	expect(own.every((growth) => growth.iterating === false)).toBe(true);

	const growWork = Number(grown.end.calls[`runtime.growWork${kind.variant}`]);
	const evacuate = Number(grown.end.calls[`runtime.evacuate${kind.variant}`]);
	// Each of the 511 old buckets is evacuated: one or two a call, so never more calls than buckets and never fewer than half.
	expect(growWork).toBeGreaterThanOrEqual(256);
	expect(growWork).toBeLessThanOrEqual(530);
	expect(evacuate).toBeGreaterThanOrEqual(511);
	expect(evacuate).toBeLessThanOrEqual(2 * growWork);
}

function checkSwiss(grown: Grown, kind: Kind): void {
	const own = ownGrowths(grown, kind);
	const rehash = "internal/runtime/maps.(*table).rehash";
	expect(
		own
			.slice(0, 8)
			.map(({ fn, kind, count, capacity_before, capacity_after }) => [
				`${fn} ${kind}`,
				count,
				capacity_before,
				capacity_after,
			]),
	).toEqual([
		["internal/runtime/maps.(*Map).growToTable small-to-table", 8, 8, 16],
		...SWISS_DOUBLINGS.map((count, i) => [`${rehash} table-double`, count, 16 << i, 32 << i]),
		[`${rehash} split`, 896, 1024, 2048],
	]);
	// Two more tables of 1024 are split, when depends on the hashes: at 896 of their own, with 2000 keys in at least two tables.
	const splits = own.slice(8);
	expect(splits.map(({ impl, fn, kind }) => [impl, fn, kind])).toEqual(splits.map(() => ["swiss", rehash, "split"]));
	expect(splits).toHaveLength(2);
	for (const { count } of splits) {
		expect(count).toBeGreaterThanOrEqual(897);
		expect(count).toBeLessThan(KEYS);
	}
	expect(own.map((growth) => growth.bytes)).toEqual(
		[16, 32, 64, 128, 256, 512, 1024, 2048, 2048, 2048].map((slots) => (slots / 8) * kind.groupBytes),
	);
	expect(own.some((growth) => "iterating" in growth)).toBe(false);
}

/** Fails unless these are the growths of its map, each of them once. */
export function expectGrown(grown: Grown, kind: Kind, impl: "classic" | "swiss"): void {
	if (impl === "swiss") checkSwiss(grown, kind);
	else checkClassic(grown, kind);
}

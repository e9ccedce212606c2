/** The growths of 2000 keys put one by one into an empty map are known: each must be seen, once, with its type and its line. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame, GrowthRecord } from "../../src/model/records.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { ledgerFaults, runTraced, type Trace, withoutDuration } from "../support/trace.ts";
import { type BuildOptions, buildProgram } from "./build-program.ts";

const SOURCE = join(import.meta.dir, "../programs/grow/main.go");
const KEYS = 2000;

/** Count at each hashGrow: the map doubles when 6.5 entries per bucket of 8 are exceeded (runtime/map.go, overLoadFactor). */
const CLASSIC_COUNTS = [8, 13, 26, 52, 104, 208, 416, 832, 1664];
/** Entries of the one table when its 7/8 are full, before each doubling; the next rehash, at 896 of 1024, is the first split. */
const SWISS_DOUBLINGS = [14, 28, 56, 112, 224, 448];

interface Kind {
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

const INT: Kind = {
	name: "int",
	mapType: "map[int]int",
	fn: "main.growInt",
	variant: "_fast64",
	bucketBytes: 144,
	groupBytes: 136,
};
const OTHER_KINDS: Kind[] = [
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
function lineOf(text: string): number {
	const lines = readFileSync(SOURCE, "utf8").split("\n");
	const found = lines.flatMap((line, i) => (line.includes(text) ? [i + 1] : []));
	expect(found).toHaveLength(1);
	return found[0] ?? 0;
}

function isMain(frame: Frame): boolean {
	return frame.fn.startsWith("main.");
}

/** The growths of the program's own map; the runtime's start grows some of its own in a few versions. */
function ownGrowths(trace: Trace, kind: Kind): GrowthRecord[] {
	const own = trace.growths.filter((growth) => growth.stack.some(isMain));
	for (const growth of own) {
		expect(growth).toMatchObject({
			pid: trace.targets[0]?.pid ?? 0,
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

function checkClassic(trace: Trace, kind: Kind): void {
	const own = ownGrowths(trace, kind);
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

	const growWork = Number(trace.end.calls[`runtime.growWork${kind.variant}`]);
	const evacuate = Number(trace.end.calls[`runtime.evacuate${kind.variant}`]);
	// Each of the 511 old buckets is evacuated: one or two a call, so never more calls than buckets and never fewer than half.
	expect(growWork).toBeGreaterThanOrEqual(256);
	expect(growWork).toBeLessThanOrEqual(530);
	expect(evacuate).toBeGreaterThanOrEqual(511);
	expect(evacuate).toBeLessThanOrEqual(2 * growWork);
}

function checkSwiss(trace: Trace, kind: Kind): void {
	const own = ownGrowths(trace, kind);
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

/** Builds, runs and checks one kind of map under one toolchain. */
async function check(version: string, kind: Kind, options: BuildOptions = {}): Promise<Trace> {
	const trace = await runTraced([buildProgram("grow", version, options), kind.name, String(KEYS)]);
	expect(trace.exit.code).toBe(0);
	expect(trace.end.complete).toBe(true);
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.growths).toBe(trace.growths.length);
	const swiss = Number(version.split(".")[1]) >= 24;
	expect(trace.targets[0]).toMatchObject({
		map_impl: swiss ? "swiss" : "classic",
		go_version: expect.stringMatching(new RegExp(`^go${version}(\\.|$)`)),
		arch: "amd64",
		stripped: options.stripped === true,
		pie: options.pie === true,
	});
	expect(trace.targets[0]?.probes.map((probe) => probe.cost)).toEqual(
		trace.targets[0]?.probes.map(() => "emulated") ?? [],
	);
	// The place of g in a thread, by which exits before Go 1.17 find the call, differs with the linker.
	expect(withoutDuration(trace.growths, trace.end)).toBe(0);
	if (swiss) checkSwiss(trace, kind);
	else checkClassic(trace, kind);
	return trace;
}

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 120_000;

describe("2000 integer keys", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`Go ${version}`, () => check(version, INT), TIMEOUT);
		tracingTest(`Go ${version}, stripped`, () => check(version, INT, { stripped: true }), TIMEOUT);
	}
});

describe("2000 keys of other types", () => {
	for (const kind of OTHER_KINDS) {
		for (const version of ["1.23", "1.27"])
			tracingTest(`${kind.mapType}, Go ${version}, stripped`, () => check(version, kind, { stripped: true }), TIMEOUT);
	}
});

describe("position-independent executables", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`Go ${version}, stripped`, () => check(version, INT, { pie: true, stripped: true }), TIMEOUT);
	}
	const cgoTest = testWith(missingForTracing(), missingCommands("gcc"));
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		cgoTest(
			`Go ${version}, with cgo, stripped`,
			() => check(version, INT, { pie: true, cgo: true, stripped: true }),
			TIMEOUT,
		);
	}
});

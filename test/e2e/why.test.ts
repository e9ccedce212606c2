/**
 * Why, when and how much maps of types of many sizes grow: each growth must be what the program itself saw in its maps' headers, with the sizes that package
 * reflect gives; and of maps made with a hint what arithmetic says.
 */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import type { GrowthRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { goBuild } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";
import { recordedTrace, startGomapgrow } from "../support/trace.ts";

type Growth = Pick<
	GrowthRecord,
	| ("kind" | "cause" | "count" | "capacity_before" | "capacity_after" | "bytes" | "bytes_moved")
	| ("b_before" | "b_after" | "overflow_buckets")
	| ("local_depth" | "global_depth" | "directory_length" | "directory_doubles")
>;

interface GrownMap {
	case: string;
	type: string;
	/** Hash seed. */
	map: string;
	/** Slots at the beginning. */
	start: number;
	/** Keys that were put in, deleted ones included. */
	keys: number;
	growths: Growth[];
}

const COMPARED = [
	...(["kind", "cause", "count", "capacity_before", "capacity_after", "bytes", "bytes_moved"] as const),
	...(["b_before", "b_after", "overflow_buckets"] as const),
	...(["local_depth", "global_depth", "directory_length", "directory_doubles"] as const),
];

/** The fields of a growth that the program tells of. */
function told(growth: GrowthRecord, theirs: Growth | undefined): Partial<GrowthRecord> {
	const fields = COMPARED.filter((field) => growth[field] !== undefined).filter(
		// Growth work in the same insertion may have changed it.
		(field) => field !== "overflow_buckets" || theirs?.overflow_buckets !== undefined,
	);
	return Object.fromEntries(fields.map((field) => [field, growth[field]]));
}

async function observe(version: string) {
	const records = join(temporaryFolder("why"), "records.ndjson");
	const executable = goBuild({ version, program: "why", ldflags: "-s -w" });
	const program = startGomapgrow(["run", "--output", records, "--no-latency", "--", executable]);
	const trace = recordedTrace(records, program, await program.finish(120_000));
	expect(trace.exit.code).toBe(0);
	expect(trace.end.complete).toBe(true);
	const maps = program.stdout
		.split("\n")
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line) as GrownMap);
	return { trace, maps };
}

/** Slots with which a classic map of so many entries begins: the first of 8, 16, … that keeps the load below its bound (runtime/map.go, makemap). */
function classicSlots(hint: number, loadFactor: number): number {
	let buckets = 1;
	while (hint > 8 && hint > loadFactor * buckets) buckets *= 2;
	return 8 * buckets;
}

/** Entries with which a classic map grows on the way from so many slots to so many entries. */
function classicCounts(slots: number, keys: number, loadFactor: number): number[] {
	const counts: number[] = [];
	for (let buckets = slots / 8; ; buckets *= 2) {
		const full = Math.max(8, Math.floor(loadFactor * buckets));
		if (full >= keys) return counts;
		counts.push(full);
	}
}

/** 6.5, but 6 in Go 1.21 (golang/go#63438). */
const loadFactorOf = (version: string): number => (version === "1.21" ? 6 : 6.5);

const tracingTest = testWith(missingForTracing());

describe("growths are what the program sees in its own maps", () => {
	for (const version of ["1.15", "1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"]) {
		tracingTest(
			`Go ${version}`,
			async () => {
				const { trace, maps } = await observe(version);
				const swiss = Number(version.slice(2)) >= 24;
				expect(maps.length).toBeGreaterThan(70);
				for (const { type, map, growths, ...rest } of maps) {
					const ours = trace.growths.filter((growth) => growth.map === map && growth.map_type === type);
					const seen = ours.map((growth, i) => told(growth, growths[i]));
					expect({ type, ...rest, growths: seen }).toEqual({ type, ...rest, growths });
					expect(ours.map(({ nth }) => nth)).toEqual(growths.map((_, i) => i + 1));
				}
				const all = maps.flatMap(({ growths }) => growths);
				checkVariety(all, swiss);
				for (const one of maps) checkHint(one, version, swiss);
			},
			150_000,
		);
	}
});

/** The program did what this test is for. */
function checkVariety(all: readonly Growth[], swiss: boolean): void {
	const count = (wanted: Partial<Growth>) =>
		all.filter((growth) => Object.entries(wanted).every(([field, value]) => growth[field as keyof Growth] === value))
			.length;
	expect(all.length).toBeGreaterThan(300);
	if (!swiss) {
		expect(count({ kind: "same-size", cause: "overflow" })).toBeGreaterThan(10);
		expect(Math.max(...all.map(({ b_after }) => b_after ?? 0))).toBeGreaterThanOrEqual(12);
		expect(all.filter(({ overflow_buckets }) => (overflow_buckets ?? 0) > 5).length).toBeGreaterThan(10);
		return;
	}
	expect(count({ kind: "small-to-table" })).toBeGreaterThan(40);
	expect(count({ kind: "split", directory_doubles: true })).toBeGreaterThan(30);
	expect(all.filter(({ kind, directory_doubles }) => kind === "split" && !directory_doubles).length).toBeGreaterThan(
		30,
	);
	expect(count({ kind: "table-double", cause: "tombstones" })).toBeGreaterThan(5);
	expect(count({ kind: "split", cause: "tombstones" })).toBeGreaterThan(0);
	expect(Math.max(...all.map(({ directory_length }) => directory_length ?? 0))).toBeGreaterThanOrEqual(16);
}

/** Slots of a swiss map made for so many entries: tables of at most 1,024, 7 of 8 slots of which are used (internal/runtime/maps/map.go, NewMap). */
function swissSlots(hint: number): number {
	if (hint <= 8) return 8;
	const powerOfTwo = (n: number) => 2 ** Math.ceil(Math.log2(n));
	const slots = Math.floor((hint * 8) / 7);
	const tables = powerOfTwo(Math.ceil(slots / 1024));
	return tables * powerOfTwo(Math.max(8, Math.floor(slots / tables)));
}

/** Maps that were made for as many entries as they get do not grow; others grow when their slots say. */
function checkHint({ case: kind, type, start, keys, growths }: GrownMap, version: string, swiss: boolean): void {
	if (kind === "hint") expect({ type, keys, growths: growths.length }).toEqual({ type, keys, growths: 0 });
	if (kind === "churn") return;
	const loadFactor = loadFactorOf(version);
	const hint = { hint: keys, "small hint": keys / 4 }[kind] ?? 0;
	expect({ keys, start }).toEqual({ keys, start: swiss ? swissSlots(hint) : classicSlots(hint, loadFactor) });
	if (swiss) {
		for (const growth of growths) checkSwiss(growth);
		return;
	}
	const doublings = growths.filter((growth) => growth.kind === "double").map(({ count }) => count);
	expect({ type, keys, doublings }).toEqual({ type, keys, doublings: classicCounts(start, keys, loadFactor) });
}

/** What holds for every growth of a swiss map that loses no entries. */
function checkSwiss(growth: Growth): void {
	const { capacity_before, directory_length, global_depth = 0, local_depth = 0, count } = growth;
	expect(growth.cause).toBe("load");
	if (growth.kind === "small-to-table") {
		expect(growth).toMatchObject({ count: 8, capacity_before: 8, capacity_after: 16 });
		return;
	}
	expect(growth.kind).toBe(capacity_before === 1024 ? "split" : "table-double");
	expect(growth.capacity_after).toBe(2 * capacity_before);
	expect(directory_length).toBe(2 ** global_depth);
	expect(growth.directory_doubles ?? false).toBe(growth.kind === "split" && local_depth === global_depth);
	// The only table has all entries.
	if (directory_length === 1) expect(count).toBe((capacity_before * 7) / 8);
}

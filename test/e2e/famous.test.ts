/**
 * The famous cases (test/programs/famous): each program says, from the arithmetic in the Go source or from the header of its own map, how its maps grew, and
 * the records must say the same, growth by growth.
 */
import { describe, expect } from "bun:test";
import type { Frame, GrowthRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { exactCalls } from "../support/figures.ts";
import { ledgerFaults, runTraced, type Trace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const famousTest = testWith(missingForTracing());
const TIMEOUT = 180_000;
const VERSIONS = ["1.23", "1.27"];

/** A growth as the program says it (test/programs/famous/growth). */
type SaidGrowth = Pick<GrowthRecord, "kind" | "cause" | "count" | "capacity_before" | "capacity_after" | "bytes">;

interface Report {
	case: string;
	go: string;
	swiss: boolean;
	sites: { fn: string; map_type: string; maps: number; growths: SaidGrowth[] }[];
	entries?: number;
	/** range-and-write: growths while the loop went on. */
	during?: number;
	/** half-evacuated: writes after the growth began. */
	writes_while_growing?: number;
}

interface Outcome {
	report: Report;
	trace: Trace;
	/** The growths of each of the report's sites, in the order in which they happened. */
	bySite: GrowthRecord[][];
}

/** The first frame of the program's own. */
function ownFrame({ stack }: GrowthRecord): Frame | undefined {
	return stack.find(({ fn }) => fn.startsWith("main."));
}

/**
 * What is compared of a record with what the program says. Fields that records get in addition (which growth of its map it is, bytes moved, duration) and
 * that the program can say belong here and in growth.Growth.
 */
function compared({ kind, cause, count, capacity_before, capacity_after, bytes }: GrowthRecord): SaidGrowth {
	return { kind, cause, count, capacity_before, capacity_after, ...(bytes === undefined ? {} : { bytes }) };
}

/** Sorted, since goroutines may grow their maps in any order. */
function sorted(growths: readonly SaidGrowth[]): string[] {
	return growths.map((growth) => JSON.stringify(Object.entries(growth).sort())).sort();
}

async function observe(name: string, version: string, exitCode = 0): Promise<Outcome> {
	const trace = await runTraced([buildProgram(`famous/${name}`, version, { stripped: true })], 120_000);
	expect(trace.exit.code).toBe(exitCode);
	// The records have standard output: the program's goes to standard error.
	const line = trace.stderr.split("\n").find((each) => each.startsWith(`{"case":"${name}"`));
	const report: Report = JSON.parse(line ?? "null");
	expect(report.swiss).toBe(trace.targets[0]?.map_impl === "swiss");
	expect([trace.end.complete, trace.losses, ledgerFaults(trace.end.ledger)]).toEqual([true, [], []]);

	const bySite = report.sites.map(({ fn, map_type }) =>
		trace.growths.filter((growth) => ownFrame(growth)?.fn === fn && growth.map_type === map_type),
	);
	report.sites.forEach(({ growths, maps }, index) => {
		const recorded = bySite[index] ?? [];
		expect(sorted(recorded.map(compared))).toEqual(sorted(growths));
		// Seeds of classic maps have 32 bits: two of thousands may be the same.
		const identities = new Set(recorded.map(({ map }) => map)).size;
		expect(identities).toBeLessThanOrEqual(maps);
		if (recorded.length >= maps) expect(identities).toBeGreaterThanOrEqual(maps > 1000 ? maps - 1 : maps);
	});
	// What else grows belongs to the runtime or to the report's own text.
	const known = new Set(bySite.flat());
	const unexpected = trace.growths.filter((growth) => !known.has(growth) && ownFrame(growth) !== undefined);
	expect(unexpected.filter((growth) => report.sites.some(({ map_type }) => growth.map_type === map_type))).toEqual([]);
	return { report, trace, bySite };
}

const counts = (growths: readonly GrowthRecord[] | undefined): number[] => (growths ?? []).map(({ count }) => count);

describe.each(VERSIONS)("Go %s", (version) => {
	const swiss = version === "1.27";

	famousTest(
		"range-and-write: the map grows in the middle of a loop",
		async () => {
			const { report, bySite } = await observe("range-and-write", version);
			const [growths] = bySite;
			expect(counts(growths)).toEqual(swiss ? [8, 14, 28, 56, 112, 224] : [8, 13, 26, 52, 104, 208]);
			expect(report.during).toBe(3);
			// The flag says that a loop may go on; it moves on to the old buckets with the first growth (runtime/map.go, hashGrow).
			expect(growths?.map(({ iterating }) => iterating)).toEqual(
				swiss
					? [undefined, undefined, undefined, undefined, undefined, undefined]
					: [false, false, false, true, false, false],
			);
			// The writer grows it, not the one who loops.
			const during = growths?.slice(3) ?? [];
			expect(during.every(({ stack }) => stack.some(({ fn }) => fn === "main.write"))).toBeTrue();
			expect(new Set(during.map(({ goid }) => goid)).size).toBe(1);
			expect(during[0]?.goid).not.toBe(growths?.[0]?.goid as number);
		},
		TIMEOUT,
	);

	famousTest(
		"startup-storm: 64 caches in 64 goroutines",
		async () => {
			const { bySite, trace } = await observe("startup-storm", version);
			expect(bySite[0]).toHaveLength(7 * 64);
			expect(new Set(bySite[0]?.map(({ goid }) => goid)).size).toBe(64);
			const [site] = trace.end.sites.filter(({ fn }) => fn === "main.fillCache");
			expect(site).toMatchObject({ growths: 448, map_type: "map[string]int", max_capacity: 1024 });
		},
		TIMEOUT,
	);

	famousTest(
		"churn: growth at constant size",
		async () => {
			const { report, trace, bySite } = await observe("churn", version);
			const said = report.sites[0]?.growths ?? [];
			// One map, one goroutine: the order is the same too.
			expect(bySite[0]?.map(compared)).toEqual(said);
			expect(new Set(bySite[0]?.map(({ map }) => map)).size).toBe(1);
			const same = said.filter(({ kind }) => kind === "same-size");
			const tombstones = said.filter(({ cause }) => cause === "tombstones");
			if (swiss) {
				expect(same).toEqual([]);
				expect(said.length).toBeLessThan(10);
				// Tombstones are pruned before rehash, not in it: each of its calls makes new tables.
				const calls = exactCalls(trace.end.calls);
				const of = (fn: string): number => calls[`internal/runtime/maps.(*table).${fn}`] ?? 0;
				expect(of("rehash")).toBe(of("grow") + of("split"));
				expect(of("rehash")).toBeGreaterThan(0);
			} else {
				// Some 13 times in 20,000 replacements.
				expect(same.length).toBeGreaterThan(5);
				expect(tombstones).toEqual([]);
				expect(
					same.every(({ cause, capacity_before, capacity_after }) => {
						return cause === "overflow" && capacity_before === capacity_after;
					}),
				).toBeTrue();
			}
		},
		TIMEOUT,
	);

	famousTest(
		"half-evacuated: nobody writes, so nothing is moved",
		async () => {
			const { report, trace, bySite } = await observe("half-evacuated", version);
			expect(counts(bySite[0])).toEqual([swiss ? 448 : 13_312]);
			if (swiss) return;
			expect(report.writes_while_growing).toBe(21);
			// Each write moves the bucket it goes to and one more, and a million reads none.
			expect(trace.end.calls["runtime.growWork_fast64"]).toBe(21);
			expect(trace.end.calls["runtime.evacuate_fast64"]).toBe(42);
		},
		TIMEOUT,
	);

	famousTest(
		"huge-values: elements above 128 bytes are behind pointers",
		async () => {
			const { bySite } = await observe("huge-values", version);
			expect(bySite.map(counts)).toEqual(
				bySite.map(() => (swiss ? [8, 14, 28, 56, 112, 224, 448] : [8, 13, 26, 52, 104, 208, 416])),
			);
			const [small, big, huge] = bySite.map((growths) => growths.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0));
			expect(huge).toBe(small as number);
			expect((big ?? 0) / (small ?? 1)).toBeCloseTo(swiss ? 1096 / 136 : 1104 / 144, 10);
		},
		TIMEOUT,
	);

	famousTest(
		"many-small: thousands of maps",
		async () => {
			const { bySite, trace } = await observe("many-small", version);
			expect(bySite[0]).toHaveLength(swiss ? 2500 : 3000);
			expect(Math.max(...(bySite[0]?.map(({ capacity_after }) => capacity_after) ?? []))).toBe(swiss ? 16 : 32);
			const callers = new Set(
				bySite[0]?.map(({ stack }) => stack[stack.findIndex(({ fn }) => fn === "main.label") + 1]?.fn),
			);
			expect([...callers].sort()).toEqual(["main.fourteen", "main.nine"]);
			expect(trace.end.growths).toBeGreaterThanOrEqual(swiss ? 2500 : 3000);
		},
		TIMEOUT,
	);

	famousTest(
		"presized: right, too small, too large, not at all",
		async () => {
			const { bySite } = await observe("presized", version);
			expect(bySite.map(counts)).toEqual(
				swiss
					? [[], [112, 224, 448], [], [8, 14, 28, 56, 112, 224, 448]]
					: [[], [104, 208, 416], [], [8, 13, 26, 52, 104, 208, 416]],
			);
		},
		TIMEOUT,
	);

	famousTest(
		"misuse: the runtime ends the program, and what came before is kept",
		async () => {
			const { bySite, trace } = await observe("misuse", version, 2);
			expect(trace.stderr).toContain("fatal error: concurrent map iteration and map write");
			expect(trace.end.reason).toBe("target-exit");
			expect(bySite[0]).toHaveLength(7);
			expect(bySite[0]?.at(-1)?.capacity_after).toBe(1024);
		},
		TIMEOUT,
	);
});

describe("every release", () => {
	for (const version of ["1.19", "1.21", "1.22", "1.24", "1.25", "1.26"]) {
		famousTest(
			`Go ${version} grows as its source says`,
			async () => {
				const { bySite } = await observe("presized", version);
				// Go 1.21 rounds the load factor down to 6, so that 800 entries take more buckets from the start (golang/go#63438).
				const unsized = version === "1.21" ? [8, 12, 24, 48, 96, 192, 384, 768] : undefined;
				if (unsized !== undefined) expect(counts(bySite[3])).toEqual(unsized);
				await observe("many-small", version);
				await observe("churn", version);
			},
			TIMEOUT,
		);
	}
});

/** Maps that are made, against a program that counts them itself; with --makes only. */
import { describe, expect } from "bun:test";
import type { MakeRow } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type GoBuildOptions, goBuild } from "../support/go-binaries.ts";
import { startGomapgrow, type Trace, toTrace } from "../support/trace.ts";

/** How many maps the program has made at its lines, and what they hold. */
type Truth = Record<"plain" | "plain100" | "hinted" | "counted" | "counted9" | "local" | "local33" | "deep", number> & {
	clone?: number;
};

async function makes(build: Omit<GoBuildOptions, "program">, rounds: number, options: string[]) {
	const executable = goBuild({ program: "makes", ...build });
	const program = startGomapgrow(["run", "--json", ...options, "--", executable, String(rounds)]);
	const trace = toTrace(program, await program.finish());
	const line = program.stderr.split("\n").find((each) => each.startsWith('{"'));
	return { trace, truth: JSON.parse(line ?? "{}") as Truth };
}

function rowOf({ end }: Trace, fn: string): MakeRow {
	const rows = (end.makes ?? []).filter(({ made_at }) => made_at.fn === `main.${fn}`);
	const [row] = rows;
	if (row === undefined || rows.length > 1) throw new Error(`${rows.length} rows of main.${fn}`);
	return row;
}

const total = (pairs: number[][]): number => pairs.reduce((sum, [, maps = 0]) => sum + maps, 0);

/** All that does not depend on when garbage is collected. */
function expectCounted(trace: Trace, truth: Truth): void {
	const plain = rowOf(trace, "plain");
	expect([plain.made, plain.seen, plain.on]).toEqual([truth.plain, truth.plain, "heap"]);
	expect(plain.hints).toEqual([[0, truth.plain]]);
	const hinted = rowOf(trace, "hinted");
	expect([hinted.made, hinted.map_type]).toEqual([truth.hinted, "map[int]int"]);
	expect(hinted.hints).toEqual([[100, truth.hinted]]);
	const counted = rowOf(trace, "counted");
	expect([counted.made, counted.map_type]).toEqual([truth.counted, "map[string]string"]);
	expect(rowOf(trace, "deep").made).toBe(truth.deep);
	const { make } = trace.end.ledger;
	expect(make).toMatchObject({ hits: make?.recorded, lost: 0 });
	expect(trace.end.complete).toBe(true);
	expect(trace.end.measured?.make).toBe("all");
}

/** Sizes, and growths of maps that were made at the line. */
function expectLinked(trace: Trace, truth: Truth): void {
	const plain = rowOf(trace, "plain");
	expect([plain.map_type, plain.key_bytes, plain.elem_bytes, plain.has_pointers]).toEqual(["map[int]int", 8, 8, false]);
	// 100 entries do not fit into 8, 16, 32 and 64 slots.
	const { plain100 } = truth;
	// A map that grows for the first time after a collection may not be linked: then none of its growths is.
	const unlinked = trace.end.growths_unlinked ?? 0;
	expect(plain.grew).toBeGreaterThan(0.9 * plain100);
	expect(plain.grew).toBeLessThanOrEqual(plain100);
	expect(4 * plain.grew + unlinked).toBeGreaterThanOrEqual(4 * plain100);
	expect(plain.growth_classes).toEqual([8, 16, 32, 64].map((slots) => [slots, plain.grew]));
	expect(plain.grows_at.map(({ fn, growths }) => [fn, growths])).toEqual([["main.plain", 4 * plain.grew]]);
	// Every map has one of these sizes; some were garbage when they were looked at.
	const sizes: [string, number[]][] = [
		["plain", [3, 100]],
		["hinted", [20]],
		["counted", [1]],
	];
	for (const [fn, expected] of sizes) {
		const row = rowOf(trace, fn);
		expect([fn, row.sizes.map(([entries]) => entries)]).toEqual([fn, expected]);
		expect([fn, total(row.sizes) + row.unknown, row.unknown < row.seen / 4]).toEqual([fn, row.seen, true]);
	}
	expect(total(plain.sizes.filter(([entries]) => entries === 100))).toBeLessThanOrEqual(plain100);
	const own = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.plain"));
	const first = own.find(({ made_at }) => made_at !== undefined);
	expect([first?.made_at?.fn, first?.made_hint, first?.storage_bytes]).toEqual(["main.plain", 0, plain.storage_bytes]);
	expect(first?.age_ns).toBeGreaterThan(0);
	// Those of the map on the stack of main.local are no map's of the heap.
	const local = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.local"));
	expect(local.length).toBeGreaterThanOrEqual(2 * truth.local33);
	expect(local.every(({ on_stack, made_at }) => on_stack === true && made_at === undefined)).toBe(true);
}

const tracingTest = testWith(missingForTracing());
const ROUNDS = 3000;

describe("makes", () => {
	const builds: Omit<GoBuildOptions, "program">[] = [
		{ version: "1.23", ldflags: "-s -w" },
		{ version: "1.24", buildmode: "pie" },
		{ version: "1.27" },
	];
	for (const build of builds) {
		const { version, buildmode, ldflags } = build;
		tracingTest(
			`are counted, measured and linked to growths, Go ${version} ${buildmode ?? ldflags ?? ""}`,
			async () => {
				const { trace, truth } = await makes(build, ROUNDS, ["--makes"]);
				expectCounted(trace, truth);
				expectLinked(trace, truth);
				const clones = (trace.end.makes ?? []).filter(({ clone }) => clone === true);
				// From 1.25 on maps.Clone makes its map without the functions that are probed.
				const expected = version === "1.27" ? [] : [[truth.clone ?? 0, "main.clones"]];
				expect(clones.map(({ made, made_at }) => [made, made_at.fn])).toEqual(expected);
			},
		);
	}

	tracingTest("are counted before Go 1.22, and it is stated that they are not linked", async () => {
		const { trace, truth } = await makes({ version: "1.19", ldflags: "-s -w" }, ROUNDS, ["--makes"]);
		expectCounted(trace, truth);
		expect(trace.targets[0]?.limits?.join("\n")).toContain("are not linked to the line");
		expect(trace.growths.every(({ made_at }) => made_at === undefined)).toBe(true);
	});

	tracingTest("are not watched without the option", async () => {
		const { trace } = await makes({ version: "1.23", ldflags: "-s -w" }, 10, []);
		expect([trace.end.makes, trace.end.ledger.make, trace.end.measured?.make]).toEqual([
			undefined,
			undefined,
			undefined,
		]);
		expect(Object.keys(trace.end.calls)).not.toContain("runtime.makemap_small");
	});
});

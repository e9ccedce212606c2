/** Which map grew, in which goroutine and where: against programs that know it themselves. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import type { Frame, GrowthRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { goBuild } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";
import { recordedTrace, startGomapgrow, type Trace } from "../support/trace.ts";

/** Runs a program of test/programs to its end; its JSON lines and what was seen of it. */
async function observe<Line>(program: string, version: string, args: string[] = [], options: string[] = []) {
	const records = join(temporaryFolder(program), "records.ndjson");
	// Go 1.23 and newer keep programs from the runtime's own functions unless told otherwise.
	const linking = program === "onscheduler" && Number(version.slice(2)) >= 23 ? " -checklinkname=0" : "";
	const executable = goBuild({ version, program, ldflags: `-s -w${linking}` });
	const running = startGomapgrow(["run", ...options, "--output", records, "--", executable, ...args]);
	const trace = recordedTrace(records, running, await running.finish(120_000));
	expect(trace.exit.code).toBe(0);
	expect(trace.end.complete).toBe(true);
	const lines = running.stdout.split("\n").filter((line) => line.startsWith("{"));
	return { trace, lines: lines.map((line) => JSON.parse(line) as Line) };
}

/** Growths that the program's own code caused. */
const ownGrowths = ({ growths }: Trace): GrowthRecord[] =>
	growths.filter(({ stack }) => stack.some(({ fn }) => fn.startsWith("main.")));

const tracingTest = testWith(missingForTracing());
const VERSIONS = ["1.15", "1.19", "1.21", "1.23", "1.24", "1.27"];
const TIMEOUT = 150_000;

interface Chain {
	case: string;
	map: string;
	growths: number;
	slots_first: number;
	slots_last: number;
	count: number;
}

describe("which map", () => {
	for (const version of VERSIONS) {
		tracingTest(
			`hundreds of maps of one type, cleared ones, on moving stacks and at reused addresses, Go ${version}`,
			async () => {
				const { trace, lines } = await observe<Chain | { reused: number }>("manymaps", version, [], ["--no-latency"]);
				const chains = lines.filter((line): line is Chain => "map" in line);
				expect(lines.at(-1)).toEqual({ reused: expect.any(Number) });
				expect((lines.at(-1) as { reused: number }).reused).toBeGreaterThan(50);
				expect([...new Set(chains.map((chain) => chain.case))].sort()).toEqual([
					...["cleared", "in turns", "on stack", "reused"],
				]);
				expect(chains.length).toBeGreaterThan(1000);
				const byMap = new Map<string, GrowthRecord[]>();
				for (const growth of trace.growths) {
					if (growth.map_type === "map[int]int") byMap.set(growth.map, [...(byMap.get(growth.map) ?? []), growth]);
				}
				const times = Map.groupBy(chains, ({ map }) => map);
				for (const chain of chains) {
					// Two of so many maps may have the same seed of 32 bits.
					if (times.get(chain.map)?.length !== 1) continue;
					const seen = byMap.get(chain.map) ?? [];
					expect({ ...chain, nth: seen.map(({ nth }) => nth) }).toEqual({
						...chain,
						nth: Array.from({ length: chain.growths }, (_, i) => i + 1),
					});
					expect(seen.at(-1)?.count).toBe(chain.count);
				}
				checkRows(trace, chains);
			},
			TIMEOUT,
		);
	}
});

/** The summary's rows are the longest chains. */
function checkRows({ end }: Trace, chains: readonly Chain[]): void {
	const known = new Map(chains.map((chain) => [chain.map, chain]));
	const rows = end.maps.filter(({ map_type }) => map_type === "map[int]int");
	expect(rows.length).toBeGreaterThan(80);
	for (const { map, growths, slots_first, slots_last, count } of rows) {
		const chain = known.get(map);
		// The program itself has a few maps of this type that it does not tell of.
		if (chain === undefined) continue;
		expect({ ...chain, growths, slots_first, slots_last, count }).toEqual(chain);
	}
	const longest = chains.map(({ growths }) => growths).sort((a, b) => b - a);
	expect(rows[0]?.growths).toBe(longest[0] ?? 0);
	expect(rows.filter(({ map }) => known.has(map)).length).toBeGreaterThan(80);
}

interface Origin {
	goid: number;
	parent?: number;
	created_by?: { fn: string; file: string; line: number };
	start: string;
}

describe("which goroutine", () => {
	for (const version of VERSIONS) {
		tracingTest(
			`with its parent, the go statement and its function, Go ${version}`,
			async () => {
				const { trace, lines: origins } = await observe<Origin>("origins", version);
				expect(origins).toHaveLength(13);
				const growths = ownGrowths(trace);
				expect(new Set(growths.map(({ goid }) => goid))).toEqual(new Set(origins.map(({ goid }) => goid)));
				const wrapped = new Set<number>();
				for (const { goid, parent, created_by, start } of origins) {
					const own = growths.filter((growth) => growth.goid === goid);
					expect(own.length).toBeGreaterThan(0);
					for (const growth of own) {
						if (goid === 1) {
							expect(growth.created_by).toBeUndefined();
							expect(growth.start_fn).toBe("runtime.main");
							continue;
						}
						expect(growth.parent_goid).toBe(parent as number);
						expect(growth.created_by).toEqual(created_by as Frame);
						// The compiler makes a function of a go statement with a method or arguments, which the runtime does not show.
						if (growth.start_fn === start) continue;
						expect(growth.start_fn).toMatch(/^main\.main\.(func|gowrap)[1-4]$|^main\.\(\*server\)\.serve-fm$/);
						expect(growth.stack.slice(-2).map(({ fn }) => fn)).toEqual([start, growth.start_fn as string]);
						wrapped.add(goid);
					}
					// Goroutine 1 has initialised the packages, too.
					const all = trace.growths.filter((growth) => growth.goid === goid);
					const sum = (of: (growth: GrowthRecord) => number | undefined) =>
						all.reduce((total, growth) => total + (of(growth) ?? 0), 0);
					expect(trace.end.goroutines.find((row) => row.goid === goid)).toMatchObject({
						...{ growths: all.length, bytes: sum(({ bytes }) => bytes) },
						duration_ns: sum(({ duration_ns }) => duration_ns),
					});
				}
				expect(origins.filter(({ parent }) => parent !== undefined).length).toBe(
					["1.15", "1.19"].includes(version) ? 0 : 12,
				);
				// Before Go 1.17 only a method value is one.
				expect(wrapped.size).toBe(version === "1.15" ? 1 : 4);
			},
			TIMEOUT,
		);
	}
});

/** How many entries a map has when it grows, up to `keys`, by the load factor of the release; a swiss one as long as it is one table that doubles. */
function growthCounts(version: string, keys: number): number[] {
	const minor = Number(version.slice(2));
	// 6.0 instead of 6.5 entries a bucket of 8 in Go 1.21; 7 of 8 slots.
	const first = minor >= 24 ? 14 : minor === 21 ? 12 : 13;
	const counts = [8];
	for (let count = first; count < keys; count *= 2) counts.push(count);
	return counts;
}

describe("which goroutine, on the scheduler's stack", () => {
	for (const version of VERSIONS) {
		tracingTest(
			`is the one that the thread runs, Go ${version}`,
			async () => {
				const { trace, lines } = await observe<{ goid: number; keys: number }>("onscheduler", version);
				expect(lines.map(({ keys }) => keys).sort((a, b) => a - b)).toEqual([100, 300, 700]);
				const growths = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.fill"));
				for (const { goid, keys } of lines) {
					const own = growths.filter((growth) => growth.goid === goid);
					expect(own.map(({ count }) => count)).toEqual(growthCounts(version, keys));
					for (const { start_fn, duration_ns, stack } of own) {
						expect(start_fn).toBe("main.main.func1");
						expect(duration_ns).toBeGreaterThan(0);
						expect(stack.map(({ fn }) => fn)).toContain("main.main.func1.1");
					}
				}
				expect(growths).toHaveLength(lines.reduce((sum, { keys }) => sum + growthCounts(version, keys).length, 0));
			},
			TIMEOUT,
		);
	}
});

/** Callers that are kept of a stack. */
const KEPT = 127;

describe("which place", () => {
	for (const version of VERSIONS) {
		tracingTest(
			`stacks as deep as can be kept, deeper ones, inlined functions, Go ${version}`,
			async () => {
				// mapassign, bottom, so many times down, main.main, runtime.main and runtime.goexit.
				const besides = 5;
				const depths = [
					1,
					17,
					18,
					19,
					20,
					21,
					60,
					120,
					KEPT - besides - 1,
					KEPT - besides,
					KEPT - besides + 1,
					400,
					3000,
				];
				const { trace } = await observe("depths", version, depths.map(String));
				const growths = ownGrowths(trace);
				for (const [i, depth] of depths.entries()) {
					const growth = growths[i];
					const names = growth?.stack.map(({ fn }) => fn) ?? [];
					const fits = depth + besides <= KEPT;
					// Of one stack nothing but runtime.goexit is missing, which nobody can know.
					const outer = depth + besides <= KEPT + 1 ? ["main.main", "runtime.main"] : [];
					expect(names).toEqual([
						growth?.fn ?? "",
						...["runtime.mapassign_fast32", "main.bottom"],
						...new Array(Math.min(depth, KEPT - 2)).fill("main.down"),
						...outer,
					]);
					expect({ depth, truncated: growth?.stack_truncated }).toEqual({ depth, truncated: fits ? undefined : true });
				}
				const inlining = growths.slice(depths.length);
				expect(inlining).toHaveLength(1);
				expect(inlining[0]?.stack.map(({ fn, inlined }) => [fn, inlined])).toEqual([
					[inlining[0]?.fn, undefined],
					["runtime.mapassign_fast64", undefined],
					["main.put", true],
					["main.putTwice", true],
					["main.inlining", undefined],
					["main.main", undefined],
					["runtime.main", undefined],
				]);
			},
			TIMEOUT,
		);
	}
});

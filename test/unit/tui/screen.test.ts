import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Aggregator } from "../../../src/analyze/aggregator.ts";
import { displayWidth } from "../../../src/output/ellipsis.ts";
import { renderScreen, type ScreenState } from "../../../src/tui/screen.ts";
import { expectGolden } from "../output/golden.ts";
import { awkwardState, busyState, growth, idleState, probe, RING_LOSS, recordedLedger, target } from "./fixture.ts";

function plain(state: ScreenState, columns: number, rows: number): string[] {
	return renderScreen(state, { columns, rows, color: false });
}

describe("golden screens", () => {
	const cases: [string, ScreenState, number, number][] = [
		["busy", busyState(), 80, 24],
		["busy", busyState(200), 200, 60],
		["busy", busyState(), 40, 10],
		["idle", idleState(), 80, 24],
		["idle", idleState(0), 40, 10],
		["awkward", awkwardState(), 80, 24],
		["awkward", awkwardState(), 120, 16],
		["awkward", awkwardState(), 40, 10],
	];
	for (const [name, state, columns, rows] of cases) {
		test(`${name} ${columns}x${rows}`, async () => {
			const lines = plain(state, columns, rows);
			expect(lines.length).toBe(rows);
			await expectGolden(`screen-${name}-${columns}x${rows}.txt`, lines.map((line) => `${line}\n`).join(""));
		});
	}
});

/** Text with everything that hurts: control sequences, wide and combining characters, brackets, path escapes. */
const name = fc
	.array(
		fc.constantFrom(
			"a",
			"Z",
			".",
			"/",
			"[",
			"]",
			"(",
			"*",
			"%1b",
			"\x1b[31m",
			"\u202e",
			"漢",
			"e\u0301",
			"🙂",
			"\ud800",
			" ",
			"\n",
		),
		{
			maxLength: 40,
		},
	)
	.map((parts) => parts.join(""));

const anyState = fc
	.record({
		processes: fc.array(fc.record({ name, version: name, stripped: fc.boolean(), stepped: fc.boolean() }), {
			maxLength: 4,
		}),
		growths: fc.array(
			fc.record({
				fn: name,
				file: fc.option(name, { nil: undefined }),
				type: name,
				bytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
				capacity: fc.maxSafeNat(),
				iterating: fc.option(fc.boolean(), { nil: undefined }),
				work: fc.maxSafeNat(),
				close: fc.boolean(),
			}),
			{ maxLength: 30 },
		),
		lost: fc.nat(100),
		hint: name,
		elapsedNs: fc.maxSafeNat(),
	})
	.map(({ processes, growths, lost, hint, elapsedNs }): ScreenState => {
		const aggregator = new Aggregator();
		for (const one of growths) {
			const site = { fn: one.fn, line: 7, ...(one.file === undefined ? {} : { file: one.file }) };
			const { bytes: _, iterating: __, ...record } = growth(site, one.type, { capacity_after: one.capacity });
			aggregator.addGrowth({
				...record,
				...(one.bytes === undefined ? {} : { bytes: one.bytes }),
				...(one.iterating === undefined ? {} : { iterating: one.iterating }),
			});
			aggregator.addWork({ pid: 1, fn: one.fn, map_type: one.type, site, calls: one.work });
			if (one.close) aggregator.closeWindow(1e9);
		}
		return {
			targets: processes.map((process, pid) =>
				target({
					pid,
					name: process.name,
					go_version: process.version,
					stripped: process.stripped,
					probes: [probe("f", "growth", process.stepped ? "stepped" : "emulated"), probe("g", "work")],
				}),
			),
			elapsedNs,
			view: aggregator.view(),
			ledger: {
				...recordedLedger(0, 9),
				growth: { hits: 100, recorded: 100 - lost, sampled_out: 0, throttled: 0, lost },
			},
			losses: lost > 0 ? [{ ...RING_LOSS, hint }] : [],
		};
	});

describe("any screen", () => {
	const size = fc.record({ columns: fc.nat(220), rows: fc.nat(70) });

	test("has exactly its rows, none wider than its columns, and nothing that acts on a terminal", () => {
		fc.assert(
			fc.property(anyState, size, (state, { columns, rows }) => {
				const lines = plain(state, columns, rows);
				expect(lines.length).toBe(rows);
				for (const line of lines) {
					expect(displayWidth(line)).toBeLessThanOrEqual(columns);
					expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
				}
			}),
			{ numRuns: 300 },
		);
	});

	test("is the same text in colour", () => {
		fc.assert(
			fc.property(anyState, size, (state, { columns, rows }) => {
				const colored = renderScreen(state, { columns, rows, color: true });
				expect(colored.map((line) => Bun.stripANSI(line))).toEqual(plain(state, columns, rows));
			}),
			{ numRuns: 50 },
		);
	});

	test("a size that is no number gives an empty screen", () => {
		expect(plain(busyState(1), Number.NaN, Number.NaN)).toEqual([]);
	});
});

test("colour uses one accent and marks losses", () => {
	const lines = renderScreen(awkwardState(), { columns: 80, rows: 24, color: true });
	// biome-ignore lint/suspicious/noControlCharactersInRegex: looks for escape sequences
	const codes = new Set(lines.join("").match(/\x1b\[\d+m/g));
	// Bold, dim, inverse and cyan, each with its end; nothing else.
	expect([...codes].sort()).toEqual(
		["\x1b[1m", "\x1b[22m", "\x1b[27m", "\x1b[2m", "\x1b[36m", "\x1b[39m", "\x1b[7m"].sort(),
	);
	expect(lines.at(-2)).toContain("\x1b[7mnot complete: 688 growth hits lost in the ring buffer\x1b[27m");
});

test("what was not measured is a dash, never 0", () => {
	const aggregator = new Aggregator();
	const { bytes: _, iterating: __, ...silent } = growth({ fn: "main.a" }, "map[int]int");
	aggregator.addGrowth(silent);
	aggregator.closeWindow(1e9);
	const state = { ...idleState(), view: aggregator.view() };
	const lines = plain(state, 100, 24);
	const row = lines.findIndex((line) => line.includes("GROW/s"));
	expect(lines[row + 1]?.trim().split(/\s+/)).toEqual(["1", "–", "–", "65,536", "–", "map[int]int", "main.a"]);
	expect(lines[1]).toContain("alloc –  work –");
});

test("sites that grow now come before those that grew", () => {
	const aggregator = new Aggregator({ recentWindows: 1 });
	for (let n = 0; n < 50; n++) aggregator.addGrowth(growth({ fn: "main.past" }, "map[int]int"));
	aggregator.closeWindow(1e9);
	aggregator.addGrowth(growth({ fn: "main.present" }, "map[int]int"));
	aggregator.closeWindow(1e9);
	const lines = plain({ ...busyState(0), view: aggregator.view() }, 80, 24);
	const row = lines.findIndex((line) => line.includes("GROW/s"));
	expect(lines[row + 1]).toContain("main.present");
	expect(lines[row + 2]).toContain("main.past");
});

test("a table that does not fit says how much of it is shown", () => {
	const aggregator = new Aggregator();
	for (let n = 0; n < 100; n++) aggregator.addGrowth(growth({ fn: `main.f${n}` }, "map[int]int"));
	aggregator.closeWindow(1e9);
	const lines = plain({ ...busyState(0), view: aggregator.view() }, 80, 12);
	expect(lines.filter((line) => line.includes("main.f")).length).toBe(6);
	expect(lines.join("\n")).toContain("SITE  6 of 100, mean of 1 s");
});

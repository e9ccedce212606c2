import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { plainWindow } from "../../../src/budget/window-weight.ts";
import type { OverheadRow } from "../../../src/records/records.ts";
import { Sampling } from "../../../src/stats/sampling.ts";
import { displayWidth } from "../../../src/text/width.ts";
import { composeScreen, type ScreenState } from "../../../src/tui/screen.ts";
import { initialUi } from "../../../src/tui/ui-state.ts";
import { expectGolden } from "../report/golden.ts";
import {
	awkwardState,
	busyState,
	growth,
	idleState,
	largeRecording,
	probe,
	Recording,
	RING_LOSS,
	recordedLedger,
	target,
} from "./fixture.ts";
import { plain, pressed, rowLines } from "./shown.ts";

const swiss = target({
	...{ name: "caddy", pid: 99, go_version: "go1.27.3", map_impl: "swiss", stripped: false },
	probes: [probe("internal/runtime/maps.(*table).rehash", "growth")],
});

describe("golden screens", () => {
	const large = largeRecording(300).state({ elapsedNs: 3e9 });
	const cases: [string, ScreenState, number, number, string][] = [
		["busy", busyState(), 40, 10, ""],
		["busy", busyState(), 80, 24, ""],
		["busy", busyState(), 160, 48, ""],
		["busy", busyState(200), 200, 60, ""],
		["idle", idleState(0), 40, 10, ""],
		["idle", idleState(), 80, 24, ""],
		["awkward", awkwardState(), 40, 10, ""],
		["awkward", awkwardState(), 80, 24, ""],
		["awkward", awkwardState(), 120, 16, ""],
		["types", busyState(), 80, 24, "2"],
		["maps", busyState(), 80, 24, "3<down><down>"],
		["goroutines", busyState(), 80, 24, "4s"],
		["processes", awkwardState(), 80, 24, "5"],
		["large", large, 80, 24, "<page-down><page-down>sr"],
		["large", large, 160, 48, "/service_2 part1<enter><end>"],
		["typing", large, 40, 10, "/service_29"],
		["frozen", busyState(), 80, 24, "<down><enter>"],
		["frozen", busyState(), 160, 48, "<down><enter>"],
		["frozen", busyState(), 40, 10, "<enter><down>"],
		["help", busyState(), 80, 24, "?"],
		["help", busyState(), 40, 10, "?<page-down>"],
	];
	for (const [name, state, columns, rows, keys] of cases) {
		test(`${name} ${columns}x${rows}`, async () => {
			const lines = plain(state, columns, rows, pressed(state, columns, rows, keys));
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
				goid: fc.maxSafeNat(),
				nth: fc.nat(3).map((n) => n + 1),
				took: fc.option(fc.maxSafeNat(), { nil: undefined }),
				close: fc.boolean(),
			}),
			{ maxLength: 30 },
		),
		lost: fc.nat(100),
		hint: name,
		overhead: fc.array(
			fc.record(
				{
					pid: fc.nat(3),
					overhead: fc.double({ min: 0, max: 100, noNaN: true }),
					budget: fc.double({ min: 1e-4, max: 1, noNaN: true }),
					work_probed: fc.double({ min: 0, max: 1, noNaN: true }),
					iteration_probed: fc.double({ min: 0, max: 1, noNaN: true }),
					growth_recorded: fc.double({ min: 0, max: 1, noNaN: true }),
				},
				{ requiredKeys: ["pid", "overhead"] },
			),
			{ maxLength: 3 },
		),
		elapsedNs: fc.maxSafeNat(),
	})
	.map(({ processes, growths, lost, hint, overhead, elapsedNs }): ScreenState => {
		const recording = new Recording();
		for (const one of growths) {
			const site = { fn: one.fn, line: 7, ...(one.file === undefined ? {} : { file: one.file }) };
			const { bytes: _, iterating: __, ...record } = growth(site, one.type, { capacity_after: one.capacity });
			recording.growth({
				...record,
				goid: one.goid,
				nth: one.nth,
				start_fn: one.fn,
				created_by: site,
				...(one.bytes === undefined ? {} : { bytes: one.bytes }),
				...(one.iterating === undefined ? {} : { iterating: one.iterating }),
				...(one.took === undefined ? {} : { duration_ns: one.took }),
			});
			recording.work({ pid: 1, fn: one.fn, map_type: one.type, site, calls: one.work });
			if (one.close) recording.close(one.work % 2e9);
		}
		return recording.state({
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
			ledger: {
				...recordedLedger(0, 9),
				growth: { hits: 100, recorded: 100 - lost, sampled_out: 0, throttled: 0, lost },
			},
			losses: lost > 0 ? [{ ...RING_LOSS, hint }] : [],
			overhead,
			kernel: hint,
		});
	});

/** What the user may have done: any keys. */
const anyKeys = fc
	.array(
		fc.oneof(
			fc.constantFrom(..."12345srS/?pjkgG f漢x"),
			fc.constantFrom("<enter>", "<escape>", "<up>", "<down>", "<end>", "<page-down>", "<backspace>", "<left>"),
		),
		{ maxLength: 12 },
	)
	.map((keys) => keys.join(""));

describe("any screen", () => {
	const size = fc.record({ columns: fc.nat(220), rows: fc.nat(70) });

	test("has exactly its rows, none wider than its columns, and nothing that acts on a terminal", () => {
		fc.assert(
			fc.property(anyState, size, anyKeys, (state, { columns, rows }, keys) => {
				const lines = plain(state, columns, rows, pressed(state, columns, rows, keys));
				expect(lines.length).toBe(rows);
				for (const line of lines) {
					expect(displayWidth(line)).toBeLessThanOrEqual(columns);
					expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
				}
			}),
			{ numRuns: 150 },
		);
	}, 60_000);

	test("is the same text in colour", () => {
		fc.assert(
			fc.property(anyState, size, anyKeys, (state, { columns, rows }, keys) => {
				const ui = pressed(state, columns, rows, keys);
				const colored = composeScreen(state, ui, { columns, rows, color: true }).lines;
				expect(colored.map((line) => Bun.stripANSI(line))).toEqual(plain(state, columns, rows, ui));
			}),
			{ numRuns: 50 },
		);
	}, 60_000);

	test("a size that is no number gives an empty screen", () => {
		expect(plain(busyState(1), Number.NaN, Number.NaN)).toEqual([]);
	});
});

test("colour uses one accent and marks losses", () => {
	const state = awkwardState();
	const screen = composeScreen(state, initialUi(), { columns: 80, rows: 24, color: true });
	// biome-ignore lint/suspicious/noControlCharactersInRegex: looks for escape sequences
	const codes = new Set(screen.lines.join("").match(/\x1b\[\d+m/g));
	// Bold, dim, inverse and cyan, each with its end; nothing else.
	expect([...codes].sort()).toEqual(
		["\x1b[1m", "\x1b[22m", "\x1b[27m", "\x1b[2m", "\x1b[36m", "\x1b[39m", "\x1b[7m"].sort(),
	);
	expect(screen.lines.at(-2)).toContain("\x1b[7m688 growth events lost in the ring buffer\x1b[27m");
});

test("what was not measured is a dash, never 0", () => {
	const recording = new Recording();
	const { bytes: _, bytes_moved: __, iterating: ___, ...silent } = growth({ fn: "main.a" }, "map[int]int");
	recording.growth(silent);
	recording.close();
	const state = recording.state({ targets: [swiss] });
	const lines = plain(state, 160, 30);
	expect(rowLines(lines)[0]?.split(/\s+/)).toEqual([
		"▸",
		"1",
		"–",
		"–",
		"–",
		"–",
		"65,536",
		"–",
		"1",
		"–",
		"map[int]int",
		"main.a",
	]);
	expect(lines.find((line) => line.startsWith(" growth work "))).toMatch(/^ growth work +– +– +– /);
	expect(lines.find((line) => line.startsWith(" time in growth "))).toMatch(/^ time in growth +– +– +– /);
	expect(lines.find((line) => line.startsWith(" took "))).toMatch(/all growths +–$/);
	expect(lines.at(-2)).toBe(" growths exact · growth work not measured · overhead – · no events lost");
});

describe("the status line", () => {
	const WORK = { estimate: 1_234_567, low: 1_100_000, high: 1_382_000 };
	const row = { pid: 1, overhead: 0.003, cost_ns_per_second: 3e6, budget: 0.01, limit_ns_per_second: 10e6 };
	const status = (total: Partial<ScreenState["view"]["total"]>, fields: Partial<OverheadRow>, columns: number) => {
		const state = new Recording().state({ ledger: recordedLedger(10, 9) });
		const view = { ...state.view, total: { ...state.view.total, ...total } };
		return plain({ ...state, view, overhead: [{ ...row, ...fields }] }, columns, 24).at(-2);
	};

	test("says what is exact, what is sampled and how wide, what it costs and what would change it", () => {
		expect(status({}, {}, 80)).toBe(" growths, growth work exact · overhead 3 ms/s (limit 10 ms/s) · no events lost");
		expect(status({ work: WORK }, { work_probed: 0.1 }, 120)).toBe(
			" growths exact · growth work sampled, ±12 % · overhead 3 ms/s (limit 10 ms/s) · --budget 5% measures all",
		);
		expect(status({ work: WORK }, { work_probed: 0.1 }, 140)).toEndWith(" · --budget 5% measures all · no events lost");
		expect(status({ work: WORK }, { iteration_probed: 0.1 }, 120)).toContain("±12 % · iterations sampled · overhead ");
		expect(status({ growths: WORK, work: { at_least: 1 } }, {}, 160)).toStartWith(
			" growths sampled, ±12 % · growth work sampled, too little seen for an estimate · overhead ",
		);
		expect(status({}, { limit_ns_per_second: 0 }, 80)).toContain("overhead 3 ms/s (limit 0 ms/s)");
	});

	test("never says that nothing was lost without what was sampled", () => {
		for (let columns = 1; columns < 160; columns++) {
			const line = status({ work: WORK }, { work_probed: 0.1 }, columns) ?? "";
			if (line.includes("no events lost")) expect(line).toContain("growth work sampled, ±12 %");
		}
	});
});

/** Growth work in windows of a twentieth of the time, or not at all; everything else in full. */
function sampledRecording(work: "sampled" | "none"): Recording {
	const sampling = new Sampling();
	const recording = new Recording({ sampling });
	const full = { windows: 0, missed: 0, full: true, sampled: false };
	const site = { fn: "main.fill", file: "/src/main.go", line: 7 };
	const count = { pid: 4711, fn: "runtime.growWork", map_type: "map[int]int", site };
	for (let second = 1; second <= 20; second++) {
		for (const stream of ["large", "small"] as const) sampling.set(4711, stream, full);
		const windows = work === "sampled" ? 20 * second : 0;
		sampling.set(4711, "work", { windows, missed: 0, full: false, sampled: true });
		for (let n = 0; n < 9; n++) recording.growth(growth(site, "map[int]int", { duration_ns: 1000 }));
		for (let index = windows - 20; work === "sampled" && index < windows; index++) {
			const window = plainWindow(index, 20);
			recording.aggregator.addCalls({ ...count, stream: "work", calls: 30 + (index % 3), time_ns: 9000, window });
		}
		recording.close();
	}
	return recording;
}

describe("growth work that is not measured in full", () => {
	test("is marked as an estimate, in the totals and in rows, while growths stay plain", () => {
		const lines = plain(sampledRecording("sampled").state(), 160, 30);
		const [row] = rowLines(lines);
		expect(row).toMatch(/^▸ +9 +~12,400 +18 +kB /);
		expect(lines.find((line) => line.startsWith(" growths "))).toMatch(/^ growths +9 +9 +180 /);
		expect(lines.find((line) => line.startsWith(" growth work "))).toMatch(/^ growth work +~12k +~12k +~248,000 /);
		expect(lines.at(-2)).toMatch(/^ growths exact · growth work sampled, ±\d %/);
	});

	test("is a dash when nothing of it was measured", () => {
		const lines = plain(sampledRecording("none").state(), 160, 30);
		expect(rowLines(lines)[0]).toMatch(/^▸ +9 +– +18 +kB /);
		expect(lines.find((line) => line.startsWith(" growth work "))).toMatch(/^ growth work +– +– +– /);
		expect(lines.at(-2)).toStartWith(" growths exact · growth work not measured");
	});
});

test("sites that grow now come before those that grew", () => {
	const recording = new Recording({ recentWindows: 1 });
	for (let n = 0; n < 50; n++) recording.growth(growth({ fn: "main.past" }, "map[int]int"));
	recording.close();
	recording.growth(growth({ fn: "main.present" }, "map[int]int"));
	recording.close();
	const rows = rowLines(plain(recording.state(), 80, 24));
	expect(rows.map((row) => row.split(/\s+/).at(-1))).toEqual(["main.present", "main.past"]);
});

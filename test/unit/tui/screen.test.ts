import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OverheadRow } from "../../../src/records/records.ts";
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
	expect(screen.lines.at(-2)).toContain("\x1b[7mnot complete: 688 growth hits lost in the ring buffer\x1b[27m");
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
	expect(lines.find((line) => line.startsWith(" work "))).toMatch(/^ work +– +– +– /);
	expect(lines.find((line) => line.startsWith(" growing "))).toMatch(/^ growing +– +– +– /);
	expect(lines.find((line) => line.startsWith(" took "))).toMatch(/all growths +–$/);
	expect(lines.at(-2)).toStartWith(" overhead – · ");
});

test("what probing costs, and what is not seen because of it", () => {
	const state = new Recording().state({ ledger: recordedLedger(10, 9) });
	const status = (row: Omit<OverheadRow, "pid">, columns: number) =>
		plain({ ...state, overhead: [{ pid: 1, ...row }] }, columns, 24).at(-2);
	expect(status({ overhead: 0.006, budget: 0.01 }, 80)).toBe(
		" overhead 0.6 of 1 % · every growth recorded · ledger complete · growth 10",
	);
	const sampled = { overhead: 0.0113, budget: 0.01, work_probed: 0.006, growth_recorded: 0.001 };
	expect(status(sampled, 80)).toBe(" overhead 1.1 of 1 % · GROWTHS SAMPLED, 0.1 % recorded · ledger complete");
	expect(status(sampled, 120)).toBe(
		" overhead 1.1 of 1 % · GROWTHS SAMPLED, 0.1 % recorded · work probed 0.6 % of the time · ledger complete · growth 10",
	);
	const iterations = { overhead: 0.009, budget: 0.01, iteration_probed: 0.004 };
	expect(status(iterations, 80)).toContain(" · iterations probed 0.4 % of the time · ");
	expect(status({ ...iterations, work_probed: 0.006 }, 120)).toContain(
		" · work probed 0.6 %, iterations 0.4 % of the time · ",
	);
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

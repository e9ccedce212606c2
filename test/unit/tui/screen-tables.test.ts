/** Tables of the screen: what their rows show, and in which order. */
import { describe, expect, test } from "bun:test";
import { displayWidth } from "../../../src/text/width.ts";
import { TABLES, type TableName } from "../../../src/tui/rows.ts";
import { composeScreen, lastRows } from "../../../src/tui/screen.ts";
import { initialUi, type UiState } from "../../../src/tui/ui-state.ts";
import {
	busyRecording,
	busyState,
	growth,
	idleState,
	largeRecording,
	Recording,
	recordedLedger,
	target,
} from "./fixture.ts";
import { readHeap } from "./heap-fixture.ts";
import { plain, pressed, shownRow } from "./shown.ts";

describe("tables", () => {
	test("show what was added up", () => {
		const recording = new Recording();
		const site = { fn: "example.com/a.(*Map).Fill", file: "/src/fill.go", line: 7 };
		const start = { fn: "main.main", file: "/src/main.go", line: 3 };
		// 14 growths from 8 to 131,072 slots in two seconds; 1,000 × (2^14 − 1) bytes moved; 1, 2, …, 14 µs.
		for (let n = 0; n < 14; n++) {
			recording.growth(
				growth(site, "map[int]int", {
					...{ map: "0x1", nth: n + 1, capacity_before: 8 << n, capacity_after: 16 << n, bytes_moved: 1000 << n },
					...{ duration_ns: 1000 * (n + 1), goid: 5, start_fn: "main.work", created_by: start, elapsed_ns: n * 1e9 },
				}),
			);
		}
		recording.work({ pid: 4711, fn: "runtime.growWork", map_type: "map[int]int", site, calls: 500 });
		recording.close(2e9);
		const state = recording.state();
		const row = (table: TableName) => shownRow(state, { ...initialUi(), table });
		const sums = { "GROW/s": "7", "GROWTH WORK/s": "250", "COPIED/s": "8.2 MB", GROWTHS: "14", TIME: "105 µs" };
		expect(row("sites")).toMatchObject({
			...{ ...sums, "MAX CAP": "131,072", "DURING RANGE": "0", TYPE: "map[int]int", SITE: "a.(*Map).Fill fill.go:7" },
		});
		expect(row("types")).toMatchObject({ ...sums, "MAX CAP": "131,072", TYPE: "map[int]int" });
		expect(row("maps")).toEqual({
			...{ GROWTHS: "14", FROM: "8", TO: "131,072", ENTRIES: "53,248", COPIED: "16 MB", TIME: "105 µs" },
			...{ LAST: "00:13.0", TYPE: "map[int]int", "GREW AT": "a.(*Map).Fill fill.go:7" },
		});
		expect(row("goroutines")).toEqual({
			...{ "GROW/s": "7", GROWTHS: "14", COPIED: "16 MB", TIME: "105 µs", LONGEST: "14 µs", LAST: "00:13.0" },
			...{ GOROUTINE: "5", RUNS: "main.work", "STARTED BY": "main.main main.go:3" },
		});
		expect(row("processes")).toMatchObject({ ...sums, PID: "4711", PROCESS: "etcd", GO: "1.23.5 classic" });
		// Quantiles of powers of two are off by less than a factor of two.
		for (const table of ["sites", "types", "processes"] as const) {
			const { p50, p99 } = row(table);
			expect(Number.parseFloat(p50 ?? "")).toBeWithin(3.5, 14);
			expect(Number.parseFloat(p99 ?? "")).toBeWithin(7, 14.1);
		}
	});

	test("show iterations that were met when they are watched, else what classic maps say", () => {
		const recording = new Recording();
		const first = growth({ fn: "main.a" }, "map[int]int", { iterating: true });
		recording.growth(first);
		recording.growth({ ...first, iterating: false });
		recording.close();
		expect(shownRow(recording.state(), initialUi())["DURING RANGE"]).toBe("1");
		const { time, elapsed_ns, pid, map_type, map, stack, kind, nth } = first;
		for (let n = 0; n < 3; n++) {
			recording.overlap({
				...{ type: "overlap", time, elapsed_ns, pid, map_type, map },
				...{ growth: { elapsed_ns, nth, kind, stack }, iteration: { elapsed_ns, goid: 9, stack } },
			});
		}
		const ledger = { ...recordedLedger(2, 0), iteration: recordedLedger(5, 0).growth };
		const watched = recording.state({ ledger });
		expect(shownRow(watched, initialUi())["DURING RANGE"]).toBe("3");
		expect(plain(watched, 80, 24).join("\n")).toMatch(/^ kinds .* overlaps 3$/m);
		expect(plain(watched, 160, 48).join("\n")).toContain("goroutine 9 iterates at main.a");
	});

	test("of several processes say whose rows are", () => {
		const recording = new Recording();
		for (const pid of [1, 2]) recording.growth(growth({ fn: "main.fill" }, "map[int]int", { pid, goid: 9 }));
		recording.close();
		const ui: UiState = { ...initialUi(), table: "goroutines" };
		const state = recording.state({ targets: [target({ pid: 1, name: "a" }), target({ pid: 2, name: "b" })] });
		expect([shownRow(state, ui).PID, shownRow(state, ui, 1).PID].sort()).toEqual(["1", "2"]);
		expect(shownRow(recording.state(), ui)).not.toHaveProperty("PID");
	});

	test("have one row for the same place and type of several processes", () => {
		const recording = new Recording();
		for (const pid of [1, 2]) {
			const place = growth({ fn: "main.fill" }, "map[int]int", {
				pid,
				capacity_after: 8 << pid,
				elapsed_ns: pid * 1e9,
			});
			for (let n = 0; n < pid; n++) recording.growth({ ...place, duration_ns: 1000 * pid });
		}
		recording.growth(growth({ fn: "main.other" }, "map[int]int", { pid: 2 }));
		recording.close();
		const state = recording.state({ targets: [target({ pid: 1, name: "a" }), target({ pid: 2, name: "b" })] });
		expect(shownRow(state, initialUi())).toMatchObject({
			...{ GROWTHS: "3", "GROW/s": "3", "MAX CAP": "32", TIME: "5.0 µs", p99: "2.0 µs", SITE: "main.fill" },
		});
		expect(shownRow(state, { ...initialUi(), table: "types" })).toMatchObject({ GROWTHS: "4", TYPE: "map[int]int" });
		const { rows } = composeScreen(state, initialUi(), { columns: 80, rows: 24, color: false });
		expect(rows.map(({ detail }) => [detail?.newest?.pid, detail?.durations?.count])).toEqual([
			[2, 3],
			[2, undefined],
		]);
	});

	test("of single maps and goroutines say what was seen, where not each growth is a record", () => {
		const recording = busyRecording(1);
		const ledger = {
			...recordedLedger(0, 0),
			growth: { hits: 300, recorded: 105, sampled_out: 195, throttled: 0, lost: 0 },
		};
		const state = recording.state({ ledger });
		for (const table of ["maps", "goroutines"] as const) {
			expect(shownRow(state, { ...initialUi(), table }).GROWTHS).toMatch(/^≥\d+$/);
			expect(shownRow(recording.state(), { ...initialUi(), table }).GROWTHS).toMatch(/^\d+$/);
		}
		expect(plain(state, 140, 24).at(-2)).toStartWith(" growths exact, 35 % recorded · growth work exact · ");
	});

	test("say that a process has ended", () => {
		const recording = busyRecording(1);
		const targets = [target()];
		const all = [...targets, target({ pid: 14, name: "worker-with-a-long-name" })];
		const state = recording.state({ targets, all, endedPids: [14] });
		const lines = plain(state, 80, 24, { ...initialUi(), table: "processes" });
		expect(lines.find((line) => line.includes(" 14 "))).toMatch(/wo.*….*me \(ended\)/);
		expect(lines.find((line) => line.includes(" 4711 etcd"))).not.toContain("(ended)");
		expect(plain(busyState(1, { ended: true }), 80, 24)[0]).toContain("etcd 4711 ended");
	});

	test("that do not fit say how many rows there are", () => {
		const lines = plain(largeRecording(100, 1).state(), 80, 24);
		expect(lines.find((line) => line.includes("[1 sites]"))).toContain("100 call sites");
		expect(lines.filter((line) => line.includes("service_")).length).toBe(10);
	});

	test("leave their first rows on the terminal", () => {
		const state = largeRecording(100, 1).state();
		const lines = lastRows(state, initialUi(), { columns: 80, rows: 24, color: false }, 10);
		expect(lines.length).toBe(11);
		expect(lines[0]).toContain("SITE");
		for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
		expect(lines.slice(1).every((line) => line.includes("service_"))).toBe(true);
		expect(lastRows(idleState(), initialUi(), { columns: 80, rows: 24, color: false }, 10)).toEqual([]);
	});

	test("that are empty say why", () => {
		expect(plain(idleState(), 80, 24).join("\n")).toContain(" no map has grown yet, 1 probe ready");
		const state = busyState(2);
		const filtered = pressed(state, 80, 24, "/nothing like it");
		expect(plain(state, 80, 24, filtered).join("\n")).toContain('no row contains "nothing like it"');
		const recording = new Recording();
		const { goid: _, ...nameless } = growth({ fn: "main.a" }, "map[int]int");
		recording.growth(nameless);
		recording.close();
		const lines = plain(recording.state(), 80, 24, { ...initialUi(), table: "goroutines" });
		expect(lines.join("\n")).toContain("goroutines cannot be read");
	});

	test("can be sorted by each of their columns, both ways", () => {
		const state = largeRecording(60).state({ heaps: [readHeap(4711, 1), readHeap(4712, 5)] });
		for (const table of TABLES) {
			const start: UiState = { ...initialUi(), table };
			const { tableColumns } = composeScreen(state, start, { columns: 80, rows: 24, color: false });
			for (const column of tableColumns) {
				for (const reversed of [false, true]) {
					const tables = { ...start.tables, [table]: { column: column.id, reversed, chosen: undefined } };
					const screen = composeScreen(state, { ...start, tables }, { columns: 80, rows: 24, color: false });
					// The sorted column is shown, however narrow the screen.
					const arrow = reversed ? "▴" : "▾";
					expect(screen.lines.join("\n")).toContain(arrow + column.heading);
					const values = screen.rows.map((row) => column.value(row)).filter((value) => value !== undefined);
					const expected = [...values].sort((a, b) =>
						typeof a === "number" && typeof b === "number" ? b - a : String(a) < String(b) ? -1 : 1,
					);
					expect(values).toEqual(reversed ? expected.reverse() : expected);
				}
			}
		}
	});

	test("a row for all the rest is the last, whatever the order", () => {
		const recording = new Recording({ maxRows: 2 });
		for (let n = 0; n < 6; n++) recording.growth(growth({ fn: `main.f${n}` }, "map[int]int"));
		recording.close();
		const state = recording.state();
		for (const keys of ["", "r", "s", "sr"]) {
			const ui = pressed(state, 80, 24, keys);
			const { rows } = composeScreen(state, ui, { columns: 80, rows: 24, color: false });
			expect(rows.map((row) => row.rest)).toEqual([false, false, true]);
			expect(rows.at(-1)?.growths).toBe(4);
		}
	});
});

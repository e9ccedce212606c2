import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OverheadRow } from "../../../src/model/records.ts";
import { displayWidth } from "../../../src/output/ellipsis.ts";
import type { Key, KeyName } from "../../../src/tui/keys.ts";
import { TABLES, type TableName } from "../../../src/tui/rows.ts";
import { composeScreen, type ScreenState } from "../../../src/tui/screen.ts";
import { pressKey } from "../../../src/tui/ui-keys.ts";
import { initialUi, type UiState } from "../../../src/tui/ui-state.ts";
import { expectGolden } from "../output/golden.ts";
import {
	awkwardState,
	busyRecording,
	busyState,
	growth,
	idleState,
	largeRecording,
	measuredLedger,
	probe,
	Recording,
	RING_LOSS,
	recordedLedger,
	target,
} from "./fixture.ts";

function plain(state: ScreenState, columns: number, rows: number, ui = initialUi()): string[] {
	return composeScreen(state, ui, { columns, rows, color: false }).lines;
}

/** The state after these keys: names of keys in angle brackets, other characters as they are. */
function pressed(state: ScreenState, columns: number, rows: number, keys: string, from = initialUi()): UiState {
	const parts: Key[] = (keys.match(/<[^>]+>|./gu) ?? []).map((part) =>
		part.length > 2 && part.startsWith("<") ? { name: part.slice(1, -1) as KeyName } : { text: part },
	);
	return parts.reduce((ui, key) => {
		const screen = composeScreen(state, ui, { columns, rows, color: false });
		const { elapsedNs } = state;
		return pressKey(ui, key, { ...screen, columns: screen.tableColumns, elapsedNs }).ui;
	}, from);
}

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

/** The first row of a table as columns show it, by heading: a dash where nothing was measured. */
function shownRow(state: ScreenState, ui: UiState, index = 0): Record<string, string> {
	const { rows, tableColumns } = composeScreen(state, ui, { columns: 200, rows: 60, color: false });
	const row = rows[index];
	if (row === undefined) throw new Error(`no row ${index}`);
	return Object.fromEntries(
		tableColumns.map((column) => {
			if (column.kind === "text") return [column.heading, column.value(row)];
			const value = column.value(row);
			return [column.heading, value === undefined ? "–" : column.text(value)];
		}),
	);
}

/** Lines of the table below its heading, up to the first blank one. */
function rowLines(lines: readonly string[]): string[] {
	const heading = lines.findIndex((line) => /[▾▴]/.test(line));
	const end = lines.findIndex((line, index) => index > heading && line === "");
	return lines.slice(heading + 1, end);
}

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
		const sums = { "GROW/s": "7", "WORK/s": "250", "MOVED/s": "8.2 MB", GROWTHS: "14", TIME: "105 µs" };
		expect(row("sites")).toMatchObject({
			...{ ...sums, "MAX CAP": "131,072", ITER: "0", TYPE: "map[int]int", SITE: "a.(*Map).Fill fill.go:7" },
		});
		expect(row("types")).toMatchObject({ ...sums, "MAX CAP": "131,072", TYPE: "map[int]int" });
		expect(row("maps")).toEqual({
			...{ GROWTHS: "14", FROM: "8", TO: "131,072", ENTRIES: "53,248", MOVED: "16 MB", TIME: "105 µs" },
			...{ LAST: "00:13.0", TYPE: "map[int]int", "GREW AT": "a.(*Map).Fill fill.go:7" },
		});
		expect(row("goroutines")).toEqual({
			...{ "GROW/s": "7", GROWTHS: "14", MOVED: "16 MB", TIME: "105 µs", LONGEST: "14 µs", LAST: "00:13.0" },
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
		expect(shownRow(recording.state(), initialUi()).ITER).toBe("1");
		const { time, elapsed_ns, pid, map_type, map, stack, kind, nth } = first;
		for (let n = 0; n < 3; n++) {
			recording.overlap({
				...{ type: "overlap", time, elapsed_ns, pid, map_type, map },
				...{ growth: { elapsed_ns, nth, kind, stack }, iteration: { elapsed_ns, goid: 9, stack } },
			});
		}
		const ledger = { ...recordedLedger(2, 0), iteration: recordedLedger(5, 0).growth };
		const watched = recording.state({ ledger });
		expect(shownRow(watched, initialUi()).ITER).toBe("3");
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
		const state = largeRecording(60).state();
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

describe("keys", () => {
	const state = largeRecording(100).state({ elapsedNs: 3e9 });
	const cursorRow = (ui: UiState): string => plain(state, 80, 24, ui).find((line) => line.startsWith("▸")) ?? "";

	test("move the cursor, which stays with its row", () => {
		const [first, second, third] = composeScreen(state, initialUi(), { columns: 80, rows: 24, color: false }).rows;
		expect(pressed(state, 80, 24, "j").tables.sites.chosen).toBe(second?.key as string);
		expect(pressed(state, 80, 24, "<down>jk<up><down>").tables.sites.chosen).toBe(second?.key as string);
		const third_ = pressed(state, 80, 24, "jj");
		expect(third_.tables.sites.chosen).toBe(third?.key as string);
		const before = cursorRow(third_);
		const turned = pressed(state, 80, 24, "r", third_);
		expect(turned.tables.sites.chosen).toBe(third?.key as string);
		expect(cursorRow(turned).trim()).toBe(before.trim());
		expect(pressed(state, 80, 24, "<end>k<up>g", third_).tables.sites.chosen).toBeUndefined();
		expect(first?.key).not.toBe(second?.key);
	});

	test("page through all rows and stop at both ends", () => {
		const { rows, page } = composeScreen(state, initialUi(), { columns: 80, rows: 24, color: false });
		expect(page).toBe(10);
		expect(pressed(state, 80, 24, "<page-down>").tables.sites.chosen).toBe(rows[9]?.key as string);
		const end = pressed(state, 80, 24, "<end><page-down><down>");
		expect(end.tables.sites.chosen).toBe(rows.at(-1)?.key as string);
		expect(cursorRow(end)).not.toBe("");
		expect(pressed(state, 80, 24, "<page-up><up>", end).tables.sites.chosen).toBe(rows.at(-11)?.key as string);
	});

	test("filter while they are typed; escape clears", () => {
		const typing = pressed(state, 80, 24, "/service_42");
		expect(typing.typing).toBe(true);
		expect(plain(state, 80, 24, typing).join("\n")).toContain('"service_42" 1 of 100');
		const kept = pressed(state, 80, 24, "x<backspace><enter>", typing);
		expect([kept.typing, kept.filter]).toEqual([false, "service_42"]);
		expect(pressed(state, 80, 24, "<escape>", kept).filter).toBe("");
		expect(pressed(state, 80, 24, "<escape>", typing)).toMatchObject({ typing: false, filter: "" });
		expect(pressed(state, 80, 24, "q", typing).filter).toBe("service_42q");
		expect(pressed(state, 80, 24, "<ctrl-u><backspace>", typing)).toMatchObject({ typing: false, filter: "" });
	});

	test("freeze a row: it stays as it was while the observation goes on", () => {
		const recording = busyRecording(3);
		const now = recording.state({ elapsedNs: 3e9, ledger: measuredLedger(0, 0) });
		const ui = pressed(now, 120, 30, "j<enter>");
		const frozen = plain(now, 120, 30, ui);
		expect(frozen.join("\n")).toContain("▸ http.Header.Set ‹inl›");
		expect(frozen.join("\n")).toContain("goroutine 813 runs http.(*conn).serve");
		expect(frozen.join("\n")).toContain("started by http.(*Server).Serve server.go:3454 in goroutine 1");
		expect(frozen.join("\n")).toContain("how long its 60 growths took");
		const site = { fn: "net/http.Header.Set", file: "/usr/lib/go/src/net/http/header.go", line: 39 };
		recording.growth(growth(site, "map[string][]string", { goid: 1, duration_ns: 9e9, elapsed_ns: 3.5e9 }));
		recording.close();
		const later = recording.state({ elapsedNs: 4e9, ledger: measuredLedger(0, 0) });
		const body = (lines: string[]) => lines.slice(2, -2);
		expect(body(plain(later, 120, 30, ui))).toEqual(body(frozen));
		// Enter looks again.
		expect(plain(later, 120, 30, pressed(later, 120, 30, "<enter>", ui)).join("\n")).toContain("its 61 growths");
		expect(pressed(later, 120, 30, "<escape>", ui).frozen).toBeUndefined();
	});

	test("scroll what is open, no further than it reaches", () => {
		const busy = busyState(3);
		const help = pressed(busy, 80, 24, "?<end>");
		expect(plain(busy, 80, 24, help).join("\n")).toContain("a dash is what was not measured");
		const { scrollEnd } = composeScreen(busy, help, { columns: 80, rows: 24, color: false });
		expect(help.help).toBe(scrollEnd);
		expect(pressed(busy, 80, 24, "<down><up>", help).help).toBe(scrollEnd - 1);
		expect(pressed(busy, 80, 24, "<escape>", help).help).toBeUndefined();
		const frozen = pressed(busy, 80, 24, "<enter><end>");
		expect(frozen.frozen?.scroll).toBeGreaterThan(0);
		expect(plain(busy, 80, 24, frozen).join("\n")).toMatch(/max$/m);
	});

	test("stop the screen, which says so", () => {
		const ui = pressed(state, 100, 24, "p");
		expect(ui.paused).toBe(true);
		expect(plain({ ...state, nowNs: 9e9 }, 100, 24, ui)[0]).toContain(" paused at 00:03, recording goes on ");
		expect(plain(state, 100, 24, ui).at(-1)).toContain("p go on");
		expect(pressed(state, 100, 24, "p", ui).paused).toBe(false);
	});

	test("are all in the help, and those of the table in its footer", () => {
		const help = plain(state, 80, 60, pressed(state, 80, 60, "?")).join("\n");
		for (const word of ["1 to 5", "enter", "reverse", "/ ", "flame graph", "Ctrl-Z", "q Ctrl-C", "GROW/s"]) {
			expect(help).toContain(word);
		}
		expect(plain(state, 82, 24).at(-1)).toBe(
			" 1-5 view  s sort  r reverse  ↵ stack  / filter  p pause  f flame  ? help  q quit",
		);
		expect(plain(state, 30, 10).at(-1)).toMatch(/\? help {2}q quit$/);
		expect(plain({ ...state, keys: false }, 80, 24).at(-1)).toStartWith(" Ctrl-C quit");
	});

	test("ask for what the screen cannot do itself", () => {
		const screen = composeScreen(state, initialUi(), { columns: 80, rows: 24, color: false });
		const effect = (key: Key, ui = initialUi()) =>
			pressKey(ui, key, { ...screen, columns: screen.tableColumns, elapsedNs: 0 }).effect;
		expect(effect({ text: "q" })).toBe("quit");
		expect(effect({ text: "f" })).toBe("flame");
		expect(effect({ text: "p" })).toBe("pause");
		expect(effect({ name: "ctrl-l" })).toBe("redraw");
		const typing = pressed(state, 80, 24, "/a");
		expect(effect({ text: "q" }, typing)).toBeUndefined();
		// Also while something is being typed.
		for (const ui of [initialUi(), typing]) {
			expect(effect({ name: "ctrl-c" }, ui)).toBe("interrupt");
			expect(effect({ name: "ctrl-z" }, ui)).toBe("suspend");
		}
	});
});

test("tables that were frozen do not change with later growths", () => {
	const recording = busyRecording(2);
	const state = recording.state();
	state.tables.freeze();
	const before = TABLES.map((table) => plain(state, 160, 48, { ...initialUi(), table }));
	for (let n = 0; n < 500; n++) {
		recording.growth(growth({ fn: "main.late" }, "map[string]*store.node", { duration_ns: 1e9, goid: 99 }));
	}
	recording.close();
	expect(TABLES.map((table) => plain(state, 160, 48, { ...initialUi(), table }))).toEqual(before);
});

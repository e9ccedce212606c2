/** What keys do to the screen. */
import { describe, expect, test } from "bun:test";
import type { Key } from "../../../src/tui/keys.ts";
import { TABLES } from "../../../src/tui/rows.ts";
import { composeScreen } from "../../../src/tui/screen.ts";
import { pressKey } from "../../../src/tui/ui-keys.ts";
import { initialUi, type UiState } from "../../../src/tui/ui-state.ts";
import { busyRecording, busyState, growth, largeRecording, measuredLedger } from "./fixture.ts";
import { plain, pressed } from "./shown.ts";

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

	test("filter by regular expressions, and by what must not match", () => {
		const shown = (keys: string): number =>
			composeScreen(state, pressed(state, 80, 24, keys), { columns: 80, rows: 24, color: false }).rows.length;
		expect(shown("/service_4[0-3]\\b")).toBe(4);
		expect(shown("/!service_4")).toBe(100 - shown("/service_4"));
		expect(shown("/service_4 !service_4[12]\\b")).toBe(shown("/service_4") - 2);
		// Not a regular expression yet: taken as it is.
		expect(shown("/service_(")).toBe(0);
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
		expect(plain(busy, 80, 24, help).join("\n")).toContain("– not measured");
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
		for (const word of ["1 to 6", "enter", "reverse", "/ ", "flame graph", "Ctrl-Z", "q Ctrl-C", "GROW/s"]) {
			expect(help).toContain(word);
		}
		expect(plain(state, 82, 24).at(-1)).toBe(
			" 1-6 view  s sort  r reverse  ↵ stack  / filter  p pause  f flame  ? help  q quit",
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

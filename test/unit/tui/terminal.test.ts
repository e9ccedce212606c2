import { describe, expect, test } from "bun:test";
import { Terminal as Emulator } from "@xterm/headless";
import { composeScreen, type ScreenState } from "../../../src/tui/screen.ts";
import { Terminal } from "../../../src/tui/terminal.ts";
import { initialUi } from "../../../src/tui/ui-state.ts";
import { awkwardState, busyState } from "./fixture.ts";

/** A terminal emulator that shows what our terminal writes. */
class Bench {
	readonly emulator: Emulator;
	readonly terminal: Terminal;
	readonly raw: boolean[] = [];
	written = "";

	constructor(columns: number, rows: number) {
		this.emulator = new Emulator({ cols: columns, rows, allowProposedApi: true });
		this.terminal = new Terminal({
			write: (text) => {
				this.written += text;
				this.emulator.write(text);
			},
			size: () => ({ columns: this.emulator.cols, rows: this.emulator.rows }),
			setRawMode: (on) => this.raw.push(on),
		});
	}

	draw(state: ScreenState): string[] {
		let lines: string[] = [];
		this.terminal.draw((size) => {
			lines = composeScreen(state, initialUi(), { ...size, color: true }).lines;
			return lines;
		});
		return lines.map((line) => Bun.stripANSI(line).trimEnd());
	}

	/** What the emulator shows, after it has taken in everything. */
	async shown(): Promise<string[]> {
		await new Promise<void>((resolve) => this.emulator.write("", resolve));
		const buffer = this.emulator.buffer.active;
		return Array.from({ length: this.emulator.rows }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? "");
	}
}

describe("Terminal", () => {
	test("shows exactly the rendered lines, frame after frame", async () => {
		for (const [columns, rows] of [
			[80, 24],
			[40, 10],
			[200, 60],
		] as const) {
			const bench = new Bench(columns, rows);
			bench.terminal.enter();
			for (const state of [busyState(3), awkwardState(), busyState(5)]) {
				const lines = bench.draw(state);
				expect(await bench.shown()).toEqual(lines);
			}
		}
	});

	test("follows a new size at the next frame", async () => {
		const bench = new Bench(80, 24);
		bench.terminal.enter();
		bench.draw(busyState(3));
		for (const [columns, rows] of [
			[50, 12],
			[120, 30],
		] as const) {
			bench.emulator.resize(columns, rows);
			const lines = bench.draw(busyState(3));
			expect(lines.length).toBe(rows);
			expect(await bench.shown()).toEqual(lines);
		}
	});

	test("leaves the screen as it was, once, however often it is asked to", async () => {
		const bench = new Bench(80, 24);
		bench.emulator.write("$ gomapgrow watch\r\n");
		bench.terminal.enter();
		bench.terminal.enter();
		bench.draw(busyState(3));
		await bench.shown();
		expect(bench.emulator.buffer.active.type).toBe("alternate");
		bench.terminal.leave();
		const after = bench.written;
		bench.terminal.leave();
		bench.draw(busyState(4));
		expect(bench.written).toBe(after);
		expect((await bench.shown())[0]).toBe("$ gomapgrow watch");
		expect(bench.emulator.buffer.active.type).toBe("normal");
		expect(bench.emulator.modes.wraparoundMode).toBe(true);
		expect(after.lastIndexOf("\x1b[?25h")).toBeGreaterThan(after.lastIndexOf("\x1b[?25l"));
		expect(bench.raw).toEqual([true, false]);
	});

	test("draws everything again after something else has written to the screen", async () => {
		const bench = new Bench(80, 24);
		bench.terminal.enter();
		const lines = bench.draw(busyState(3));
		bench.emulator.write("\x1b[H\x1b[2Jgarbage");
		bench.draw(busyState(3));
		expect((await bench.shown())[0]).not.toBe(lines[0] as string);
		bench.terminal.forget();
		bench.draw(busyState(3));
		expect(await bench.shown()).toEqual(lines);
	});

	test("can be entered again", async () => {
		const bench = new Bench(80, 24);
		for (let round = 0; round < 2; round++) {
			bench.terminal.enter();
			const lines = bench.draw(busyState(3));
			expect(await bench.shown()).toEqual(lines);
			bench.terminal.leave();
		}
	});

	test("gives the keyboard back even when the screen is gone", () => {
		const raw: boolean[] = [];
		let gone = false;
		const terminal = new Terminal({
			write: () => {
				if (gone) throw new Error("EIO");
			},
			size: () => ({}),
			setRawMode: (on) => raw.push(on),
		});
		terminal.enter();
		gone = true;
		expect(() => terminal.leave()).toThrow("EIO");
		expect(raw).toEqual([true, false]);
	});

	test("writes only lines that changed, and takes an unknown size for 80x24", () => {
		let written = "";
		const terminal = new Terminal({ write: (text) => (written += text), size: () => ({ columns: 0 }) });
		expect(terminal.size()).toEqual({ columns: 80, rows: 24 });
		terminal.enter();
		terminal.draw(() => ["one", "two"]);
		written = "";
		terminal.draw(() => ["one", "three"]);
		expect(written).toContain("three");
		expect(written).not.toContain("one");
	});
});

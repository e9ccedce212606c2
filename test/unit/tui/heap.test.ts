/** The view of the maps that are in the heap, whether they grow or not. */
import { describe, expect, test } from "bun:test";
import type { HeapMaps } from "../../../src/report/heap-maps.ts";
import { initialUi } from "../../../src/tui/ui-state.ts";
import { Recording } from "./fixture.ts";
import { readHeap } from "./heap-fixture.ts";
import { plain, pressed } from "./shown.ts";

/** Nothing has grown in a window. */
function idle(heaps: readonly HeapMaps[] | undefined) {
	const recording = new Recording();
	recording.close();
	return recording.state({ heaps });
}

const text = (lines: readonly string[]): string => lines.join("\n");
/** Without line breaks. */
const flat = (lines: readonly string[]): string => lines.map((line) => line.trim()).join(" ");
const HEAP = { ...initialUi(), table: "heap" as const };

describe("while nothing grows", () => {
	test("it is said what is there, and what growths do not show", () => {
		const shown = flat(plain(idle([readHeap(4711, 3)]), 120, 30));
		expect(shown).toContain("no growth yet, 9 probes ready");
		expect(shown).toContain("3 maps hold 80 MB of the 120 MB in use (67 %)");
		expect(shown).toContain(
			"the largest: 3 entries in 2,089,984 slots, 56 MB, map[string]*main.session, held by main.shrunk",
		);
		for (const unseen of ["made with their size", "up to 8 entries", "clones", "sync.Map"]) {
			expect(shown).toContain(unseen);
		}
		expect(shown).not.toContain("no map has grown yet");
	});

	test("as long as nothing is known of the heap it is not spoken of", () => {
		for (const heaps of [undefined, []]) {
			expect(text(plain(idle(heaps), 120, 30))).toContain("no map has grown yet, 9 probes ready");
		}
	});

	test("of several processes each is named", () => {
		const recording = new Recording();
		recording.close();
		const [target] = recording.state().targets;
		if (target === undefined) throw new Error("no target");
		const heaps: HeapMaps[] = [
			readHeap(4711, 1),
			{ pid: 4712, state: "not read", why: "the process uses 12 GB", onKey: true },
			{ pid: 4713, state: "reading" },
		];
		const state = recording.state({ heaps, targets: [target, { ...target, pid: 4712 }, { ...target, pid: 4713 }] });
		const shown = text(plain(state, 160, 30));
		expect(shown).toContain("process 4711: 1 map holds");
		expect(shown).toContain("process 4712: the maps in the heap are not read: the process uses 12 GB");
		expect(shown).toContain("process 4713: the maps in the heap are being read");
	});
});

describe("the view of the heap", () => {
	test("has the largest maps of all processes, with what is in them and who holds them", () => {
		const growing = { growing: { evacuated: 3, of: 64 }, certainty: "fits" as const };
		const lines = plain(idle([readHeap(4711, 2), readHeap(4712, 1, { ...growing, bytes: 90e6 })]), 140, 40, HEAP);
		const first = lines.findIndex((line) => line.includes("HELD BY"));
		expect(lines[first + 1]).toMatch(/90 +MB +3 2,089,984 +0 % map\[string\]\*main\.session/);
		expect(lines[first + 1]).toContain("growing: 3 of 64 buckets, type fits · main.shrunk");
		expect(lines[first + 2]).toContain("56 MB");
		expect(lines[first + 3]).toContain("(part1.Store).values");
		expect(text(lines)).toContain("3 maps");
	});

	test("a row looked at closely says when it was read, and what shows all", () => {
		const state = idle([readHeap(4711, 2)]);
		const shown = text(plain(state, 140, 40, pressed(state, 140, 40, "6<enter>")));
		expect(shown).toContain("read at 12:00:01 UTC");
		expect(shown).toContain("gomapgrow maps 4711");
		expect(shown).toContain("now 3 entries in 2,089,984 slots, 56 MB");
	});

	test("says why it is empty", () => {
		expect(text(plain(idle(undefined), 100, 30, HEAP))).toContain("the maps in the heap are not looked for");
		const large: HeapMaps = { pid: 4711, state: "not read", why: "the process uses 12 GB", onKey: true };
		const shown = text(plain(idle([large]), 100, 30, HEAP));
		expect(shown).toContain("the process uses 12 GB");
		expect(shown).toContain("c reads them");
		const failed: HeapMaps = { pid: 4711, state: "not read", why: "no privilege", onKey: false };
		expect(text(plain(idle([failed]), 100, 30, HEAP))).not.toContain("c reads them");
	});

	test("what was read is bounded and without escape codes", () => {
		const hostile = { type: "map[int]x\u001b[2J", holder: { kind: "global" as const, path: "main.\u001b[31mx" } };
		const shown = text(plain(idle([readHeap(4711, 1, hostile)]), 100, 30, HEAP));
		expect(shown).not.toContain("\u001b");
	});
});

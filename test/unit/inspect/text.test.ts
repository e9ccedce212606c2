/** The text of `inspect`, exactly. */
import { describe, expect, test } from "bun:test";
import { stripVTControlCharacters } from "node:util";
import type { InspectedExit, InspectedFunction, Inspection } from "../../../src/inspect/record.ts";
import { briefText, inspectText } from "../../../src/inspect/text.ts";
import { labelled, wrap } from "../../../src/text/wrap.ts";
import { expectGolden } from "../report/golden.ts";

function fn(name: string, tier: "growth" | "work", entry: number, distance: number, target: number): InspectedFunction {
	const hex = (value: number): string => `0x${value.toString(16)}`;
	return {
		name,
		address: hex(entry),
		file_offset: entry - 0x400000,
		size_bytes: target + 16,
		tier,
		site: {
			address: hex(entry + distance),
			file_offset: entry - 0x400000 + distance,
			instruction: `jbe +${hex(target)}`,
			cost: "emulated",
			reason:
				"branch of the stack check: once per call with the flags test, arguments in place, emulated by the kernel",
		},
		exits: [],
	};
}

function exit(entry: number, distance: number, instruction: string, rest: Partial<InspectedExit> = {}): InspectedExit {
	const cost = instruction === "ret" ? "stepped" : "emulated";
	return {
		address: `0x${(entry + distance).toString(16)}`,
		file_offset: entry - 0x400000 + distance,
		instruction,
		cost,
		reason: "why",
		tail: { instructions: instruction === "ret" ? 0 : 3, calls: [] },
		...rest,
	};
}

const TABLE = "internal/runtime/maps.(*table)";

const SERVICE: Inspection = {
	exe: "/srv/shop/bin/shopd",
	exe_deleted: true,
	pid: 4711,
	load_bias: "0x55d0a1c00000",
	go_version: "go1.24.4",
	go_version_from: "build-info",
	supported: "1.15 to 1.27",
	map_impl: "swiss",
	arch: "amd64",
	os: "linux",
	stripped: false,
	pie: true,
	static: false,
	cgo: true,
	dwarf_version: 4,
	build_id: "8jKbH3wQeS0zXn5V1dYt/0AqWx3rTgPz7LmKs9uDh/Vb2nM5cRfJ8yEaGtQ6oI/pLkUwZ4xNs0BvHdCjTeX",
	main_package: "example.com/shop/cmd/shopd",
	module: { path: "example.com/shop", version: "v1.8.2" },
	dependencies: 41,
	vcs: {
		system: "git",
		revision: "4f0c2b9e7d1a8f3365c0b1e2d3f4a5968778695a",
		time: "2026-11-01T08:15:00Z",
		modified: true,
	},
	build_settings: {
		"-buildmode": "pie",
		"-compiler": "gc",
		"-gcflags": "all=-N -l",
		CGO_ENABLED: "1",
		GOARCH: "amd64",
	},
	optimized: false,
	inlining: false,
	packages: { total: 260, unoptimized: 214, uninlined: 260 },
	functions: [
		{
			...fn("internal/runtime/maps.(*Map).growToTable", "growth", 0x412ac0, 4, 0x168),
			exits: [
				exit(0x412ac0, 0x80, "ja +0x160", {
					leaves_when: { condition: "a", taken: true },
					tail: { instructions: 1, calls: [] },
				}),
				exit(0x412ac0, 0x167, "ret"),
			],
		},
		{
			...fn(`${TABLE}.rehash`, "growth", 0x415d60, 4, 0x36),
			exits: [
				exit(0x415d60, 0x20, `call ${TABLE}.grow`, { hands_over_to: `${TABLE}.grow` }),
				exit(0x415d60, 0x2b, "jne +0x30", {
					leaves_when: { condition: "ne", taken: false },
					hands_over_to: `${TABLE}.split`,
					tail: { instructions: 8, calls: ["runtime.advanceEvacuationMark"] },
				}),
			],
		},
		{
			...fn("internal/runtime/maps.(*table).grow", "work", 0x415fe0, 9, 0x2197),
			site: { ...fn("", "work", 0x415fe0, 9, 0x2197).site, cost: "stepped", reason: "no branch" } as never,
			exits_missing: "indirect jump at +0x40",
		},
	],
	copies: [],
	functions_absent: [{ name: "internal/runtime/maps.(*table).pruneTombstones", reason: "exists since Go 1.25" }],
	cgo_exports: [
		{ name: "shop_add", fn: "_cgoexp_0123456789ab_shop_add", address: "0x5a1f20", file_offset: 0x1a1f20 },
		{ name: "shop_close", fn: "_cgoexp_0123456789ab_shop_close", address: "0x5a1fa0", file_offset: 0x1a1fa0 },
	],
	layouts: {
		"runtime.g.stack.lo": { offset: 0, from: "dwarf" },
		"runtime.g.goid": { offset: 160, from: "dwarf", agrees: ["table", "code"] },
		"internal/runtime/maps.Map.used": { offset: 0, from: "dwarf" },
		"internal/runtime/maps.table.groups.data": { offset: 16, from: "table" },
	},
	layout_notes: ["from the program's own DWARF; the table for its release says the same"],
	verdict:
		"can be watched: every growth with type, cause, size, goroutine and stack; 3 probes, 1 of them single-stepped",
	watchable: true,
	notes: ["built with -N -l (260 of 260 packages): nothing in them is inlined, so their frames are real calls"],
};

const TOO_OLD: Inspection = {
	exe: "old",
	go_version: "go1.13.8",
	go_version_from: "build-info",
	supported: "1.15 to 1.27",
	arch: "amd64",
	os: "linux",
	stripped: true,
	pie: false,
	static: true,
	dependencies: 0,
	build_settings: {},
	functions: [],
	copies: [],
	functions_absent: [],
	cgo_exports: [],
	layouts: {},
	layout_notes: [],
	verdict: "cannot be watched: go1.13.8 is older than supported (Go 1.15 to 1.27)",
	watchable: false,
	notes: [],
	error: {
		code: "E-BIN-GO-OLD",
		wanted: "a program built with Go 1.15 to 1.27",
		found: "go1.13.8",
		mend: "build the program with Go 1.15 or newer",
	},
};

describe("inspect as text", () => {
	test("a service with everything", async () => {
		await expectGolden("inspect-service.txt", inspectText(SERVICE, false));
	});

	test("what matters first, in ten lines", () => {
		expect(briefText(SERVICE, false).split("\n")).toEqual([
			"/srv/shop/bin/shopd (deleted or replaced since)",
			"  verdict    can be watched: every growth with type, cause, size, goroutine and",
			"             stack; 3 probes, 1 of them single-stepped",
			"  process    4711, load bias 0x55d0a1c00000",
			"  go         go1.24.4, swiss maps, linux/amd64, compiled with -N -l",
			"  file       position-independent, dynamic, cgo, with symbol table, DWARF 4",
			"  module     example.com/shop v1.8.2",
			"  probes     3: growToTable, rehash, grow",
			"  -v shows sites, ends of calls and layouts, and 1 note",
			"",
		]);
		const long = { ...SERVICE, verdict: "can be watched, ".repeat(60) };
		expect(briefText(long, false).trimEnd().split("\n")).toHaveLength(10);
	});

	test("a program that is too old", async () => {
		await expectGolden("inspect-old.txt", inspectText(TOO_OLD, false));
	});

	test("colour changes nothing but the colour", () => {
		for (const inspection of [SERVICE, TOO_OLD]) {
			const colored = inspectText(inspection, true);
			expect(stripVTControlCharacters(colored)).toBe(inspectText(inspection, false));
			expect(colored).not.toBe(inspectText(inspection, false));
		}
		expect(inspectText(SERVICE, true)).toContain("\x1b[32mcan be watched");
		expect(inspectText(TOO_OLD, true)).toContain("\x1b[31mcannot be watched");
	});

	test("lines fit into 80 columns, but for words that are longer", () => {
		for (const line of inspectText(SERVICE, false).split("\n")) {
			const longest = Math.max(
				...line
					.trim()
					.split(" ")
					.map((word) => word.length),
			);
			expect(line.length <= 80 || longest > 60).toBeTrue();
			expect(line).toBe(line.trimEnd());
		}
	});

	test("functions whose calls cannot be seen to end, all for one reason", () => {
		const functions = SERVICE.functions.map((each) => ({
			...each,
			exits: [],
			exits_missing: "the stack is not known",
		}));
		const text = inspectText({ ...SERVICE, functions }, false);
		expect(text).toContain("\nends of calls\n  not seen: the stack is not known\n\n");
	});

	test("functions without a site give their reason", () => {
		const functions = SERVICE.functions.map(({ site: _, ...rest }) => ({
			...rest,
			reason: "arm64 code cannot be probed yet",
		}));
		const text = inspectText({ ...SERVICE, functions }, false);
		expect(text).toMatch(/maps\.\(\*table\)\.rehash +growth +0x415d60 +0x15d60 +none\n/);
		expect(text).toMatch(/^ {2}arm64 code cannot be probed yet$/m);
		expect(text).not.toContain("ends of calls");
	});
});

describe("wrapping", () => {
	test("breaks at spaces only", () => {
		expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
		expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
		expect(wrap("a verylongword b", 5)).toEqual(["a", "verylongword", "b"]);
		expect(wrap("", 5)).toEqual([""]);
	});

	test("by columns, not by characters", () => {
		expect(wrap("漢字 漢字 x", 5)).toEqual(["漢字", "漢字", "x"]);
		expect(wrap("漢字 x", 6)).toEqual(["漢字 x"]);
	});

	test("beside a label", () => {
		expect(labelled("  go", 6, "a b c d e f g h i j k l m n o", 30)).toEqual([
			"  go  a b c d e f g h i j k l",
			"      m n o",
		]);
	});
});

/** Lines of Go source: which make a map of a type, and the edit that gives make its hint. */
import { describe, expect, test } from "bun:test";
import { DIFFERS, type SourceLine, sourceLine } from "../../../src/advise/edit.ts";
import { plainType } from "../../../src/advise/go-source.ts";
import { isPatchable, unifiedDiff } from "../../../src/advise/patch.ts";
import type { Advice } from "../../../src/advise/record.ts";

const advice = (map_type: string, line: number, more: Partial<Advice> = {}): Advice => ({
	...{
		kind: "presize",
		make_at: { fn: "main.f", file: "/src/a.go", line },
		map_type,
		hint: 1664,
		made: 1,
		known: 1,
		grew: 1,
	},
	...{ growths: 7, growths_saved: 7, bytes_saved: 1000, per: "run", own: true },
	...more,
});

function edited(line: string, map_type = "map[string]int", more: Partial<Advice> = {}): string | undefined {
	const found = sourceLine({ text: `package a\n${line}\n` }, advice(map_type, 2, more));
	return typeof found === "string" ? found : (found.edited ?? `(${found.because})`);
}

describe("an edit", () => {
	test.each([
		["	m := make(map[string]int)", "	m := make(map[string]int, 1664)"],
		["	return &T{m: make(map[string]int /* n */), n: 1}", "	return &T{m: make(map[string]int /* n */, 1664), n: 1}"],
		["	m := make( map[string]int, 10 )", "	m := make( map[string]int, 1664 )"],
		["	var m = map[string]int{}", "	var m = make(map[string]int, 1664)"],
		['	f(a, map[string]int{}, "map[string]int{}")', '	f(a, make(map[string]int, 1664), "map[string]int{}")'],
		[
			"	return map[string]int{} // make(map[string]int)",
			"	return make(map[string]int, 1664) // make(map[string]int)",
		],
		[
			'	x, ok := "make(map[string]int)", make(map[string]int)\r',
			'	x, ok := "make(map[string]int)", make(map[string]int, 1664)\r',
		],
	])("%p", (before, after) => {
		expect(edited(before)).toBe(after);
	});

	test.each([
		["	m := make(map[string]int, n)", "(its hint is an expression: n)"],
		['	m := make(map[string]int, len("a"))', "(its hint is an expression: len(   ))"],
		["	m, k := make(map[string]int), make(map[int]bool)", "(the line makes several maps)"],
		['	m := map[string]int{"a": 1}', "(the literal has entries)"],
		["	p := &map[string]int{}", "(what stands before the literal is not understood)"],
		["	m := make(map[string]int,", "(it goes over several lines)"],
		["	m := x.make(map[string]int)", DIFFERS],
		["	// make(map[string]int)", DIFFERS],
		["	s := `make(map[string]int)`", DIFFERS],
		["	m := make(map[string]int64)", DIFFERS],
		["	m := []map[string]int{}", "(what stands before the literal is not understood)"],
		["func f() map[string]int { return nil }", DIFFERS],
		["	c := make(chan map[string]int)", DIFFERS],
		["", DIFFERS],
	])("none of %p", (line, why) => {
		expect(edited(line)).toBe(why);
	});

	test("of nested maps the one that the line makes", () => {
		const nested = "map[string]map[int]bool";
		expect(edited("	m := make(map[string]map[int]bool)", nested)).toBe("	m := make(map[string]map[int]bool, 1664)");
		expect(edited("	m := map[string]map[int]bool{}", nested)).toBe("	m := make(map[string]map[int]bool, 1664)");
		expect(edited("	m := make(map[string]map[int]bool)", "map[int]bool")).toBe(DIFFERS);
	});

	test("a named type, with its package or without", () => {
		expect(edited("	h := make(Header)", "http.Header")).toBe("	h := make(Header, 1664)");
		expect(edited("	h := make(http.Header)", "http.Header")).toBe("	h := make(http.Header, 1664)");
		expect(edited("	h := make(Trailer)", "http.Header")).toBe(DIFFERS);
	});

	test("the number of entries, and what is to be left, are not written by us", () => {
		for (const kind of ["pass-number", "leave", "reuse"] as const) {
			expect(edited("	m := make(map[string]int)", undefined, { kind })).toBe("(it is for you to write)");
		}
	});

	test("none in a file with a make of its own, or within a comment or string over lines", () => {
		const at = (text: string, line: number) => sourceLine({ text }, advice("map[string]int", line));
		expect((at("package a\nfunc make(int) {}\nvar m = make(map[string]int)\n", 3) as SourceLine).because).toContain(
			"of its own",
		);
		expect(at("package a\n/*\nm := make(map[string]int)\n*/\n", 3)).toBe(DIFFERS);
		expect(at("package a\nvar s = `\nm := make(map[string]int)\n`\n", 3)).toBe(DIFFERS);
		expect(at("package a\n", 3)).toBe(DIFFERS);
		expect(at("package a\n", 1e9)).toBe(DIFFERS);
	});

	test("untrusted sources take no long time", () => {
		const long = `m := ${"make(map[".repeat(20_000)}`;
		const started = performance.now();
		edited(long);
		edited("'".repeat(1e6));
		edited("/*".repeat(1e6));
		expect(performance.now() - started).toBeLessThan(10_000);
	});
});

test("types as source and runtime spell them", () => {
	expect(plainType("map[string]interface {}")).toBe(plainType("map[string]any"));
	expect(plainType("map[string]*main.session")).toBe(plainType("map[string]*session"));
	expect(plainType("map[uint8][]int32")).toBe(plainType("map[byte][]rune"));
	expect(plainType("map[a.T]int")).not.toBe(plainType("map[a.U]int"));
});

describe("a diff", () => {
	test("is what patch makes of it: context, neighbours, the end of the file", () => {
		const text = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join("\n");
		const edits = new Map([
			[2, "second"],
			[5, "fifth"],
			[20, "last"],
		]);
		expect(unifiedDiff([{ path: "a/b.go", text, edits }])).toBe(
			[
				...["--- a/a/b.go", "+++ b/a/b.go", "@@ -1,8 +1,8 @@", " line 1", "-line 2", "+second", " line 3", " line 4"],
				...[
					"-line 5",
					"+fifth",
					" line 6",
					" line 7",
					" line 8",
					"@@ -17,4 +17,4 @@",
					" line 17",
					" line 18",
					" line 19",
				],
				...["-line 20", "\\ No newline at end of file", "+last", "\\ No newline at end of file", ""],
			].join("\n"),
		);
	});

	test("names no file outside, and nothing that ends a name", () => {
		expect(["a.go", "a/b.go", "a b.go"].map(isPatchable)).toEqual([true, true, true]);
		const wrong = [
			"",
			"/a.go",
			"../a.go",
			"a/../b.go",
			"./a.go",
			"a\nb.go",
			"a\tb.go",
			'a"b.go',
			"a\\b.go",
			"a//b.go",
			"a\u2028.go",
		];
		expect(wrong.filter(isPatchable)).toEqual([]);
		expect(() => unifiedDiff([{ path: "../x.go", text: "a\n", edits: new Map([[1, "b"]]) }])).toThrow(RangeError);
	});
});

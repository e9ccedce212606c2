import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { shortFile, shortFunction, shortSite } from "../../../src/text/go-names.ts";
import {
	alignDecimal,
	formatBytes,
	formatClock,
	formatCount,
	formatDuration,
	formatRate,
	formatShare,
	perSecond,
	plural,
} from "../../../src/text/units.ts";
import { displayWidth, endEllipsis, middleEllipsis, padEndWidth, padStartWidth } from "../../../src/text/width.ts";
import { labelled, wrap } from "../../../src/text/wrap.ts";

describe("units", () => {
	test("counts", () => {
		expect([0, 999, 1000, 86_688, 1_234_567, 2 ** 53 - 1].map(formatCount)).toEqual([
			"0",
			"999",
			"1,000",
			"86,688",
			"1,234,567",
			"9,007,199,254,740,991",
		]);
		expect([plural(1, "growth"), plural(1204, "growth")]).toEqual(["1 growth", "1,204 growths"]);
		expect([plural(1, "process"), plural(2, "process")]).toEqual(["1 process", "2 processes"]);
	});

	test("bytes go to the next unit before they would need four digits", () => {
		const cases: [number, string][] = [
			[0, "0 B"],
			[999, "999 B"],
			[1000, "1.0 kB"],
			[9_949, "9.9 kB"],
			[9_950, "10 kB"],
			[999_499, "999 kB"],
			[999_500, "1.0 MB"],
			[4_200_000, "4.2 MB"],
			[301_000_000, "301 MB"],
			[9e15, "9.0 PB"],
			[9e18, "9,000 PB"],
		];
		for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
		expect(formatBytes(4_200_000, "")).toBe("4.2MB");
	});

	test("durations", () => {
		const cases: [number, string][] = [
			[0, "0 ns"],
			[850, "850 ns"],
			[1200, "1.2 µs"],
			[90_000, "90 µs"],
			[999_600, "1.0 ms"],
			[4e6, "4.0 ms"],
			[99.96e6, "0.10 s"],
			[0.57e9, "0.57 s"],
			[72e9, "72 s"],
			[600e9, "10 min 0 s"],
			[3605e9, "1 h 0 min 5 s"],
		];
		for (const [ns, text] of cases) expect(formatDuration(ns)).toBe(text);
		expect([0, 72e9, 3599.9e9, 3605e9].map(formatClock)).toEqual(["00:00", "01:12", "59:59", "1:00:05"]);
	});

	test("rates and shares", () => {
		expect([0, 0.01, 0.3, 6.25, 99.96, 1204.4].map((rate) => formatRate(rate))).toEqual([
			"0",
			"<0.1",
			"0.3",
			"6.3",
			"100",
			"1,204",
		]);
		expect(formatRate(1204.4, false)).toBe("1204");
		expect([perSecond(6, 2e9), perSecond(6, 0)]).toEqual([3, 0]);
		expect([formatShare(71, 100), formatShare(8, 1000), formatShare(0, 0)]).toEqual(["71 %", "0.8 %", "0 %"]);
	});

	test("decimal points and units stand in a column", () => {
		expect(alignDecimal(["1,204", "6.3", "–"])).toEqual(["1,204  ", "    6.3", "    –  "]);
		expect(alignDecimal(["442 kB", "8.8 MB", "12 B"])).toEqual(["442   kB", "  8.8 MB", " 12   B "]);
		expect(alignDecimal([])).toEqual([]);
	});
});

test("wrapped text breaks at spaces; a word that is longer sticks out", () => {
	expect(wrap("aaa bbb cccc dddddddddd ee 在庫 管理目録", 8)).toEqual([
		...["aaa bbb", "cccc", "dddddddddd", "ee 在庫", "管理目録"],
	]);
	expect(wrap("", 8)).toEqual([""]);
	expect(labelled("  name", 8, "one two three four", 20)).toEqual(["  name  one two three four"]);
	expect(labelled("  name", 8, "one two three four five", 20)).toEqual(["  name  one two three four", "        five"]);
});

describe("ellipsis", () => {
	test("cuts by display width, never through a character", () => {
		expect(middleEllipsis("store.(*Index).Add", 18)).toBe("store.(*Index).Add");
		expect(middleEllipsis("store.(*Index).Add", 11)).toBe("store…).Add");
		expect(middleEllipsis("在庫管理目録", 12)).toBe("在庫管理目録");
		expect(middleEllipsis("在庫管理目録", 11)).toBe("在庫管…目録");
		expect(middleEllipsis("在庫管理目録", 4)).toBe("在…");
		expect(endEllipsis("在庫管理", 6)).toBe("在庫…");
		expect(endEllipsis("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
		expect([middleEllipsis("abc", 1), middleEllipsis("abc", 0), endEllipsis("abc", 0)]).toEqual(["…", "", ""]);
	});

	test("pads by display width", () => {
		expect([padEndWidth("在庫", 6), padStartWidth("在庫", 6), padEndWidth("abc", 2)]).toEqual([
			"在庫  ",
			"  在庫",
			"abc",
		]);
	});

	test("any text fits", () => {
		fc.assert(
			fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), fc.nat(40), (text, width) => {
				for (const cut of [middleEllipsis(text, width), endEllipsis(text, width)]) {
					expect(displayWidth(cut)).toBeLessThanOrEqual(width);
					if (displayWidth(text) <= width) expect(cut).toBe(text);
				}
			}),
		);
	});
});

describe("shorten", () => {
	test("functions lose the path of their package and their type arguments", () => {
		const cases: [string, string][] = [
			["main.main", "main.main"],
			["example.com/a/store.(*Index).Add", "store.(*Index).Add"],
			["net/http.Header.Set", "http.Header.Set"],
			["gopkg.in/yaml%2ev3.(*Decoder).Decode", "yaml.v3.(*Decoder).Decode"],
			["example.com/x.Map[go.shape.int,example.com/y.T].Put", "x.Map[…].Put"],
			["example.com/x.(*C[go.shape.[]uint8,map[string]a/b.T]).get.func1", "x.(*C[…]).get.func1"],
			["internal/runtime/maps.(*table).rehash", "maps.(*table).rehash"],
			["main.main.func1.2", "main.main.func1.2"],
			["type:.eq.[4]string", "type:.eq.[…]string"],
			["x[[[", "x[…"],
			["x]]]", "x]]]"],
			["", ""],
		];
		for (const [name, short] of cases) expect(shortFunction(name)).toBe(short);
	});

	test("an escaped control character does not come back to life", () => {
		expect(shortFunction("a/b%1b[2J.f")).toBe("b\\x1b[…");
		expect(shortFile("/a/\x1b]0;x\x07.go")).toBe("\\x1b]0;x\\x07.go");
	});

	test("sites", () => {
		expect(shortSite({ fn: "a/b.F", file: "/x/y/index.go", line: 42 })).toBe("b.F index.go:42");
		expect(shortSite({ fn: "a/b.F", file: "<autogenerated>" })).toBe("b.F <autogenerated>");
		expect(shortSite({ fn: "a/b.F", line: 3 })).toBe("b.F");
		expect(shortSite({ fn: "" })).toBe("(unknown)");
	});
});

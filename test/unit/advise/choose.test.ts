/** Which advice follows from what was seen, and what it promises: against what programs really allocated with and without the hint. */
import { describe, expect, test } from "bun:test";
import { chooseAdvice } from "../../../src/advise/choose.ts";
import { makeSites, siteKey } from "../../../src/advise/make-site.ts";
import type { Advice } from "../../../src/advise/record.ts";
import { changeTo, weigh } from "../../../src/advise/weigh.ts";
import { type Pretended, pretendedRow, pretendedTarget } from "./pretended.ts";

function siteOf(...rows: Pretended[]) {
	const impl = rows[0]?.impl ?? "classic";
	const { sites } = makeSites(rows.map(pretendedRow), [pretendedTarget(impl)], new Map());
	const [site] = sites;
	if (site === undefined || sites.length > 1) throw new Error(`${sites.length} sites`);
	return site;
}

const adviceOf = (...rows: Pretended[]): Advice | undefined => chooseAdvice(siteOf(...rows)).advice;

/** Bytes of buckets of Go 1.23 and of groups of Go 1.27. */
const STORAGE = {
	"map[int]int": [144, 136],
	"map[string]int": [208, 200],
	"map[uint64]uint64": [144, 136],
	"map[string]string": [272, 264],
} as const;

function pretend(
	impl: "classic" | "swiss",
	type: keyof typeof STORAGE,
	sizes: Pretended["sizes"],
	more: Partial<Pretended> = {},
): Pretended {
	const storage = STORAGE[type][impl === "classic" ? 0 : 1];
	return { impl, sizes, type, storage, pointers: type.includes("string"), ...more };
}

const MB = 1e6;

// Measured with the programs of the same names: TotalAlloc without and with the hint, Go 1.23 and 1.27.
describe.each(["classic", "swiss"] as const)("%s", (impl) => {
	const of = <T>(classic: T, swiss: T): T => (impl === "classic" ? classic : swiss);

	test.each([0, 0.02, 1])("600 maps of 3,000 entries, sizes of a part of %p unknown", (unknown) => {
		const advice = adviceOf(pretend(impl, "map[int]int", [[3000, 600]], { unknown }));
		// Without any known size the limit of the class.
		expect(advice).toMatchObject({
			kind: "presize",
			hint: unknown < 0.1 ? 3000 : of(3328, 3584),
			made: 600,
			grew: 600,
			per: "second",
		});
		expect((advice?.bytes_saved ?? 0) / MB).toBeCloseTo(of(54.8, 44.65), 0);
	});

	test("two of three sizes of 20 and 2,000: a constant costs, the number saves", () => {
		const site = siteOf(
			pretend(
				impl,
				"map[string]int",
				[
					[20, 32_000],
					[2000, 8000],
				],
				{ unknown: 0.01 },
			),
		);
		const weighed = weigh(site);
		if (weighed === undefined) throw new Error("not weighed");
		expect(changeTo(weighed, 2000)).toMatchObject({ sign: -1 });
		expect(chooseAdvice(site).advice).toMatchObject({ kind: "pass-number", made: 40_000, grew: 40_000 });
	});

	test("one in a hundred grows: leave it", () => {
		const advice = adviceOf(
			pretend(
				impl,
				"map[string]int",
				[
					[3, 1_485_000],
					[100, 15_000],
				],
				{ unknown: 0.01 },
			),
		);
		expect(advice).toMatchObject({ kind: "leave", made: 1_500_000, grew: 15_000 });
		expect(advice?.bytes_saved).toBeLessThan(0);
		const weighed = weigh(
			siteOf(
				pretend(impl, "map[string]int", [
					[3, 1_485_000],
					[100, 15_000],
				]),
			),
		);
		expect(changeTo(weighed as NonNullable<typeof weighed>, 100).bytes / MB).toBeLessThan(-400);
	});

	test("a hint that is too large", () => {
		const advice = adviceOf(pretend(impl, "map[int]int", [[3000, 571]], { hint: 13_400 }));
		expect(advice).toMatchObject({ kind: "smaller", hint: 3000, growths_saved: 0 });
		expect(advice?.share_saved).toBeGreaterThan(0.5);
		expect(advice?.held_bytes_change).toBeLessThan(0);
	});

	test("a hint that fits, and maps that do not grow, give rise to nothing", () => {
		expect(adviceOf(pretend(impl, "map[int]int", [[3000, 571]], { hint: 3000 }))).toBeUndefined();
		expect(adviceOf(pretend(impl, "map[int]int", [[3, 571]]))).toBeUndefined();
		expect(adviceOf(pretend(impl, "map[int]int", [[0, 571]], { unknown: 1 }))).toBeUndefined();
	});

	test("made once: per run", () => {
		const advice = adviceOf(pretend(impl, "map[string]string", [[40_000, 1]], { unknown: 1 }));
		expect(advice).toMatchObject({ kind: "presize", per: "run", made: 1, known: 0, grew: 1 });
		expect(advice?.hint).toBe(of(53_248, 57_344));
		expect(advice?.growths_saved).toBeGreaterThanOrEqual(of(13, 60));
	});

	test("a clone is left alone", () => {
		const row = { ...pretendedRow(pretend(impl, "map[int]int", [[3000, 10]])), clone: true as const };
		const { sites } = makeSites([row], [pretendedTarget(impl)], new Map());
		expect(sites.map(chooseAdvice)).toEqual([{}]);
	});

	test("heap and stack of one line are one advice", () => {
		const rows = (["heap", "stack"] as const).map((on) => pretend(impl, "map[string]string", [[100, 1000]], { on }));
		expect(adviceOf(...rows)).toMatchObject({ kind: "presize", hint: 100, made: 2000 });
	});

	test("where nearly all sizes are open there is no advice whose sign depends on them", () => {
		// 1,000 of 10,000 grew; of the others it is not known whether they are empty.
		const maps = pretend(
			impl,
			"map[int]int",
			[
				[4, 9000],
				[12, 1000],
			],
			{ unknown: 1 },
		);
		const advice = adviceOf(maps);
		expect(advice === undefined || advice.kind === "leave").toBe(true);
	});
});

test("in windows growths are missed: known sizes count", () => {
	const row = pretendedRow(pretend("swiss", "map[int]int", [[3000, 285]], { unknown: 0.05 }));
	const growth_classes = row.growth_classes.map(([slots = 0, count = 0]) => [slots, Math.round(count / 2)]);
	const made = { estimate: 570, low: 500, high: 640 };
	const missed = { ...row, made, grew: 187, growths: row.growths / 2, growth_classes };
	const { sites } = makeSites([missed], [pretendedTarget("swiss")], new Map());
	const [{ advice } = {}] = sites.map(chooseAdvice);
	expect(advice).toMatchObject({
		kind: "presize",
		hint: 3000,
		made: 570,
		grew: 570,
		growths_saved: 5700,
		sampled: true,
	});
});

test("a map that is rebuilt at the same size, again and again", () => {
	const row = pretendedRow(pretend("classic", "map[int]int", [[200, 1]]));
	const churn = new Map([[siteKey(row.pid, row.made_at, row.map_type), new Map([[256, 128]])]]);
	// The row counts them with the others.
	const rebuilt = { ...row, growths: row.growths + 128, growth_classes: [...row.growth_classes, [256, 128]] };
	const { sites } = makeSites([rebuilt], [pretendedTarget("classic")], churn);
	const [{ advice } = {}] = sites.map(chooseAdvice);
	expect(advice).toMatchObject({ kind: "rebuild", hint: 416, per: "run" });
	expect(advice?.growths_saved).toBeGreaterThan(120);
});

test("lines of the program itself, of modules and of the standard library", async () => {
	const { moduleOf } = await import("../../../src/advise/module.ts");
	expect(moduleOf({ fn: "main.f" }, "example.com/a")).toEqual({ module: "example.com/a", own: true });
	expect(moduleOf({ fn: "example.com/a/store.(*T).f" }, "example.com/a")).toEqual({
		module: "example.com/a",
		own: true,
	});
	expect(
		moduleOf({ fn: "example.com/ab.f", file: "/root/go/pkg/mod/example.com/ab@v1.2.3/f.go" }, "example.com/a"),
	).toEqual({ module: "example.com/ab", own: false });
	expect(moduleOf({ fn: "net/http.(*T).f", file: "/usr/lib/go/src/net/http/x.go" }, "example.com/a")).toEqual({
		module: "std",
		own: false,
	});
	expect(
		moduleOf({ fn: "golang.org/x/net/http2.f", file: "golang.org/x/net@v0.1.0/http2/f.go" }, "example.com/a"),
	).toEqual({ module: "golang.org/x/net", own: false });
	expect(moduleOf({ fn: "main.f", file: "/src/f.go" }, undefined)).toEqual({ own: true });
});

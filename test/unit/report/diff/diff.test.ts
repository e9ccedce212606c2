import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRecordings } from "../../../../src/recording/read.ts";
import type { GomapgrowRecord, SiteRow } from "../../../../src/records/records.ts";
import { compareSides, type DiffUnit } from "../../../../src/report/diff/compare.ts";
import { judge, parseLimits } from "../../../../src/report/diff/limits.ts";
import { diffSide, WindowSamples } from "../../../../src/report/diff/side.ts";
import { annotations, changeText, diffMarkdown, diffText } from "../../../../src/report/diff/text.ts";
import { temporaryFolder } from "../../../support/processes.ts";
import { EXAMPLES } from "../../records/example-records.ts";

const folder = temporaryFolder("diff");
const example = <T extends GomapgrowRecord["type"]>(type: T) =>
	EXAMPLES.find((record) => record.type === type) as Extract<GomapgrowRecord, { type: T }>;

interface Recorded {
	command?: "run" | "watch";
	reason?: "target-exit" | "duration";
	complete?: boolean;
	name?: string;
	/** Growths of sites in each window. */
	windows: Record<string, number>[];
	/** Growths of the end are an estimate. */
	estimated?: boolean;
}

const sitesOf = (counts: Record<string, number>): SiteRow[] =>
	Object.entries(counts).map(([fn, growths]) => ({
		...{ pid: 12, fn, file: "/work/shop/main.go", line: fn.length, map_type: "map[int]int", growths },
		...{ bytes: growths * 100, max_capacity: 8 },
	}));

let files = 0;

function recording(recorded: Recorded): string {
	const { command = "run", reason = "target-exit", complete = true, name = "shop", windows, estimated } = recorded;
	const total: Record<string, number> = {};
	for (const window of windows) for (const [fn, count] of Object.entries(window)) total[fn] = (total[fn] ?? 0) + count;
	const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0);
	const ledger = {
		growth: { hits: sum(total), recorded: 0, sampled_out: 0, throttled: sum(total), lost: 0 },
		work: { hits: 0, recorded: 0, sampled_out: 0, throttled: 0, lost: 0 },
	};
	const growths = estimated === true ? { estimate: sum(total), low: 1, high: 10 * sum(total) } : sum(total);
	const common = { work: 0, calls: {}, types: [], latency: [], maps: [], goroutines: [], ledger };
	const records = [
		{ ...example("start"), command: [command], interval_ns: 1e9 },
		{ ...example("target"), pid: 12, name },
		...windows.map((counts, at) => ({
			...{ type: "window", time: example("end").time, elapsed_ns: (at + 1) * 1e9, interval_ns: 1e9, targets: [] },
			...{ growths: sum(counts), bytes: sum(counts) * 100, sites: sitesOf(counts), ...common },
		})),
		{
			...{ type: "end", time: example("end").time, elapsed_ns: windows.length * 1e9, reason, complete },
			...{ growths, bytes: sum(total) * 100, sites: sitesOf(total), ...common },
			measured: { growth: estimated === true ? "sampled" : "all", work: "all", latency: "all" },
		},
	];
	const path = join(folder, `${files++}.ndjson`);
	writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
	return path;
}

async function side(...recordings: Recorded[]) {
	const samples = new WindowSamples();
	const { merged, notes } = await readRecordings(recordings.map(recording), (record) => samples.add(record));
	return diffSide(merged, notes, samples);
}

async function judged(base: Recorded[], now: Recorded[], unit: DiffUnit, limits = "growths=0%") {
	const [before, after] = [await side(...base), await side(...now)];
	const diff = compareSides(before, after, unit);
	return { diff, verdict: judge(diff, parseLimits(limits), before, after) };
}

describe("totals", () => {
	test("what was added, is gone, has changed and is the same", async () => {
		const { diff, verdict } = await judged(
			[{ windows: [{ "main.same": 5, "main.gone": 3, "main.more": 100 }] }],
			[{ windows: [{ "main.same": 5, "main.new": 1, "main.more": 104 }] }],
			"total",
			"growths=5%",
		);
		expect(Object.fromEntries(diff.rows.map(({ fn, status }) => [fn, status]))).toEqual({
			...{ "main.same": "same", "main.gone": "gone", "main.more": "changed", "main.new": "added" },
		});
		expect(diff.all.growths).toMatchObject({ before: 108, after: 110 });
		// From nothing to something is above any limit; four percent are not above five.
		expect(verdict.above.map(({ row }) => row.fn)).toEqual(["main.new"]);
	});

	test("a limit is for its own figure", async () => {
		const { verdict } = await judged(
			[{ windows: [{ "main.a": 100 }] }],
			[{ windows: [{ "main.a": 101 }] }],
			"total",
			"growths=2%,bytes=0.5%",
		);
		expect(verdict.above.map(({ metric }) => metric)).toEqual(["bytes"]);
	});

	test("cannot be judged where something is missing", async () => {
		const whole = { windows: [{ "main.a": 1 }] };
		const cannot = async (now: Recorded, ...base: Recorded[]) =>
			(await judged(base.length === 0 ? [whole] : base, [now], "total")).verdict.cannot;
		expect(await cannot(whole)).toBeUndefined();
		expect(await cannot({ ...whole, complete: false })).toContain("events were lost");
		expect(await cannot({ ...whole, estimated: true })).toContain("growths are an estimate");
		expect(await cannot({ ...whole, command: "watch" })).toContain("--per second");
		expect(await cannot({ ...whole, reason: "duration" })).toContain("--per second");
		expect(await cannot(whole, whole, whole)).toContain("shop was recorded 2 times before and 1 times now");
		// Another test binary is a program of its own.
		expect(await cannot(whole, whole, { ...whole, name: "cart.test" })).toBeUndefined();
	});
});

describe("rates", () => {
	const noisy = (mean: number) => ({
		command: "watch" as const,
		windows: [-9, 7, -5, 9, -3, 1, 4, -4].map((by) => ({ "main.a": mean + by })),
	});

	test("noise is told from change", async () => {
		const same = await judged([noisy(100)], [noisy(102)], "second");
		expect(same.diff.rows[0]?.status).toBe("noise");
		expect(same.verdict.above).toEqual([]);
		const more = await judged([noisy(100)], [noisy(150)], "second");
		expect(more.diff.rows[0]?.status).toBe("changed");
		expect(more.verdict.above).toHaveLength(1);
		// It rose by about half, and by no less than a third.
		expect((await judged([noisy(100)], [noisy(150)], "second", "growths=60%")).verdict.above).toEqual([]);
	});

	test("do not depend on how long each side was recorded", async () => {
		const { diff } = await judged([noisy(100)], [noisy(100), noisy(100)], "second");
		expect(diff.rows[0]?.growths.after).toBeCloseTo(100, 5);
	});

	test("few windows say nothing", async () => {
		const short = { command: "watch" as const, windows: [{ "main.a": 1 }, { "main.a": 9 }] };
		expect((await judged([short], [short], "second")).verdict.cannot).toContain("2 windows are too few");
	});
});

describe("text", () => {
	test("of limits", () => {
		expect([...parseLimits("growths=0%, bytes=5.5%")]).toEqual([
			["growths", 0],
			["bytes", 0.055],
		]);
		for (const wrong of ["", "growths", "growths=5", "time=1%", "growths=1%,growths=2%", "growths=-1%"]) {
			expect(() => parseLimits(wrong)).toThrow("limits after --fail-above");
		}
		const change = (before: number, after: number) => changeText({ before, after, least: 0, most: 0 });
		expect([change(1, 1), change(0, 4), change(4, 0), change(100, 105), change(100, 66)]).toEqual([
			"0 %",
			"new",
			"gone",
			"+5.0 %",
			"-34 %",
		]);
	});

	test("names cannot act on a log, a table or a page", async () => {
		const evil = 'main.x|<script>\n::error::owned%0A`"[a](b)';
		const { diff, verdict } = await judged([{ windows: [{}] }], [{ windows: [{ [evil]: 2 }] }], "total");
		const log = annotations(diff, verdict, "/work/shop");
		expect(log.split("\n")).toHaveLength(2);
		expect(log).toStartWith(`::error file=main.go,line=${evil.length},title=map growth::`);
		expect(log).not.toContain("%0A");
		const page = diffMarkdown(diff, verdict, 20);
		expect(page).not.toContain("<script>");
		const row = page.split("\n").find((line) => line.startsWith("| main"));
		expect(row?.match(/\|/g)).toHaveLength(9);
		const text = diffText(diff, verdict, { columns: Number.POSITIVE_INFINITY, rows: 20, notes: [] });
		expect(text).toStartWith("above the limits: 1 call site\n\ngrowths 0 → 2 (new)");
	});
});

import { describe, expect, test } from "bun:test";
import { RecordingSum } from "../../../src/recording/merge.ts";
import { RecordingReader } from "../../../src/recording/summarize.ts";
import type { GomapgrowRecord, StartRecord } from "../../../src/records/records.ts";
import { reportJson } from "../../../src/report/report-json.ts";
import { reportText } from "../../../src/report/report-text.ts";
import { textTable } from "../../../src/text/text-table.ts";
import { displayWidth } from "../../../src/text/width.ts";
import { type SyntheticOptions, syntheticRecording } from "../../support/synthetic-recording.ts";
import { EXAMPLES } from "../records/example-records.ts";
import { expectGolden } from "./golden.ts";

function mergedOf(...recordings: readonly (readonly GomapgrowRecord[])[]) {
	const sum = new RecordingSum();
	for (const records of recordings) {
		const start = records.find((record): record is StartRecord => record.type === "start");
		const reader = new RecordingReader(start);
		for (const record of records) if (record.type !== "start") reader.add(record);
		sum.add(reader.finish());
	}
	const merged = sum.result();
	if (merged === undefined) throw new Error("nothing was added");
	return merged;
}

function recordsOf(options: SyntheticOptions): GomapgrowRecord[] {
	return syntheticRecording(options).lines.map((line) => JSON.parse(line) as GomapgrowRecord);
}

const options = { columns: Number.POSITIVE_INFINITY, rows: 20, sort: "growths", notes: [] } as const;
const shop = recordsOf({ seed: 3, windows: 6, growthsPerWindow: 50 });

describe("report as text", () => {
	test("fits 80 columns, and never breaks a word", () => {
		const whole = reportText(mergedOf(shop), options);
		const words = new Set(whole.split(/\s+/));
		const narrow = reportText(mergedOf(shop), { ...options, columns: 80 });
		expect(narrow.split("\n").filter((line) => displayWidth(line) > 80)).toEqual([]);
		for (const word of narrow.split(/\s+/)) expect(words.has(word) || word.includes("…")).toBe(true);
		expect(narrow).toContain("GROWTHS");
		expect(narrow).toContain("SITE");
	});

	test("by bytes: the largest first, in each table", () => {
		const text = reportText(mergedOf(shop), { ...options, sort: "bytes" });
		const sites = /call sites\n.*\n([\s\S]*?)\n\n/.exec(text)?.[1]?.split("\n") ?? [];
		expect(sites.length).toBeGreaterThan(1);
		const byGrowths = /call sites\n.*\n([\s\S]*?)\n\n/.exec(reportText(mergedOf(shop), options))?.[1]?.split("\n");
		expect(sites.toSorted()).toEqual(byGrowths?.toSorted() ?? []);
		const { sites: rows } = JSON.parse(reportJson(mergedOf(shop), []));
		const most = rows.toSorted((a: { bytes: number }, b: { bytes: number }) => b.bytes - a.bytes)[0];
		expect(sites[0]).toContain(most.fn.replace(/^.*\//, ""));
	});

	test("golden", () => expectGolden("report-shop.txt", reportText(mergedOf(shop), options)));
	test("golden, all kinds of rows", () => expectGolden("report-examples.txt", reportText(mergedOf(EXAMPLES), options)));
	test("golden, two recordings without their ends, 110 columns, few rows", () => {
		const parts = [shop.slice(0, -1), recordsOf({ seed: 4, windows: 2, growthsPerWindow: 9 }).slice(1, -1)];
		const text = reportText(mergedOf(...parts), {
			columns: 110,
			rows: 3,
			sort: "growths",
			notes: ["a.ndjson: its end is missing"],
		});
		for (const line of text.split("\n").slice(5)) expect(displayWidth(line)).toBeLessThanOrEqual(110);
		return expectGolden("report-two.txt", text);
	});
	test("of nothing but a start", () => {
		expect(reportText(mergedOf(shop.slice(0, 1)), options)).toBe(
			[
				"0 ns · nothing was probed",
				"ledger: not known",
				"recorded 2026-01-31 12:00:00 UTC on db1, Linux 6.18.0: no process is named",
				"",
			].join("\n"),
		);
	});
	test("claims no ledger for a recording that was cut before its first window", () => {
		const growths = shop.findIndex(({ type }) => type === "growth");
		const cut = shop.slice(0, growths + 2);
		expect(cut.map(({ type }) => type)).not.toContain("window");
		const text = reportText(mergedOf(cut), options);
		expect(text).toMatch(/^[^\n]* 2 growths /);
		expect(text).not.toContain("growth work call");
		expect(text).toContain("\nledger: not known\n");
	});
	test("shows no control characters of a file that somebody made", () => {
		const hostile = JSON.parse(
			JSON.stringify([...shop.slice(0, 2), ...EXAMPLES.filter((record) => record.type !== "start")]).replaceAll(
				/"(db1|shop|map\[int\]int|main\.[a-z]+|double|0xabc|go1.23.5|classic)"/g,
				'"$1\\u001b[2J\\u009b\\u202e\\n"',
			),
		) as GomapgrowRecord[];
		const text = reportText(mergedOf(hostile), options);
		expect(text).toContain("\\x1b[2J\\x9b");
		expect(text).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u);
		expect(reportJson(mergedOf(hostile), [])).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u);
	});
});

describe("report as JSON", () => {
	test("has the sums of the end record", () => {
		const { end } = syntheticRecording({ seed: 3, windows: 6, growthsPerWindow: 50 });
		const report = JSON.parse(reportJson(mergedOf(shop), []));
		for (const key of [
			"elapsed_ns",
			"growths",
			"work",
			"bytes",
			"calls",
			"types",
			"sites",
			"goroutines",
			"ledger",
		] as const) {
			expect(report[key]).toEqual(end[key]);
		}
		expect(report.complete).toBe(true);
		expect(report.missing).toEqual([]);
		expect(report.recordings).toMatchObject([
			{
				time: "2026-01-31T12:00:00.000000000Z",
				host: "db1",
				growths: 300,
				peak_growths_per_s: 50,
				reason: "interrupt",
			},
		]);
		const [latency] = report.latency;
		expect(latency).toMatchObject(end.latency[0] ?? {});
		expect(
			latency.p50_ns <= latency.p90_ns && latency.p90_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns,
		).toBe(true);
	});
	test("is not complete when something is missing", () => {
		expect(JSON.parse(reportJson(mergedOf(shop), ["the end"]))).toMatchObject({
			complete: false,
			missing: ["the end"],
		});
		expect(JSON.parse(reportJson(mergedOf(shop.slice(0, -1)), []))).toMatchObject({ complete: false });
	});
});

test("a table cuts its widest texts first", () => {
	const table = [
		{ heading: "N", kind: "number", cells: ["1", "22.5"] },
		{ heading: "NAME", kind: "text", cells: ["a".repeat(40), "b"] },
		{ heading: "SITE", kind: "text", cells: ["s".repeat(14), "倉庫".repeat(9)] },
	] as const;
	expect(textTable(table, 40)).toEqual([
		"   N  NAME              SITE",
		"   1  aaaaaaaa…aaaaaaa  ssssssssssssss",
		"22.5  b                 倉庫倉庫…庫倉庫",
	]);
	expect(textTable(table, Number.POSITIVE_INFINITY)[1]).toBe(`   1  ${"a".repeat(40)}  ${"s".repeat(14)}`);
	expect(textTable(table, 1)[0]).toBe("   N  NAME          SITE");
});

/** Recordings of which part was sampled or not measured, newer ones and older ones. */
import { describe, expect, test } from "bun:test";
import { RecordingSum } from "../../../src/recording/merge.ts";
import { type Recording, RecordingReader } from "../../../src/recording/summarize.ts";
import type { Figure } from "../../../src/records/figure.ts";
import { emptyLedger } from "../../../src/records/ledger.ts";
import type { EndRecord, GrowthRecord, SiteRow, WindowRecord } from "../../../src/records/records.ts";
import { mergedSites, mergedTypes } from "../../../src/stats/row-sums.ts";
import { growthRecord } from "../stats/growth-record.ts";

const time = "2026-01-31T12:00:00.000000000Z";
const tables = { types: [], sites: [], latency: [], maps: [], goroutines: [] };

function windowOf(fields: Partial<WindowRecord>): WindowRecord {
	const base = { elapsed_ns: 0, interval_ns: 1e9, calls: {}, ledger: emptyLedger(), targets: [] };
	return { type: "window", time, ...base, ...tables, ...fields };
}

function endOf(fields: Partial<EndRecord>): EndRecord {
	const base = { elapsed_ns: 3e9, calls: {}, ledger: emptyLedger(), complete: true };
	return { type: "end", time, reason: "interrupt", ...base, ...tables, ...fields };
}

function read(...records: readonly (WindowRecord | EndRecord | GrowthRecord)[]): Recording {
	const reader = new RecordingReader(undefined);
	for (const record of records) reader.add(record);
	return reader.finish();
}

const around = (estimate: number, off: number): Figure => ({ estimate, low: estimate - off, high: estimate + off });
const site = (fields: Partial<SiteRow>): SiteRow => ({
	fn: "main.a",
	map_type: "map[int]int",
	max_capacity: 8,
	...fields,
});

describe("a recording with its end", () => {
	test("has the figures of the end, as they are", () => {
		const sites = [site({ pid: 1, growths: 5, work: around(700, 90), bytes: 60, duration_ns: 4000 })];
		const { sums } = read(endOf({ growths: 5, work: around(700, 90), bytes: 60, sites }));
		expect(sums).toMatchObject({ growths: 5, work: around(700, 90), bytes: 60, sites, time_ns: 4000 });
	});

	test("has no figure that was not measured", () => {
		const { sums } = read(endOf({ growths: 5, sites: [site({ pid: 1, growths: 5 })] }));
		expect(sums).not.toHaveProperty("work");
		expect(sums.sites[0]).not.toHaveProperty("work");
		expect(sums).not.toHaveProperty("time_ns");
	});

	test("of an older version whose calls were estimated is as uncertain as they are", () => {
		const calls = { "runtime.hashGrow": around(1000, 100), "runtime.growWork": 40, "runtime.evacuate": around(80, 9) };
		const { sums } = read(endOf({ growths: 2000, work: 40, calls }));
		expect(sums.growths).toEqual({ estimate: 2000, low: 1800, high: 2200 });
		expect(sums.work).toBe(40);
		expect(sums).not.toHaveProperty("time_ns");
	});
});

describe("a recording without its end", () => {
	test("has the sums of its windows, with their intervals", () => {
		const window = (growths: number, work: Figure, elapsed_ns: number) =>
			windowOf({ growths, work, elapsed_ns, sites: [site({ pid: 1, growths, work, duration_ns: 10 })] });
		const { sums, history, peakRate } = read(window(3, around(300, 30), 1e9), window(5, around(500, 40), 2e9));
		expect(sums).toMatchObject({ growths: 8, work: { estimate: 800, low: 750, high: 850 }, time_ns: 20 });
		expect(sums.sites).toEqual([
			site({ pid: 1, growths: 8, work: { estimate: 800, low: 750, high: 850 }, duration_ns: 20 }),
		]);
		expect([history, peakRate]).toEqual([[3, 5], 5]);
	});

	test("takes a period that is longer than a window from the window in which it ended", () => {
		const [first, second] = [windowOf({ growths: 1, elapsed_ns: 1e9 }), windowOf({ growths: 1, elapsed_ns: 2e9 })];
		const third = windowOf({ growths: 1, work: around(90, 9), covers_ns: 3e9, elapsed_ns: 3e9 });
		expect(read(first, second, third).sums.work).toEqual(around(90, 9));
		// Without the last one nothing is known; without the first ones not all of it.
		expect(read(first, second).sums).not.toHaveProperty("work");
		expect(read(...[4, 5, 6].map((n) => windowOf({ elapsed_ns: n * 1e9 })), third).sums.work).toEqual({ at_least: 81 });
	});

	test("adds the growths since its last window, where every growth is a record", () => {
		const place = site({ pid: 10, file: "/src/a.go", line: 7, growths: 2, work: 9 });
		const window = windowOf({ growths: 2, work: 9, elapsed_ns: 1e9, sites: [place] });
		const { sums } = read(growthRecord(), growthRecord(), window, growthRecord({ bytes: 70 }));
		expect(sums).toMatchObject({ growths: 3, work: 9, kinds: { "table-double": 3 } });
		expect(sums.sites).toMatchObject([{ pid: 10, fn: "main.a", growths: 3, work: 9, max_capacity: 32 }]);
		const { pid: _, ...older } = place;
		const old = read(growthRecord(), growthRecord(), { ...window, sites: [older] }, growthRecord());
		expect(old.sums.sites.map(({ pid, growths }) => [pid, growths])).toEqual([[undefined, 3]]);
	});

	test("and without windows counts its growths with what they stand for, and knows nothing of growth work", () => {
		const { sums } = read(
			growthRecord({ weight: 2.5, bytes: 10 }),
			growthRecord({ bytes: 1 }),
			growthRecord({ weight: 4 }),
		);
		expect(sums).toMatchObject({ growths: 8, bytes: 26, growths_with_bytes: 4, kinds: { "table-double": 8 } });
		expect(sums.sites).toMatchObject([{ pid: 10, growths: 8, bytes: 26 }]);
		for (const part of [sums, ...sums.sites, ...sums.types]) expect(part).not.toHaveProperty("work");
	});

	test("has gaps where growths were not measured, and peaks of what was", () => {
		const windows = [around(10, 1), undefined, { at_least: 900 }, 20].map((growths, n) =>
			windowOf({ elapsed_ns: (n + 1) * 1e9, ...(growths === undefined ? {} : { growths }) }),
		);
		const { history, peakRate, sums } = read(...windows);
		expect([history, peakRate]).toEqual([[10, Number.NaN, Number.NaN, 20], 20]);
		expect(sums.growths).toEqual({ at_least: 929 });
	});
});

describe("several recordings", () => {
	const merged = (...recordings: Recording[]) => {
		const sum = new RecordingSum();
		for (const recording of recordings) sum.add(recording);
		return sum.result()?.sums;
	};

	test("add their figures up, rows of the same process too", () => {
		const one = read(
			endOf({ growths: 5, work: around(100, 30), sites: [site({ pid: 1, growths: 5, work: around(100, 30) })] }),
		);
		const two = read(
			endOf({ growths: 6, work: around(200, 40), sites: [site({ pid: 1, growths: 6, work: around(200, 40) })] }),
		);
		const sums = merged(one, two);
		expect(sums).toMatchObject({ growths: 11, work: around(300, 50) });
		expect(sums?.sites).toEqual([site({ pid: 1, growths: 11, work: around(300, 50) })]);
	});

	test("of which one has not measured it are only known from below", () => {
		const one = read(endOf({ growths: 5, work: 100 }));
		expect(merged(one, read(endOf({ growths: 1 })))).toMatchObject({ growths: 6, work: { at_least: 100 } });
		expect(merged(read(endOf({})), read(endOf({})))).not.toHaveProperty("growths");
	});
});

test("rows that are equal but for the process are one row in views", () => {
	const rows = [
		site({ pid: 1, growths: 5, work: 1 }),
		site({ pid: 2, fn: "main.b", growths: 4, work: 0 }),
		site({ pid: 2, growths: around(3, 2), work: 1, max_capacity: 64 }),
	];
	expect(mergedSites(rows)).toEqual([
		site({ growths: around(8, 2), work: 2, max_capacity: 64 }),
		site({ fn: "main.b", growths: 4, work: 0 }),
	]);
	const types = rows.map(({ fn: _, ...row }) => row);
	expect(mergedTypes(types)).toMatchObject([{ map_type: "map[int]int", growths: around(12, 2), work: 2 }]);
	expect(mergedTypes(types.slice(0, 1))).toEqual(types.slice(0, 1));
});

/** 200,000 different names of everything: sums stay right, and memory within what is stated here. */
import { expect, test } from "bun:test";
import { RecordingSum } from "../../../src/recording/merge.ts";
import { RecordingReader } from "../../../src/recording/summarize.ts";
import { emptyLedger } from "../../../src/records/ledger.ts";
import type { EndRecord, GrowthCause, GrowthKind, LossRecord, WindowRecord } from "../../../src/records/records.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import { CallSums } from "../../../src/stats/call-sums.ts";
import type { Totals } from "../../../src/stats/totals.ts";
import { keptBytes } from "../../support/memory.ts";
import { addGrowth, type Counted, sumOf } from "./counted.ts";
import { growthRecord } from "./growth-record.ts";

const NAMES = 200_000;
const MAX_ROWS = 4096;
/** 17,000 rows with their details are at most this. */
const MAX_BYTES = 64 << 20;
const TIME = "2026-01-31T12:01:08.000000000Z";

function odd(n: number) {
	return growthRecord({
		...{ pid: n, goid: n, map: `0x${n.toString(16)}`, map_type: `map[int]T${n}`, fn: `runtime.f${n}` },
		...{ kind: `k${n}` as GrowthKind, cause: `c${n}` as GrowthCause, bytes: 10, bytes_moved: 5 },
		...{ duration_ns: 64 + ((n * 7919) % 1e9), elapsed_ns: n },
		stack: [{ fn: "runtime.mapassign" }, { fn: `main.f${n}`, file: `/src/f${n}.go`, line: n }],
	});
}

const sum = (rows: Counted[]): number => sumOf(rows, "growths");
const total = (counts: object): number =>
	Object.values(counts as Record<string, number>).reduce((all, n) => all + n, 0);

function expectBounded(totals: Totals, rows: number, functions: number): void {
	expect(totals.growths).toBe(NAMES);
	for (const table of [totals.sites, totals.types]) {
		expect(sum(table)).toBe(NAMES);
		expect(table.length).toBe(rows + 1);
		expect(table.at(-1)).toMatchObject({ map_type: "(other)", growths: NAMES - rows });
	}
	for (const counts of [totals.kinds, totals.causes]) {
		expect(total(counts)).toBe(NAMES);
		expect(Object.keys(counts).length).toBe(65);
	}
	expect(total(totals.calls)).toBe(NAMES);
	expect(Object.keys(totals.calls).length).toBe(functions + 1);
}

test("an observation, its windows and its rows", () => {
	const { value: aggregator, bytes } = keptBytes(() => {
		const aggregator = new Aggregator({ details: true });
		for (let n = 0; n < NAMES; n++) {
			addGrowth(aggregator, odd(n));
			// One window has more rows than any table.
			if (n % 50_000 === 49_999) {
				const window = aggregator.closeWindow(1e9);
				for (const rows of [window.sites, window.types, window.targets]) expect(sum(rows)).toBe(50_000);
				expect(window.maps.length).toBe(100);
			}
		}
		return aggregator;
	});
	expect(bytes).toBeLessThan(MAX_BYTES);
	const totals = aggregator.total();
	expectBounded(totals, MAX_ROWS, 1024);
	expect(totals.folded.growths).toBe(NAMES - MAX_ROWS);
	expect([totals.targets.length, sum(totals.targets)].map((n) => n <= MAX_ROWS + 1 || n)).toEqual([true, NAMES]);
	const { rows } = aggregator.view();
	expect([rows.maps.length <= 8192, rows.goroutines.length <= 8192]).toEqual([true, true]);
	expect(rows.maps.some(({ chain }) => chain.map === `0x${(NAMES - 1).toString(16)}`)).toBe(true);
});

test("a recording without its end", () => {
	const { value: reader, bytes } = keptBytes(() => {
		const reader = new RecordingReader(undefined);
		for (let n = 0; n < NAMES; n++) {
			reader.add(odd(n));
			const { stage, tier } = { stage: `s${n}`, tier: `t${n}` } as unknown as LossRecord;
			reader.add({ type: "loss", time: TIME, stage, tier, lost: 1, total: 1, hint: "" });
		}
		return reader;
	});
	expect(bytes).toBeLessThan(MAX_BYTES);
	const recording = reader.finish();
	expectBounded(recording.sums, MAX_ROWS, 4096);
	expect(recording.losses.length).toBeLessThanOrEqual(64);
});

function windowOf(from: number, to: number): WindowRecord {
	const count = to - from;
	const numbers = Array.from({ length: count }, (_, n) => from + n);
	const empty = { growths: 0, work: 3, bytes: 0, max_capacity: 0 };
	return {
		...{ type: "window", time: TIME, elapsed_ns: 1e9, interval_ns: 1e9, growths: 0, work: 3 * count, bytes: 0 },
		calls: Object.fromEntries(numbers.map((n) => [`f${n}`, 3])),
		types: numbers.map((n) => ({ map_type: `T${n}`, ...empty })),
		sites: numbers.map((n) => ({ fn: `main.f${n}`, map_type: `T${n}`, ...empty, duration_ns: 0 })),
		latency: numbers.map((n) => ({
			...{ fn: `f${n}`, map_type: `T${n}`, count: 3, sum_ns: 300, max_ns: 100, buckets: [{ from_ns: 64, count: 3 }] },
		})),
		...{ maps: [], goroutines: [], ledger: emptyLedger(), targets: [] },
	};
}

test("the windows of a recording", () => {
	const { value: reader, bytes } = keptBytes(() => {
		const reader = new RecordingReader(undefined);
		for (let n = 0; n < NAMES; n += 10_000) reader.add(windowOf(n, n + 10_000));
		return reader;
	});
	expect(bytes).toBeLessThan(MAX_BYTES);
	const { sums } = reader.finish();
	expect([sums.work, sumOf(sums.sites, "work"), total(sums.calls)]).toEqual(Array(3).fill(3 * NAMES));
	expect(sums.latency.reduce((all, { durations }) => all + durations.sumNs, 0)).toBe(300 * NAMES);
	expect([sums.sites.length, sums.latency.length <= 4096 + 257]).toEqual([MAX_ROWS + 1, true]);
});

test("many recordings whose end records have many rows", () => {
	const { value: sums, bytes } = keptBytes(() => {
		const sums = new RecordingSum();
		for (let from = 0; from < NAMES; from += 20_000) {
			const window = windowOf(from, from + 20_000);
			const { calls, types, sites, latency, ledger } = window;
			const end: EndRecord = {
				...{
					type: "end",
					time: TIME,
					elapsed_ns: 1e9,
					reason: "interrupt",
					growths: 0,
					work: window.work ?? 0,
					bytes: 0,
				},
				...{ calls, types, sites, latency, maps: [], goroutines: [], ledger, complete: true },
			};
			const reader = new RecordingReader(undefined);
			for (let n = from; n < from + 20_000; n++) {
				reader.add({
					...{ type: "target", time: TIME, pid: n, name: "x", exe: `/${n}`, go_version: "go1.23.5" },
					...{ map_impl: "classic", arch: "amd64", pie: false, stripped: false, probes: [], not_probed: [] },
				});
			}
			reader.add(end);
			sums.add(reader.finish());
		}
		return sums;
	});
	expect(bytes).toBeLessThan(MAX_BYTES);
	const merged = sums.result();
	if (merged === undefined) throw new Error("nothing was added up");
	expect(merged.recordings.reduce((all, { targets }) => all + targets.length, 0)).toBe(4096);
	for (const rows of [merged.sums.types, merged.sums.sites]) {
		expect([rows.length, sumOf(rows, "work")]).toEqual([8193, 3 * NAMES]);
	}
	expect(merged.sums.latency.reduce((all, { durations }) => all + durations.count, 0)).toBe(3 * NAMES);
	expect(total(merged.sums.calls)).toBe(3 * NAMES);
});

test("calls that are estimated", () => {
	const sums = new CallSums();
	for (let n = 0; n < NAMES; n++) sums.addTo(`f${n}`, n % 2 === 0 ? 2 : { estimate: 2, low: 1, high: 3 });
	const calls = sums.sums();
	expect(Object.keys(calls).length).toBe(4097);
	const rest = (NAMES - 4096) / 2;
	expect(calls["(other)"]).toEqual({ estimate: 4 * rest, low: 3 * rest, high: 5 * rest });
});

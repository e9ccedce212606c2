/** Histograms against the durations themselves. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
	BUCKET_COUNT,
	bucketBounds,
	bucketOf,
	Histogram,
	mergedHistogram,
	OCTAVE_COUNT,
	QUANTILE_ERROR,
} from "../../../src/lib/histogram.ts";

function histogramOf(durations: readonly number[]): Histogram {
	const histogram = new Histogram();
	for (const ns of durations) histogram.add(ns);
	return histogram;
}

/** The smallest duration that the share `q` of all does not exceed. */
function exactQuantile(durations: readonly number[], q: number): number {
	const sorted = durations.toSorted((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

const QUANTILES = [0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1];
const measured = fc.integer({ min: 64, max: 2 ** 32 - 1 });
/** Even by the logarithm, where integers of a range are nearly all long. */
const logarithmic = fc.double({ min: 6, max: 31.99, noNaN: true }).map((log2) => Math.floor(2 ** log2));
const any = fc.oneof(fc.nat(200), logarithmic, measured, fc.integer({ min: 2 ** 32, max: 2 ** 44 }));

describe("buckets", () => {
	test.each([
		[0, 0],
		[63.9, 0],
		[64, 1],
		[67, 1],
		[68, 2],
		[127, 16],
		[128, 17],
		[135, 17],
		[136, 18],
		[2 ** 31, 401],
		[2 ** 32 - 1, 416],
		[2 ** 32, 417],
		[2 ** 60, 417],
		[Number.NaN, 0],
	])("%d ns is in number %d", (ns, bucket) => {
		expect(bucketOf(ns)).toBe(bucket);
	});

	test("follow each other without a gap, none wider than 1/16 of its lower end", () => {
		expect([BUCKET_COUNT, OCTAVE_COUNT]).toEqual([418, 28]);
		expect(bucketBounds(0)).toEqual({ from: 0, to: 64 });
		for (let bucket = 1; bucket < BUCKET_COUNT; bucket++) {
			const { from, to } = bucketBounds(bucket);
			expect(from).toBe(bucketBounds(bucket - 1).to);
			expect([bucketOf(from), bucketOf(from - 0.01)]).toEqual([bucket, bucket - 1]);
			if (bucket < BUCKET_COUNT - 1) expect((to - from) / from).toBeLessThanOrEqual(1 / 16);
		}
		expect(bucketBounds(BUCKET_COUNT - 1)).toEqual({ from: 2 ** 32, to: Number.POSITIVE_INFINITY });
	});
});

describe("quantiles", () => {
	test("are within the stated error of the true ones, whatever the durations", () => {
		expect(QUANTILE_ERROR).toBeLessThan(0.05);
		const durations = fc.array(fc.oneof(measured, logarithmic), { minLength: 1, maxLength: 400 });
		fc.assert(
			fc.property(durations, (values) => {
				const histogram = histogramOf(values);
				for (const q of QUANTILES) {
					const exact = exactQuantile(values, q);
					expect(Math.abs((histogram.quantile(q) ?? 0) - exact) / exact).toBeLessThanOrEqual(QUANTILE_ERROR);
				}
			}),
			{ numRuns: 300 },
		);
	});

	test("of a p99 that sits on an edge between far apart durations are right", () => {
		const values = [...new Array<number>(99).fill(100), 1e9];
		expect(histogramOf(values).quantile(0.99)).toBeCloseTo(100, -1);
		expect(histogramOf([...values, 1e9]).quantile(0.99)).toBeGreaterThan(9e8);
	});

	test("are in order and never above the longest, also where nothing is measured finely", () => {
		fc.assert(
			fc.property(fc.array(any, { minLength: 1, maxLength: 60 }), (values) => {
				const histogram = histogramOf(values);
				const found = QUANTILES.map((q) => histogram.quantile(q) ?? Number.NaN);
				expect(found).toEqual(found.toSorted((a, b) => a - b));
				expect(found.at(-1)).toBe(Math.max(...values));
				expect(found[0]).toBeGreaterThanOrEqual(0);
			}),
		);
	});

	test("of nothing are undefined", () => {
		expect(new Histogram().quantile(0.5)).toBeUndefined();
		expect(Histogram.ofRecord([], 5, 500, 100).quantile(0.5)).toBeUndefined();
	});
});

describe("powers of two", () => {
	/** As older recordings count. */
	function octavesOf(values: readonly number[]): number[] {
		const counts = new Array<number>(OCTAVE_COUNT).fill(0);
		for (const ns of values) {
			const octave = ns < 64 ? 0 : Math.min(OCTAVE_COUNT - 1, Math.floor(Math.log2(ns)) - 5);
			counts[octave] = (counts[octave] ?? 0) + 1;
		}
		return counts;
	}

	test("alone give quantiles within a factor of 2, and are said to be coarse", () => {
		fc.assert(
			fc.property(fc.array(logarithmic, { minLength: 1, maxLength: 100 }), (values) => {
				const max = Math.max(...values);
				const histogram = Histogram.ofOctaves(octavesOf(values), 0, max);
				expect([histogram.coarse, histogram.maxNs]).toEqual([true, max]);
				for (const q of [0.5, 0.9, 0.99]) {
					const [found, exact] = [histogram.quantile(q) ?? 0, exactQuantile(values, q)];
					expect(found).toBeLessThanOrEqual(exact * 2);
					expect(found).toBeGreaterThanOrEqual(exact / 2);
				}
			}),
		);
		expect(histogramOf([100]).coarse).toBe(false);
	});

	test("are spread evenly by their logarithm up to the longest one", () => {
		const counts = new Array<number>(OCTAVE_COUNT).fill(0);
		counts[5] = 100;
		const histogram = Histogram.ofOctaves(counts, 0, 2000);
		expect(histogram.quantile(0.5)).toBeCloseTo(Math.sqrt(1024 * 2000), 6);
		expect([histogram.quantile(0), histogram.quantile(1)]).toEqual([1024, 2000]);
	});

	test("beside finer counts make only their own power of two coarse", () => {
		const histogram = histogramOf([100, 100, 1000, 5000]);
		histogram.merge(Histogram.ofOctaves([0, 0, 0, 0, 2], 1200, 700));
		expect(histogram.count).toBe(6);
		expect(histogram.octaves()).toEqual([
			{ from_ns: 64, count: 2, parts: [0, 0, 0, 0, 0, 0, 0, 0, 0, 2] },
			{ from_ns: 512, count: 3 },
			{ from_ns: 4096, count: 1, parts: [0, 0, 0, 1] },
		]);
		expect(histogram.quantile(1 / 3)).toBe(102);
		expect(histogram.quantile(1)).toBe(5000);
	});

	test("of a window are not above the bucket of its longest duration", () => {
		const coarse = [0, 0, 1];
		expect(Histogram.ofOctaves(coarse, 130, 9_000_000).maxNs).toBe(256);
		const fine = new Array<number>(BUCKET_COUNT).fill(0);
		fine[bucketOf(130)] = 1;
		expect(Histogram.ofCounts(fine, 130, 9_000_000).maxNs).toBe(136);
		expect(Histogram.ofCounts(fine, 130, 131).maxNs).toBe(131);
		expect(Histogram.ofCounts([], 0, 9_000_000).maxNs).toBe(0);
		fine[BUCKET_COUNT - 1] = 1;
		expect(Histogram.ofCounts(fine, 130, 2 ** 41).maxNs).toBe(2 ** 41);
	});
});

describe("sums", () => {
	test("of parts are the sums of all, in whatever order, and copies stay as they are", () => {
		fc.assert(
			fc.property(fc.array(fc.array(any, { maxLength: 20 }), { maxLength: 6 }), (parts) => {
				const all = histogramOf(parts.flat());
				const merged = mergedHistogram(parts.map(histogramOf));
				expect(merged.octaves()).toEqual(all.octaves());
				expect([merged.count, merged.maxNs]).toEqual([parts.flat().length, Math.max(0, ...parts.flat())]);
				expect(merged.sumNs).toBe(parts.flat().reduce((sum, ns) => sum + ns, 0));
				const copy = merged.clone();
				merged.add(77);
				expect([copy.octaves(), copy.count]).toEqual([all.octaves(), all.count]);
			}),
		);
	});

	test("a dense array is the same as single durations", () => {
		fc.assert(
			fc.property(fc.array(any, { minLength: 1, maxLength: 60 }), (values) => {
				const counts = new Array<number>(BUCKET_COUNT).fill(0);
				for (const ns of values) counts[bucketOf(ns)] = (counts[bucketOf(ns)] ?? 0) + 1;
				const sum = values.reduce((all, ns) => all + ns, 0);
				const histogram = Histogram.ofCounts(counts, sum, Math.max(...values));
				expect(histogram).toEqual(histogramOf(values));
				expect(histogram.octaves()).toEqual(histogramOf(values).octaves());
			}),
		);
	});

	test("a duration can stand for several", () => {
		const histogram = new Histogram();
		histogram.add(100, 2.5);
		histogram.add(10_000, 0.5);
		expect([histogram.count, histogram.sumNs, histogram.maxNs]).toEqual([3, 5250, 10_000]);
		expect(histogram.quantile(0.8)).toBe(102);
	});
});

describe("in records", () => {
	test("nothing is lost", () => {
		fc.assert(
			fc.property(fc.array(any, { maxLength: 60 }), (values) => {
				const histogram = histogramOf(values);
				const octaves = JSON.parse(JSON.stringify(histogram.octaves()));
				const read = Histogram.ofRecord(octaves, histogram.count, histogram.sumNs, histogram.maxNs);
				expect(read.octaves()).toEqual(histogram.octaves());
				expect(QUANTILES.map((q) => read.quantile(q))).toEqual(QUANTILES.map((q) => histogram.quantile(q)));
				expect(read.coarse).toBe(false);
			}),
		);
	});

	test("counts by powers of two alone are those of older recordings, and written as they were", () => {
		const octaves = [
			{ from_ns: 0, count: 3 },
			{ from_ns: 1024, count: 7 },
			{ from_ns: 2 ** 32, count: 1 },
		];
		const read = Histogram.ofRecord(octaves, 11, 1e10, 5e9);
		expect([read.octaves(), read.coarse]).toEqual([octaves, true]);
	});

	test("odd ones are taken for what they can be", () => {
		const read = Histogram.ofRecord(
			[
				{ from_ns: -5, count: 1 },
				{ from_ns: 100, count: 2 },
				{ from_ns: 1024, count: 4, parts: [1, 1] },
				{ from_ns: 2048, count: 20, parts: new Array<number>(20).fill(1) },
				{ from_ns: 0, count: 1, parts: [0, 1] },
				{ from_ns: 4096, count: Number.POSITIVE_INFINITY },
				{ from_ns: 1e300, count: 1 },
			],
			28,
			1e6,
			1e6,
		);
		expect(read.octaves()).toEqual([
			{ from_ns: 0, count: 1 },
			{ from_ns: 64, count: 2 },
			{ from_ns: 1024, count: 4 },
			{ from_ns: 2048, count: 20 },
			{ from_ns: 2 ** 32, count: 1 },
		]);
	});

	test("never more than 418 numbers and the powers of two, however many durations", () => {
		const histogram = new Histogram();
		for (let n = 0; n < 200_000; n++) histogram.add((n * 7919 * 7919) % 2 ** 34);
		histogram.merge(Histogram.ofOctaves(new Array<number>(OCTAVE_COUNT).fill(1), 0, 0));
		expect(histogram.size).toBeLessThanOrEqual(BUCKET_COUNT + OCTAVE_COUNT);
	});
});

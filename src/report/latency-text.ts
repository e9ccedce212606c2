/** Latency: quantiles of durations, and their histogram by powers of two as text. */

import type { Histogram } from "../lib/histogram.ts";
import { formatCount, formatDuration, formatShare } from "../text/units.ts";
import { displayWidth, endEllipsis, padStartWidth } from "../text/width.ts";

export interface LatencyQuantiles {
	p50: number;
	p90: number;
	p99: number;
	/** Exact. */
	max: number;
}

interface Bucket {
	from: number;
	count: number;
}

/** End of the bucket that begins at 0: what is shorter is not told apart. */
const FIRST_END_NS = 64;

/** Undefined without durations. */
export function latencyQuantiles(durations: Histogram): LatencyQuantiles | undefined {
	const [p50, p90, p99] = [0.5, 0.9, 0.99].map((q) => durations.quantile(q));
	if (p50 === undefined || p90 === undefined || p99 === undefined) return undefined;
	return { p50, p90, p99, max: durations.maxNs };
}

/** Every power of two from the first bucket to the last, also the empty ones between. */
function filled(durations: Histogram): Bucket[] {
	const buckets = durations.octaves();
	const [first] = buckets;
	const last = buckets.at(-1);
	if (first === undefined || last === undefined) return [];
	const counts = new Map(buckets.map(({ from_ns, count }) => [from_ns, count]));
	const rows: Bucket[] = [];
	for (let from = first.from_ns; from <= last.from_ns; from = from === 0 ? FIRST_END_NS : from * 2) {
		rows.push({ from, count: counts.get(from) ?? 0 });
	}
	return rows;
}

const HEIGHTS = "▁▂▃▄▅▆▇█";
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/** A bar of `eighths` eighths of a column. */
function bar(eighths: number): string {
	return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

/** The shape of the histogram, one column for each bucket from the shortest to the longest; a blank is an empty one. */
export function latencyShape(durations: Histogram): string {
	const rows = filled(durations);
	const most = Math.max(0, ...rows.map(({ count }) => count));
	return rows
		.map(({ count }) => (count === 0 ? " " : (HEIGHTS[Math.ceil((count / most) * HEIGHTS.length) - 1] ?? "▁")))
		.join("");
}

/** `p50 1.2 µs  p90 9.0 µs  p99 90 µs  max 410 µs  ▂▅█▆▃▁▁`, at most `columns` wide: the shape goes first, then the longest numbers. */
export function latencyLine(durations: Histogram, columns: number): string {
	const quantiles = latencyQuantiles(durations);
	if (quantiles === undefined) return endEllipsis("no durations", columns);
	const fields = Object.entries(quantiles).map(([name, ns]) => `${name} ${formatDuration(ns)}`);
	fields.push(latencyShape(durations));
	while (fields.length > 1 && displayWidth(fields.join("  ")) > columns) fields.pop();
	return endEllipsis(fields.join("  "), columns);
}

/**
 * The histogram as lines of at most `columns`: where each bucket begins, a bar, its count, its share, and the quantiles that lie in it. Longer
 * than `rows` lines, buckets at both ends are summed up in one line each ("up to", "from").
 */
export function latencyHistogram(durations: Histogram, columns: number, rows = 24): string[] {
	const quantiles = latencyQuantiles(durations);
	if (quantiles === undefined) return [endEllipsis("no durations", columns)];
	const shown = limited(filled(durations), Math.max(3, rows));
	const total = shown.reduce((sum, { count }) => sum + count, 0);
	const most = Math.max(...shown.map(({ count }) => count));
	const starts = padded(shown.map(({ label }) => label));
	const counts = padded(shown.map(({ count }) => formatCount(count)));
	const shares = padded(shown.map(({ count }) => formatShare(count, total)));
	const marks = shown.map((bucket, index) => {
		const last = index === shown.length - 1;
		return Object.entries(quantiles)
			.filter(([, ns]) => (ns > bucket.from || index === 0) && (last || ns <= (shown[index + 1]?.from ?? 0)))
			.map(([name]) => name)
			.join(" ");
	});
	const markWidth = Math.max(...marks.map((mark) => mark.length));
	const fixed = [starts, counts, shares].reduce((sum, texts) => sum + displayWidth(texts[0] ?? ""), markWidth);
	const room = Math.max(1, columns - fixed - 8);
	return shown.map(({ count }, index) => {
		const eighths = count === 0 ? 0 : Math.max(1, Math.round((count / most) * room * 8));
		const drawn = bar(eighths).padEnd(room);
		const line = `${starts[index]} ┤${drawn}  ${counts[index]}  ${shares[index]}  ${marks[index]}`;
		return endEllipsis(line.trimEnd(), columns);
	});
}

function padded(texts: readonly string[]): string[] {
	const width = Math.max(...texts.map(displayWidth));
	return texts.map((text) => padStartWidth(text, width));
}

interface ShownBucket {
	from: number;
	count: number;
	label: string;
}

function limited(buckets: readonly Bucket[], rows: number): ShownBucket[] {
	const shown = buckets.map(({ from, count }): ShownBucket => ({ from, count, label: formatDuration(from) }));
	const fold = (drop: ShownBucket | undefined, keep: ShownBucket | undefined, label: string): void => {
		if (drop === undefined || keep === undefined) return;
		keep.count += drop.count;
		keep.label = label;
	};
	while (shown.length > rows) {
		const first = shown[0];
		const last = shown.at(-1);
		// The end with fewer durations is the less interesting one.
		if ((first?.count ?? 0) <= (last?.count ?? 0)) {
			shown.shift();
			fold(first, shown[0], `up to ${formatDuration(shown[1]?.from ?? 0)}`);
			if (shown[0] !== undefined && first !== undefined) shown[0].from = first.from;
		} else {
			shown.pop();
			fold(last, shown.at(-1), `from ${formatDuration(shown.at(-1)?.from ?? 0)}`);
		}
	}
	return shown;
}

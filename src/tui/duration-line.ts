/** How long growths took: of one row, or of all. */

import type { LatencyRow } from "../records/records.ts";
import { latencyLine, latencyQuantiles, mergeLatency } from "../report/latency-text.ts";
import { growthLatency, moveLatency } from "../stats/latency.ts";
import { formatDuration } from "../text/units.ts";
import { DASH } from "./columns.ts";
import { joinFields, type Line, type Span } from "./line.ts";

/** Durations of all growths since the start, and of all calls that move entries of classic maps. */
export function allDurations(latency: readonly LatencyRow[]): { growths: LatencyRow; moves: LatencyRow } {
	return {
		growths: mergeLatency("", "", growthLatency(latency)),
		moves: mergeLatency("", "", moveLatency(latency)),
	};
}

/** Quantiles and shape in one line. `label`: whose they are. `moves`: shown behind them when there is room. */
export function tookLine(
	label: string,
	row: LatencyRow | undefined,
	moves: LatencyRow | undefined,
	columns: number,
): Span[] {
	const start: Line = [{ text: ` took   ${label} `, style: "dim" }];
	if (row === undefined || row.count === 0) return joinFields([[...start, { text: DASH }]], "", columns);
	const used = 9 + label.length;
	const growths: Line = [...start, { text: `${latencyLine(row, Math.max(12, columns - used))}` }];
	const own = moves === undefined ? undefined : latencyQuantiles(moves);
	if (own === undefined) return joinFields([growths], "", columns);
	const p = (name: string, ns: number): string => `${name} ${formatDuration(ns)}`;
	const text = `each work call ${p("p50", own.p50)}  ${p("p99", own.p99)}  ${p("max", own.max)}`;
	return joinFields([growths, [{ text }]], " · ", columns);
}

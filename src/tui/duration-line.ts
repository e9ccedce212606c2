/** How long growths took: of one row, or of all. */

import type { Histogram } from "../lib/histogram.ts";
import { latencyLine, latencyQuantiles } from "../report/latency-text.ts";
import { formatDuration } from "../text/units.ts";
import { DASH } from "./columns.ts";
import { joinFields, type Line, type Span } from "./line.ts";

/** Quantiles and shape in one line. `label`: whose they are. `moves`: shown behind them when there is room. */
export function tookLine(
	label: string,
	durations: Histogram | undefined,
	moves: Histogram | undefined,
	columns: number,
): Span[] {
	const start: Line = [{ text: ` took   ${label} `, style: "dim" }];
	if (durations === undefined || durations.count === 0) return joinFields([[...start, { text: DASH }]], "", columns);
	const used = 9 + label.length;
	const growths: Line = [...start, { text: `${latencyLine(durations, Math.max(12, columns - used))}` }];
	const own = moves === undefined ? undefined : latencyQuantiles(moves);
	if (own === undefined) return joinFields([growths], "", columns);
	const p = (name: string, ns: number): string => `${name} ${formatDuration(ns)}`;
	const text = `each growth work call ${p("p50", own.p50)}  ${p("p99", own.p99)}  ${p("max", own.max)}`;
	return joinFields([growths, [{ text }]], " · ", columns);
}

import { sanitize } from "../lib/sanitize.ts";
import type { SiteRow } from "../records/records.ts";
import { allDurations, growthLatency, type LatencySum } from "../stats/latency.ts";
import { shortSite } from "../text/go-names.ts";
import { formatBytes, formatDuration, formatRate, NOT_MEASURED, perSecond } from "../text/units.ts";

/**
 * What a line of the pipe format needs; a WindowRecord has all of it but `bytes_moved`, `latency` as sums and
 * `measured`.
 */
export interface WindowLineInput {
	/** RFC 3339; the line shows its time of day (UTC). */
	time: string;
	interval_ns: number;
	growths: number;
	work: number;
	bytes: number;
	/** Bytes of the entries that growths copy. */
	bytes_moved: number;
	latency: readonly LatencySum[];
	sites: readonly SiteRow[];
	targets: readonly { pid: number; name: string }[];
	/** What has probes or was readable; the rest shows "-". */
	measured: { growth: boolean; work: boolean; bytes: boolean; moved: boolean };
}

/** `etcd/4711`, or `3-processes`; without blanks, so that every line has the same fields. */
function targetText(targets: WindowLineInput["targets"]): string {
	const [first, ...others] = targets;
	if (first === undefined) return NOT_MEASURED;
	if (others.length > 0) return `${targets.length}-processes`;
	return `${sanitize(first.name).replace(/\s+/gu, "_")}/${first.pid}`;
}

/** The duration below which 99 of 100 growths of the window stayed, in ASCII and without a blank. */
function p99Text(latency: readonly LatencySum[]): string {
	const p99 = allDurations(growthLatency(latency)).quantile(0.99);
	return p99 === undefined ? NOT_MEASURED : formatDuration(p99).replaceAll(" ", "").replace("µ", "u");
}

/**
 * A window as one line for pipes, with its line feed and no escape codes. The fields and their order are stable; `top`
 * is last because names of functions may hold blanks.
 * `12:01:07 etcd/4711 growth=1204/s work=0/s alloc=8.4MB/s moved=4.2MB/s p99=90us top=store.(*Index).Add index.go:42`
 */
export function windowLine(window: WindowLineInput): string {
	const rate = (count: number): string => `${formatRate(perSecond(count, window.interval_ns), false)}/s`;
	const bytes = (count: number): string => `${formatBytes(perSecond(count, window.interval_ns), "")}/s`;
	const top = window.sites[0];
	const fields = [
		sanitize(window.time.slice(11, 19)),
		targetText(window.targets),
		`growth=${window.measured.growth ? rate(window.growths) : NOT_MEASURED}`,
		`work=${window.measured.work ? rate(window.work) : NOT_MEASURED}`,
		`alloc=${window.measured.bytes ? bytes(window.bytes) : NOT_MEASURED}`,
		`moved=${window.measured.moved ? bytes(window.bytes_moved) : NOT_MEASURED}`,
		`p99=${p99Text(window.latency)}`,
		`top=${top === undefined ? NOT_MEASURED : shortSite(top)}`,
	];
	return `${fields.join(" ")}\n`;
}

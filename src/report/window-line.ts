import { sanitize } from "../lib/sanitize.ts";
import type { Figure } from "../records/figure.ts";
import type { SiteRow } from "../records/records.ts";
import { allDurations, growthLatency, type LatencySum } from "../stats/latency.ts";
import { mergedSites } from "../stats/row-sums.ts";
import { type RatedCounts, ratesOf } from "../stats/window-rates.ts";
import { BYTES, type NumberForm, RATE, shortText } from "../text/figure-text.ts";
import { shortSite } from "../text/go-names.ts";
import { formatBytes, formatDuration, formatRate, NOT_MEASURED } from "../text/units.ts";

/** What a line of the pipe format needs. */
export interface WindowLineInput extends RatedCounts {
	/** RFC 3339; the line shows its time of day (UTC). */
	time: string;
	interval_ns: number;
	latency: readonly LatencySum[];
	sites: readonly SiteRow[];
	targets: readonly { pid: number; name: string }[];
	/** What has probes. */
	measured: { growth: boolean; work: boolean };
}

/** `etcd/4711`, or `3-processes`; without blanks, so that every line has the same fields. */
function targetText(targets: WindowLineInput["targets"]): string {
	const [first, ...others] = targets;
	if (first === undefined) return NOT_MEASURED;
	if (others.length > 0) return `${targets.length}-processes`;
	return `${sanitize(first.name).replace(/[\s"=]+/gu, "_")}/${first.pid}`;
}

/** The duration below which 99 of 100 growths of the window stayed, in ASCII and without a blank. */
function p99Text(latency: readonly LatencySum[]): string {
	const p99 = allDurations(growthLatency(latency)).quantile(0.99);
	return p99 === undefined ? NOT_MEASURED : formatDuration(p99).replaceAll(" ", "").replace("µ", "u");
}

/** Without separators and blanks: a line is taken apart at them. */
const LINE_RATE: NumberForm = { exact: (rate) => formatRate(rate, false), rough: RATE.rough };
const LINE_BYTES: NumberForm = {
	exact: (bytes) => formatBytes(bytes, ""),
	rough: (bytes, digits) => BYTES.rough(bytes, digits).replace(" ", ""),
};

/** `1204/s`, `~12k/s`, or a dash. */
function rateText(rate: Figure | undefined, form: NumberForm): string {
	const text = shortText(rate, form);
	return text === NOT_MEASURED ? text : `${text}/s`;
}

/**
 * A window as one line of logfmt for pipes, with its line feed and no escape codes. The fields and their order are stable; only `top` has blanks, in quotes. `~` marks an
 * estimate, `–` what was not measured.
 * `time=12:01:07Z target=etcd/4711 growth=1204/s work=~12k/s alloc=8.4MB/s moved=4.2MB/s p99=90us top="store.(*Index).Add index.go:42"`
 */
export function windowLine(window: WindowLineInput): string {
	const { growth, work } = window.measured;
	const rates = ratesOf(window, window.interval_ns);
	const rate = (measured: boolean, value: Figure | undefined, form: NumberForm): string =>
		rateText(measured ? value : undefined, form);
	const top = mergedSites(window.sites)[0];
	const fields = [
		`time=${sanitize(window.time.slice(11, 19))}Z`,
		`target=${targetText(window.targets)}`,
		`growth=${rate(growth, rates.growths, LINE_RATE)}`,
		`work=${rate(work, rates.work, LINE_RATE)}`,
		`alloc=${rate(growth, rates.allocated, LINE_BYTES)}`,
		`moved=${rate(growth, rates.copied, LINE_BYTES)}`,
		`p99=${p99Text(window.latency)}`,
		`top=${top === undefined ? NOT_MEASURED : JSON.stringify(shortSite(top))}`,
	];
	return `${fields.join(" ")}\n`;
}

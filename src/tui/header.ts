import type { AggregateView } from "../analyze/aggregator.ts";
import type { MapImpl, ProbeInfo, TargetRecord, TierName } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import { bytesMeasured } from "../output/measured.ts";
import { formatBytes, formatClock, formatCount, formatRate, formatShare, perSecond, plural } from "../output/units.ts";
import { joinFields, type Line, type Span, spread } from "./line.ts";
import { DASH } from "./site-table.ts";
import { sparkline } from "./sparkline.ts";

/** Distinct values in the order of their first appearance. */
function distinct<T>(values: readonly T[]): T[] {
	return [...new Set(values)];
}

/** What a probe costs: the kernel emulates the cheap ones and single-steps the others. */
function probesText(probes: readonly ProbeInfo[]): string {
	const stepped = probes.filter((probe) => probe.cost === "stepped").length;
	if (stepped === 0) return `${plural(probes.length, "probe")}, all cheap`;
	return `${plural(probes.length, "probe")}, ${formatCount(stepped)} costly`;
}

function whoField(targets: readonly TargetRecord[]): Line {
	const [first, ...others] = targets;
	if (first === undefined) return [{ text: "no process" }];
	if (others.length === 0) return [{ text: `${sanitize(first.name)} ${first.pid}`, style: "strong" }];
	const names = distinct(targets.map((target) => sanitize(target.name)));
	return [{ text: `${targets.length} processes`, style: "strong" }, { text: ` ${names.join(" ")}` }];
}

function whatField(targets: readonly TargetRecord[]): Line {
	const versions = distinct(targets.map((target) => sanitize(target.go_version)));
	const impls: MapImpl[] = distinct(targets.map((target) => target.map_impl));
	const parts = [`${versions.join(" ")} ${impls.join(" ")}`];
	const stripped = targets.filter((target) => target.stripped).length;
	if (stripped > 0) parts.push(stripped === targets.length ? "stripped" : `${stripped} stripped`);
	if (targets.some((target) => target.limits !== undefined)) parts.push("calls only: see inspect");
	parts.push(probesText(targets.flatMap((target) => target.probes)));
	return [{ text: parts.join(" · ") }];
}

/** Who is observed, what it is made of, what is probed, and for how long. */
export function headerLine(targets: readonly TargetRecord[], elapsedNs: number, columns: number): Span[] {
	const title: Line = [{ text: "gomapgrow", style: "accent" }];
	const fields = targets.length === 0 ? [title, whoField(targets)] : [title, whoField(targets), whatField(targets)];
	const left = fields.flatMap((field) => [{ text: field === title ? " " : "  " }, ...field]);
	return spread(left, [{ text: formatClock(elapsedNs) }], columns);
}

/** The growth rate now, at its highest and in total, and what it moves. */
export function rateLine(view: AggregateView, measured: readonly TierName[], columns: number): Span[] {
	const { window, total } = view;
	const rate = (count: number): string => `${formatRate(perSecond(count, window?.interval_ns ?? 0))}/s`;
	const grows = window !== undefined && measured.includes("growth");
	const now = grows ? rate(window.growths) : DASH;
	const bars = sparkline(view.history, Math.min(30, Math.max(6, Math.floor(columns / 10) - 2)));
	const growth: Span[] = [{ text: " growth " }, { text: now, style: "strong" }];
	if (bars !== "") growth.push({ text: ` ${bars}`, style: "accent" });
	const alloc =
		window === undefined || !bytesMeasured(total)
			? DASH
			: `${formatBytes(perSecond(window.bytes, window.interval_ns))}/s`;
	const work = window === undefined || !measured.includes("work") ? DASH : rate(window.work);
	return joinFields(
		[
			growth,
			[{ text: `peak ${grows ? `${formatRate(view.peakRate)}/s` : DASH}` }],
			[{ text: `total ${measured.includes("growth") ? formatCount(total.growths) : DASH}` }],
			[{ text: `alloc ${alloc}` }],
			[{ text: `work ${work}` }],
		],
		"  ",
		columns,
	);
}

const KINDS = ["double", "same-size", "small-to-table", "table-double", "split"] as const;
const CAUSES = ["load", "overflow", "tombstones"] as const;

function shares<Name extends string>(names: readonly Name[], counts: Partial<Record<Name, number>>): string {
	const whole = names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
	const present = names.filter((name) => (counts[name] ?? 0) > 0);
	return present.map((name) => `${name} ${formatShare(counts[name] ?? 0, whole)}`).join("  ");
}

/** Shares of the kinds and causes of growth since the start; blank before the first growth. */
export function sharesLine(view: AggregateView, columns: number): Span[] {
	const { kinds, causes, growths } = view.total;
	if (growths === 0) return [];
	return joinFields(
		[
			[{ text: " kinds  ", style: "dim" }, { text: shares(KINDS, kinds) }],
			[{ text: "causes  ", style: "dim" }, { text: shares(CAUSES, causes) }],
		],
		"   ",
		columns,
	);
}

/** What probing costs, against what it may cost, and which option would measure all. */
import type { OverheadRow } from "../records/records.ts";
import { worstOf } from "../stats/overhead-sum.ts";

/** A share as a percentage with two digits at most: "0.6", "12". */
function percent(share: number): string {
	const value = share * 100;
	return `${value === 0 || value >= 9.95 ? Math.round(value) : value >= 0.095 ? value.toFixed(1) : "<0.1"} %`;
}

/** Nanoseconds as milliseconds per second: "3 ms/s", "0.25 ms/s". */
export function msPerSecond(ns: number): string {
	const ms = ns / 1e6;
	if (ms > 0 && ms < 0.01) return "<0.01 ms/s";
	return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))} ms/s`;
}

/** "3 ms/s (limit 10 ms/s)"; nanoseconds per second. */
export function costText(costNs: number, limitNs: number | undefined): string {
	return limitNs === undefined ? msPerSecond(costNs) : `${msPerSecond(costNs)} (limit ${msPerSecond(limitNs)})`;
}

/** Of the target that it costs most; in older recordings as a share of its processor time. */
export function overheadText(rows: readonly OverheadRow[]): string | undefined {
	const worst = worstOf(rows);
	if (worst === undefined) return undefined;
	const { cost_ns_per_second, limit_ns_per_second, overhead, budget } = worst;
	if (cost_ns_per_second !== undefined) return costText(cost_ns_per_second, limit_ns_per_second);
	return budget === undefined ? percent(overhead) : `${percent(overhead)} (limit ${percent(budget)})`;
}

/** Budgets that are proposed, as parts of a processor. */
const BUDGETS = [0.02, 0.05, 0.1, 0.2, 0.5];
/** What is needed is known from a sample. */
const HEADROOM = 1.2;

/** Part of a processor that measuring everything would take, as far as it is known. */
function neededBudget({ budget, cost_ns_per_second, limit_ns_per_second, ...row }: OverheadRow): number | undefined {
	const { work_probed = 1, growth_probed = 1, iteration_probed = 1, growth_recorded = 1 } = row;
	const least = Math.min(work_probed, growth_probed, iteration_probed, growth_recorded);
	// Sampled at the beginning only, which no budget but none changes; or nothing is known of what it would take.
	if (least >= 1 || least <= 0 || cost_ns_per_second === undefined || budget === undefined) return undefined;
	// The limit can be higher than the budget: it follows what the target uses.
	const whole = limit_ns_per_second === undefined ? 1e9 : Math.max(1e9, limit_ns_per_second / budget);
	return (HEADROOM * cost_ns_per_second) / least / whole;
}

/** "--budget 5% measures all"; undefined where there is no budget. */
export function measureAllHint(rows: readonly OverheadRow[]): string | undefined {
	const limited = rows.filter(({ budget }) => budget !== undefined);
	if (limited.length === 0) return undefined;
	const needed = limited.map((row) => neededBudget(row) ?? Number.POSITIVE_INFINITY);
	const present = Math.max(...limited.map(({ budget = 0 }) => budget));
	// Those that are measured in full need no more.
	const known = needed.filter(Number.isFinite);
	const most = known.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...known);
	const budget = BUDGETS.find((each) => each > present && each >= most);
	return `--budget ${budget === undefined ? "off" : `${budget * 100}%`} measures all`;
}

/** Synthetic programs: when their maps grow, at which rows, and how much each growth moves; watched through the schedule of windows and the estimator. */
import { WindowedSum } from "../../../src/budget/estimate.ts";
import { WindowSchedule } from "../../../src/budget/periods.ts";
import { plainWindow } from "../../../src/budget/window-weight.ts";
import type { Prng } from "../../support/prng.ts";

const SECOND = 1e9;

export interface Program {
	name: string;
	/** Mean number of growths a second. */
	perSecond: number;
	/** Growths come in the first `busyNs` of each `everyNs`; absent: all the time. */
	bursts?: { everyNs: number; busyNs: number };
	/** Without chance: one after the other at equal distances. */
	regular?: boolean;
	/** Each row's part of the growths. */
	rows: readonly number[];
	/** Sizes of growths, each with its part of them; absent: 1, a count. */
	sizes?: readonly { amount: number; part: number }[];
}

export interface Watching {
	periodNs: number;
	n: number;
	seconds: number;
	/** Measured in full before windows begin. */
	fullSeconds?: number;
	/** Part of the periods that are missed. */
	missed?: number;
}

export interface Watched {
	total: WindowedSum;
	truth: number;
	rows: { sum: WindowedSum; truth: number }[];
	windows: number;
	missed: number;
	/** Windows with hits, in all and by row. */
	hits: number;
	rowHits: number[];
	/** Variance of the estimate of the total that the same windows have, from the true amounts of all slots. */
	variance: number;
}

function uniform(prng: Prng): number {
	return (prng.u32() + 0.5) / 4294967296;
}

/** Number of events that come by chance where `mean` are expected. From 40 on by a normal distribution. */
export function poisson(prng: Prng, mean: number): number {
	if (mean <= 0) return 0;
	if (mean > 40) {
		const normal = Math.sqrt(-2 * Math.log(uniform(prng))) * Math.cos(2 * Math.PI * uniform(prng));
		return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
	}
	const least = Math.exp(-mean);
	let events = 0;
	for (let product = uniform(prng); product > least; product *= uniform(prng)) events++;
	return events;
}

/** Busy time from the beginning until `ns`. */
function busyUntil(ns: number, { everyNs, busyNs }: { everyNs: number; busyNs: number }): number {
	const whole = Math.floor(ns / everyNs);
	return whole * busyNs + Math.min(busyNs, ns - whole * everyNs);
}

/** Growths expected from the beginning until `ns`. */
function expectedUntil({ perSecond, bursts }: Program, ns: number): number {
	if (bursts === undefined) return (perSecond * ns) / SECOND;
	return (perSecond * busyUntil(ns, bursts) * bursts.everyNs) / bursts.busyNs / SECOND;
}

/** What so many expected growths of a row amount to. */
function amountOf(prng: Prng, program: Program, from: number, to: number, part: number): number {
	const { regular = false, sizes } = program;
	if (regular) return Math.floor(to * part) - Math.floor(from * part);
	const mean = (to - from) * part;
	if (sizes === undefined) return poisson(prng, mean);
	let amount = 0;
	for (const size of sizes) amount += size.amount * poisson(prng, mean * size.part);
	return amount;
}

/** Variance of n times the amount of one slot, in a period where so many growths are expected from each slot. */
function varianceOf(program: Program, startNs: number, endNs: number, n: number): number {
	const { sizes = [{ amount: 1, part: 1 }], regular = false } = program;
	const mean = sizes.reduce((sum, { amount, part }) => sum + amount * part, 0);
	const square = regular ? 0 : sizes.reduce((sum, { amount, part }) => sum + amount ** 2 * part, 0);
	let squares = 0;
	let before = expectedUntil(program, startNs);
	const all = expectedUntil(program, endNs) - before;
	for (let slot = 1; slot <= n; slot++) {
		const until = expectedUntil(program, startNs + ((endNs - startNs) * slot) / n);
		squares += ((until - before) * mean) ** 2;
		before = until;
	}
	return n * squares - (all * mean) ** 2 + (n - 1) * all * square;
}

/** Watches a program from a random moment of it. */
export function watchProgram(prng: Prng, program: Program, watching: Watching): Watched {
	const { periodNs, n, seconds, fullSeconds = 0, missed = 0 } = watching;
	const random = (): number => uniform(prng);
	const offset = random() * (program.bursts?.everyNs ?? SECOND);
	const total = new WindowedSum();
	const rows = program.rows.map(() => ({ sum: new WindowedSum(), truth: 0 }));
	const rowHits = program.rows.map(() => 0);
	const watched: Watched = { total, truth: 0, rows, windows: 0, missed: 0, hits: 0, rowHits, variance: 0 };
	const expected = (ns: number): number => expectedUntil(program, offset + ns);
	const fullNs = fullSeconds * SECOND;
	for (const [at, row] of rows.entries()) {
		const amount = amountOf(prng, program, expected(0), expected(fullNs), program.rows[at] ?? 0);
		row.truth += amount;
		row.sum.exact(amount);
		total.exact(amount);
		watched.truth += amount;
	}
	const schedule = new WindowSchedule({ intervalNs: SECOND, originNs: 0, random });
	schedule.begin(fullNs, { periodNs, n });
	for (;;) {
		const period = schedule.gates[0];
		if (period === undefined || period.endNs > seconds * SECOND) break;
		if (!prng.chance(missed)) {
			schedule.attached(period.fromNs);
			schedule.detached(period.toNs);
		}
		schedule.planNext({ periodNs, n });
		for (const { index } of schedule.over(period.endNs)) {
			const marks = [period.startNs, period.fromNs, period.toNs, period.endNs].map(expected) as [
				...[number, number, number, number],
			];
			let seenInAll = 0;
			for (const [at, row] of rows.entries()) {
				const part = program.rows[at] ?? 0;
				const seen = amountOf(prng, program, marks[1], marks[2], part);
				const rest =
					amountOf(prng, program, marks[0], marks[1], part) + amountOf(prng, program, marks[2], marks[3], part);
				row.truth += seen + rest;
				watched.truth += seen + rest;
				if (index === undefined || seen === 0) continue;
				row.sum.window(plainWindow(index, period.n), seen);
				rowHits[at] = (rowHits[at] ?? 0) + 1;
				seenInAll += seen;
			}
			if (index === undefined) continue;
			total.window(plainWindow(index, period.n), seenInAll);
			if (seenInAll > 0) watched.hits++;
			watched.variance += varianceOf(program, offset + period.startNs, offset + period.endNs, period.n);
		}
	}
	watched.windows = schedule.windows;
	watched.missed = schedule.missed;
	return watched;
}

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
	/** Variance that the estimate of the total has with these windows, from what is expected of every slot. */
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

/** Growths of each size that there are where so many are expected of a row. */
function hitsOf(prng: Prng, program: Program, from: number, to: number, part: number): readonly number[] {
	const { regular = false, sizes } = program;
	if (regular) return [Math.floor(to * part) - Math.floor(from * part)];
	const mean = (to - from) * part;
	if (sizes === undefined) return [poisson(prng, mean)];
	return sizes.map((size) => poisson(prng, mean * size.part));
}

function amountOf({ sizes }: Program, hits: readonly number[]): number {
	if (sizes === undefined) return hits[0] ?? 0;
	return hits.reduce((sum, count, at) => sum + count * (sizes[at]?.amount ?? 0), 0);
}

/** Growths expected in a period, in units of the amount, and the variance of n times what one of its slots holds when growths come by chance. */
function momentsOf(program: Program, startNs: number, endNs: number, n: number): { mean: number; variance: number } {
	const { sizes = [{ amount: 1, part: 1 }] } = program;
	const size = sizes.reduce((sum, { amount, part }) => sum + amount * part, 0);
	const square = sizes.reduce((sum, { amount, part }) => sum + amount ** 2 * part, 0);
	let squares = 0;
	let before = expectedUntil(program, startNs);
	const all = expectedUntil(program, endNs) - before;
	for (let slot = 1; slot <= n; slot++) {
		const until = expectedUntil(program, startNs + ((endNs - startNs) * slot) / n);
		squares += ((until - before) * size) ** 2;
		before = until;
	}
	return { mean: all * size, variance: n * squares - (all * size) ** 2 + (n - 1) * all * square };
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
		const amount = amountOf(program, hitsOf(prng, program, expected(0), expected(fullNs), program.rows[at] ?? 0));
		row.truth += amount;
		row.sum.exact(amount);
		total.exact(amount);
		watched.truth += amount;
	}
	const schedule = new WindowSchedule({ intervalNs: SECOND, originNs: 0, random });
	schedule.begin(fullNs, { periodNs, n });
	let lastMean = 0;
	for (;;) {
		const period = schedule.gates[0];
		if (period === undefined || period.endNs > seconds * SECOND) break;
		if (!prng.chance(missed)) {
			schedule.attached(period.fromNs);
			schedule.detached(period.toNs);
		}
		schedule.planNext({ periodNs, n }, period.startNs);
		for (const { index } of schedule.over(period.endNs)) {
			const [start, from] = [expected(period.startNs), expected(period.fromNs)];
			const [to, end] = [expected(period.toNs), expected(period.endNs)];
			let seen = false;
			for (const [at, row] of rows.entries()) {
				const part = program.rows[at] ?? 0;
				const hits = hitsOf(prng, program, from, to, part);
				const before = hitsOf(prng, program, start, from, part);
				const after = hitsOf(prng, program, to, end, part);
				const amount = amountOf(program, hits) + amountOf(program, before) + amountOf(program, after);
				row.truth += amount;
				watched.truth += amount;
				if (index === undefined || hits.every((count) => count === 0)) continue;
				const window = plainWindow(index, period.n);
				for (const [size, count] of hits.entries()) {
					const each = program.sizes?.[size]?.amount ?? 1;
					row.sum.window(window, count * each, each);
					total.window(window, count * each, each);
				}
				rowHits[at] = (rowHits[at] ?? 0) + 1;
				seen = true;
			}
			if (index === undefined) continue;
			if (seen) watched.hits++;
			const moments = momentsOf(program, offset + period.startNs, offset + period.endNs, period.n);
			// One window a period does not tell what changes from period to period from chance.
			const change = index === 0 ? 0 : moments.mean - lastMean;
			watched.variance += moments.variance + change ** 2 / 2;
			lastMean = moments.mean;
		}
	}
	watched.windows = schedule.windows;
	watched.missed = schedule.missed;
	return watched;
}

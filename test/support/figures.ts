/** Figures in tests: what is said to be exact must be a plain number, and what is not must hold the truth. */
import { expect } from "bun:test";
import { type Figure, isAtLeast, isExact, lowerEnd, upperEnd } from "../../src/records/figure.ts";

/** The number of an exact figure; an estimate, a lower bound and what was not measured fail. `what` is said then. */
export function exactly(figure: Figure | undefined, what = "figure"): number {
	if (figure === undefined) throw new Error(`${what}: wanted an exact number; it was not measured`);
	if (!isExact(figure)) throw new Error(`${what}: wanted an exact number; found ${JSON.stringify(figure)}`);
	return figure;
}

/** Sum of exact figures. */
export function exactSum(figures: Iterable<Figure | undefined>, what?: string): number {
	let sum = 0;
	for (const figure of figures) sum += exactly(figure, what);
	return sum;
}

/** All of these functions' calls as exact numbers. */
export function exactCalls(calls: Readonly<Record<string, Figure>>): Record<string, number> {
	return Object.fromEntries(Object.entries(calls).map(([fn, figure]) => [fn, exactly(figure, fn)]));
}

/** Whether the truth is what the figure says, at most `slack` beside it. Nothing is said of what was not measured. */
export function holds(figure: Figure, truth: number, slack = 0): boolean {
	return lowerEnd(figure) - slack <= truth && truth <= (upperEnd(figure) ?? Number.POSITIVE_INFINITY) + slack;
}

/** How often figures that are no plain numbers held the truth. */
export class Coverage {
	/** With both ends, and with a lower end only. */
	intervals = 0;
	bounds = 0;
	readonly missed: string[] = [];

	/** A plain number must be the truth, up to `slack`; an estimate is noted. */
	take(what: string, figure: Figure | undefined, truth: number, slack = 0): void {
		const told = figure ?? 0;
		if (isExact(told)) {
			expect({ what, off: Math.max(0, Math.abs(told - truth) - slack), told, truth }).toEqual({
				what,
				off: 0,
				told,
				truth,
			});
			return;
		}
		if (isAtLeast(told)) this.bounds++;
		else {
			expect(told.low).toBeLessThanOrEqual(told.estimate);
			expect(told.estimate).toBeLessThanOrEqual(told.high);
			this.intervals++;
		}
		if (!holds(told, truth, slack)) this.missed.push(`${what}: ${JSON.stringify(told)}, in truth ${truth}`);
	}

	get all(): number {
		return this.intervals + this.bounds;
	}

	add(other: Coverage): void {
		this.intervals += other.intervals;
		this.bounds += other.bounds;
		this.missed.push(...other.missed);
	}
}

/** Figures in tests: what is said to be exact must be a plain number, and what is not must hold the truth. */
import { expect } from "bun:test";
import { type Figure, isAtLeast, isExact, lowerEnd, upperEnd } from "../../src/records/figure.ts";
import type { EndRecord, WindowRecord } from "../../src/records/records.ts";
import { ledgerFaults } from "./trace.ts";

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

/** Growths are exact, windows and rows add up to them, bytes of rows to all bytes, and the ledger is complete. Returns how many growths there are. */
export function exactGrowths({ end, windows }: { end: EndRecord; windows: readonly WindowRecord[] }): number {
	const total = exactly(end.growths, "growths");
	const growthsOf = (rows: readonly { growths?: Figure }[], what: string): number =>
		exactSum(
			rows.map(({ growths }) => growths),
			what,
		);
	expect({
		windows: growthsOf(windows, "windows"),
		sites: growthsOf(end.sites, "sites"),
		types: growthsOf(end.types, "types"),
	}).toEqual({ windows: total, sites: total, types: total });
	for (const rows of [end.sites, end.types]) {
		const bytes = rows.map((row) => row.bytes);
		expect(exactSum(bytes, "bytes of rows")).toBe(exactly(end.bytes, "bytes"));
	}
	expect(end.measured?.growth).toBe("all");
	expect(ledgerFaults(end.ledger)).toEqual([]);
	expect(end.complete).toBe(true);
	return total;
}

/** All of these functions' calls as exact numbers. */
export function exactCalls(calls: Readonly<Record<string, Figure>>): Record<string, number> {
	return Object.fromEntries(Object.entries(calls).map(([fn, figure]) => [fn, exactly(figure, fn)]));
}

/** What is known of the truth: a number, or both its bounds. */
export type Truth = number | { low: number; high: number };

const boundsOf = (truth: Truth): { low: number; high: number } =>
	typeof truth === "number" ? { low: truth, high: truth } : truth;

/** Whether the truth may be what the figure says. */
export function holds(figure: Figure, truth: Truth): boolean {
	const { low, high } = boundsOf(truth);
	return lowerEnd(figure) <= high && low <= (upperEnd(figure) ?? Number.POSITIVE_INFINITY);
}

/** How often figures that are no plain numbers held the truth. */
export class Coverage {
	/** With both ends, and with a lower end only. */
	intervals = 0;
	bounds = 0;
	readonly missed: string[] = [];

	/** A plain number must be the truth; an estimate is noted. What was not measured is not looked at. */
	take(what: string, figure: Figure | undefined, truth: Truth): void {
		if (figure === undefined) return;
		if (isExact(figure)) {
			const { low, high } = boundsOf(truth);
			const fits = low <= figure && figure <= high;
			expect({ what, fits, figure, truth }).toEqual({ what, fits: true, figure, truth });
			return;
		}
		if (isAtLeast(figure)) this.bounds++;
		else {
			expect(figure.low).toBeLessThanOrEqual(figure.estimate);
			expect(figure.estimate).toBeLessThanOrEqual(figure.high);
			this.intervals++;
		}
		if (!holds(figure, truth))
			this.missed.push(`${what}: ${JSON.stringify(figure)}, in truth ${JSON.stringify(truth)}`);
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

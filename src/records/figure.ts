/** A figure: exact, estimated with its interval, or only known from below; sums of independent figures, and whether one may be printed as a number. */

import type { figure } from "./parts.ts";
import type { Infer } from "./schema-node.ts";

/**
 * A plain number is exact. `{estimate, low, high}`: the truth is between low and high with 95 % confidence. `{at_least}`: the truth is not below this; what was not seen
 * may be anything.
 */
export type Figure = Infer<typeof figure>;
export type Estimated = Extract<Figure, { estimate: number }>;
export type AtLeast = Extract<Figure, { at_least: number }>;

/** An estimate that may be off by more than this factor is not printed as a number in text. */
const WIDEST_PRINTED = 2;

export function isExact(figure: Figure): figure is number {
	return typeof figure === "number";
}

export function isAtLeast(figure: Figure): figure is AtLeast {
	return typeof figure === "object" && "at_least" in figure;
}

/** Whether text may show it as a number: exact, or neither end of its interval is more than a factor of two from the estimate. */
export function isPrintable(figure: Figure): figure is number | Estimated {
	if (isExact(figure)) return true;
	if (isAtLeast(figure)) return false;
	const { estimate, low, high } = figure;
	return low * WIDEST_PRINTED >= estimate && high <= estimate * WIDEST_PRINTED;
}

/** What was seen to be true at least: the lower end. */
export function lowerEnd(figure: Figure): number {
	if (isExact(figure)) return figure;
	return isAtLeast(figure) ? figure.at_least : figure.low;
}

/** Undefined where there is no upper end. */
export function upperEnd(figure: Figure): number | undefined {
	if (isExact(figure)) return figure;
	return isAtLeast(figure) ? undefined : figure.high;
}

/**
 * Sum of figures whose errors are independent: of different targets, or of different tiers. Rows and total of one target are not added up this way: each has a
 * `WindowedSum` of its own, so that the interval of the sum comes from the windows.
 */
export function addFigures(figures: Iterable<Figure>): Figure {
	let sum = 0;
	let below = 0;
	let above = 0;
	let estimated = false;
	let unbounded = false;
	for (const figure of figures) {
		if (isExact(figure)) {
			sum += figure;
		} else if (isAtLeast(figure)) {
			sum += figure.at_least;
			unbounded = true;
		} else {
			estimated = true;
			sum += figure.estimate;
			below = Math.hypot(below, figure.estimate - figure.low);
			above = Math.hypot(above, figure.high - figure.estimate);
		}
	}
	if (unbounded) return { at_least: Math.floor(sum - below) };
	return estimated ? { estimate: sum, low: Math.floor(sum - below), high: Math.ceil(sum + above) } : sum;
}

/** The best single number there is: to sort by, and to draw; 0 for what was not measured. */
export function amountOf(figure: Figure | undefined): number {
	if (figure === undefined) return 0;
	if (isExact(figure)) return figure;
	return isAtLeast(figure) ? figure.at_least : figure.estimate;
}

/** The figure in another unit, or per second. */
export function scaleFigure(figure: Figure, factor: number): Figure {
	if (isExact(figure)) return figure * factor;
	if (isAtLeast(figure)) return { at_least: figure.at_least * factor };
	return { estimate: figure.estimate * factor, low: figure.low * factor, high: figure.high * factor };
}

/** An amount that was summed up together with a figure: as uncertain as that is. Undefined where too little was seen of it. */
export function inProportion(amount: number, to: Figure): Figure | undefined {
	if (isExact(to)) return amount;
	if (isAtLeast(to) || to.estimate <= 0) return undefined;
	return scaleFigure(to, amount / to.estimate);
}

/** Sum of figures of which some may not have been measured: then it is only known from below. Undefined when none was. */
export function addMeasured(figures: readonly (Figure | undefined)[]): Figure | undefined {
	const measured = figures.filter((figure) => figure !== undefined);
	if (measured.length === 0) return undefined;
	const sum = addFigures(measured);
	return measured.length === figures.length ? sum : { at_least: lowerEnd(sum) };
}

/** How far the truth may be from the estimate, as a part of it: 0.12 is ±12 %. */
export function relativeWidth({ estimate, low, high }: Estimated): number {
	return estimate > 0 ? Math.max(estimate - low, high - estimate) / estimate : 0;
}

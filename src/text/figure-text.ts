/** Figures as people read them: what is exact, `~` for an estimate, `≥` for what is only known from below, and a dash for what was not measured. */

import { type Figure, isExact, isPrintable, lowerEnd, relativeWidth } from "../records/figure.ts";
import { formatBytes, formatCount, formatDuration, formatRate, NOT_MEASURED, plural } from "./units.ts";

/** How the numbers of a figure are spelled. */
export interface NumberForm {
	exact: (value: number) => string;
	/** Of an estimate, where there is little room. */
	rough: (value: number, digits: number) => string;
}

const PREFIXES = ["", "k", "M", "G", "T", "P"] as const;

/** A number with so many significant digits and a prefix: "12k", "1.2M". */
function compact(value: number, digits: number): string {
	let rest = Number(value.toPrecision(digits));
	let prefix = 0;
	while (rest >= 1000 && prefix < PREFIXES.length - 1) {
		rest /= 1000;
		prefix++;
	}
	return `${Number(rest.toPrecision(Math.max(digits, 3)))}${PREFIXES[prefix]}`;
}

export const COUNT: NumberForm = {
	exact: formatCount,
	rough: (value, digits) => compact(Math.round(value), digits),
};
export const RATE: NumberForm = { exact: (value) => formatRate(value), rough: compact };
export const BYTES: NumberForm = { exact: (value) => formatBytes(value), rough: (value) => formatBytes(value) };
export const DURATION: NumberForm = { exact: formatDuration, rough: formatDuration };

/** An estimate that is off by less than this has a third digit. */
const NARROW = 0.05;

/** Digits of an estimate that mean something. */
function digitsOf(width: number): number {
	return width < NARROW ? 3 : 2;
}

/** "±12 %", never narrower than it is; undefined for what is exact or cannot be printed as a number. */
export function widthText(figure: Figure): string | undefined {
	if (isExact(figure) || !isPrintable(figure)) return undefined;
	return `±${Math.max(1, Math.ceil(relativeWidth(figure) * 100 - 1e-9))} %`;
}

/** In a line: `1,204`, `~12k`, or a dash where there is no number to print. */
export function shortText(figure: Figure | undefined, form: NumberForm): string {
	if (figure === undefined || !isPrintable(figure)) return NOT_MEASURED;
	return isExact(figure) ? form.exact(figure) : `~${form.rough(figure.estimate, digitsOf(relativeWidth(figure)))}`;
}

/** In a column, whose numbers stand below each other: `1,204`, `~12,000`, `≥34`. */
export function cellText(figure: Figure | undefined, { exact }: NumberForm): string {
	if (figure === undefined) return NOT_MEASURED;
	if (isExact(figure)) return exact(figure);
	if (isPrintable(figure)) {
		return `~${exact(Number(figure.estimate.toPrecision(digitsOf(relativeWidth(figure)))))}`;
	}
	const least = lowerEnd(figure);
	return least > 0 ? `≥${exact(least)}` : NOT_MEASURED;
}

/** With its width, in a sentence: `4.2 MB`, `~4.2 MB ±12 %`, `at least 4.2 MB`; undefined where there is nothing to say. */
export function longText(figure: Figure | undefined, form: NumberForm): string | undefined {
	return inWords(figure, form.exact, (text) => text, form);
}

/** The same of things that are counted: `2 growths`, `~1.2M growths ±12 %`, `at least 34 growths`. */
export function countText(figure: Figure | undefined, noun: string): string | undefined {
	const several = plural(2, noun).slice("2 ".length);
	return inWords(
		figure,
		(count) => plural(count, noun),
		(text) => `${text} ${several}`,
		COUNT,
	);
}

function inWords(
	figure: Figure | undefined,
	exact: (value: number) => string,
	rough: (text: string) => string,
	form: NumberForm,
): string | undefined {
	if (figure === undefined) return undefined;
	if (isExact(figure)) return exact(figure);
	if (isPrintable(figure)) return `${rough(shortText(figure, form))} ${widthText(figure)}`;
	const least = lowerEnd(figure);
	return least > 0 ? `at least ${exact(least)}` : undefined;
}

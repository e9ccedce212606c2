/** How often what is said with a small budget holds: cells of a program whose rate is set (test/programs/rate), against its own arithmetic. */
import { type Figure, isAtLeast, isExact } from "../../src/records/figure.ts";
import { exactly, holds } from "./figures.ts";
import { type RateOptions, type RateRun, runRate } from "./rate.ts";

export interface Cell extends RateOptions {
	budget: string;
}

/**
 * Steady, in bursts and in phases; small maps, large ones and both; one thread and many. Programs that do nothing else than grow maps are slowed by the probes, so that only
 * lower bounds are given.
 */
export const CELLS: readonly Cell[] = [
	{ version: "1.19", small: 10_000, spin: "30us", budget: "1%" },
	{ version: "1.23", small: 10_000, spin: "30us", budget: "1%" },
	{ version: "1.27", small: 10_000, spin: "30us", budget: "1%" },
	{ version: "1.27", large: 8_000, spin: "30us", budget: "1%" },
	{ version: "1.23", small: 8_000, large: 200, spin: "30us", burst: "500ms", budget: "1%" },
	{ version: "1.27", small: 15_000, spin: "30us", phase: "2s", budget: "1%" },
	{ version: "1.27", small: 3_000, spin: "50us", budget: "0.1%" },
	{ version: "1.27", small: 8_000, large: 100, spin: "30us", budget: "0.1%" },
	{ version: "1.23", small: 1_000, spin: "50us", burst: "50ms", budget: "0.1%" },
	{ version: "1.23", small: 30_000, threads: 4, spin: "30us", budget: "5%" },
	{ version: "1.23", small: 100_000, budget: "1%" },
	{ version: "1.27", small: 100_000, threads: 4, budget: "5%" },
];

/** What was said of one number, and what it was. */
export interface Said {
	what: string;
	figure: Figure;
	truth: number;
	holds: boolean;
}

function said(what: string, figure: Figure | undefined, truth: number): Said[] {
	// Nothing was said.
	if (figure === undefined) return [];
	return [{ what, figure, truth, holds: isExact(figure) ? figure === truth : holds(figure, truth) }];
}

/** Total, functions and the rows of the two places where maps grow. */
export function saidOf({ trace: { end }, truth, calls }: RateRun): Said[] {
	const row = (name: string): Figure | undefined => end.sites.find(({ fn }) => fn === name)?.growths;
	return [
		...said("growths", end.growths, truth.small + truth.large),
		...Object.entries(calls).flatMap(([fn, wanted]) => said(fn, end.calls[fn], wanted)),
		...said("row of small maps", truth.small > 0 ? row("main.growSmall") : undefined, truth.small),
		...said("row of large maps", truth.large > 0 ? row("main.growLarge") : undefined, truth.large),
	];
}

export async function runCell(cell: Cell, seconds: number, folder: string): Promise<Said[]> {
	return saidOf(await runRate({ ...cell, seconds }, folder));
}

/** One line: how often it was exact, an interval or a lower bound, how often it held, and how wide intervals were. */
export function summaryOf(all: readonly Said[]): string {
	const part = (name: string, of: readonly Said[]): string =>
		of.length === 0 ? "" : `${name} ${of.filter((one) => one.holds).length} of ${of.length} hold`;
	const intervals = all.flatMap(({ figure, ...rest }) =>
		isExact(figure) || isAtLeast(figure) ? [] : [{ ...rest, figure }],
	);
	const widths = intervals
		.map(({ figure: { low, high }, truth }) => (high - low) / Math.max(1, truth))
		.sort((a, b) => a - b);
	const errors = intervals.map(({ figure: { estimate }, truth }) => estimate / Math.max(1, truth) - 1);
	const mean = errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length);
	const squares = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0);
	const deviation = Math.sqrt(squares / Math.max(1, errors.length - 1) / Math.max(1, errors.length));
	const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
	return [
		part(
			"exact",
			all.filter(({ figure }) => isExact(figure)),
		),
		part("intervals", intervals),
		part(
			"bounds",
			all.filter(({ figure }) => isAtLeast(figure)),
		),
		...(widths.length === 0
			? []
			: [
					`width ${percent(exactly(widths[Math.floor(widths.length / 2)]))}`,
					`mean error ${percent(mean)} ± ${percent(deviation)}`,
				]),
	]
		.filter((text) => text !== "")
		.join(", ");
}

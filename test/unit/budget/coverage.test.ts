/**
 * Whether intervals hold the truth, on synthetic traces of programs of every kind: totals, and rows. COVERAGE_RUNS=5000
 * gives every kind so many runs and prints the table.
 */
import { describe, expect, test } from "bun:test";
import { type Figure, isExact, isPrintable, lowerEnd, upperEnd } from "../../../src/records/figure.ts";
import { Prng } from "../../support/prng.ts";
import { type Program, type Watching, watchProgram } from "./traces.ts";

const RUNS = Number(process.env.COVERAGE_RUNS ?? 120);
const TABLE = process.env.COVERAGE_RUNS !== undefined;
const COVERED = 0.94;
/** So many rows of each run are compared with the truth. */
const ROWS = 10;
/** How often a figure is printed for its coverage among the printed ones to be judged. */
const OFTEN = 0.05;
/** Windows with hits from which on a number is printed, no wider than so many times what these windows allow. */
const ENOUGH_HITS = 30;
const WIDEST = 2;
const SECOND = 1e9;

const zipf = (rows: number): number[] => {
	const sum = Array.from({ length: rows }, (_, at) => 1 / (at + 1)).reduce((all, part) => all + part, 0);
	return Array.from({ length: rows }, (_, at) => 1 / (at + 1) / sum);
};
const equal = (rows: number): number[] => Array.from({ length: rows }, () => 1 / rows);
/** Sizes that double, each so many times as frequent as the one before: with 0.5 each size adds as many bytes as the one before. */
const octaves = (count: number, times: number): { amount: number; part: number }[] => {
	const sum = (1 - times ** count) / (1 - times);
	return Array.from({ length: count }, (_, at) => ({ amount: 300 * 2 ** at, part: times ** at / sum }));
};
const BURSTS = { everyNs: SECOND, busyNs: 50e6 };
const PHASES = { everyNs: 20 * SECOND, busyNs: 10 * SECOND };

const SHORT: Watching = { periodNs: SECOND / 2, n: 167, seconds: 30 };
const LONG: Watching = { periodNs: SECOND, n: 12, seconds: 30, fullSeconds: 1.37 };
const QUARTERS: Watching = { periodNs: SECOND / 4, n: 4, seconds: 10 };
const RARE: Watching = { periodNs: 2 * SECOND, n: 60, seconds: 60 };
const MISSED: Watching = { periodNs: SECOND, n: 20, seconds: 30, missed: 0.15 };
const TEN: Watching = { periodNs: SECOND / 2, n: 167, seconds: 10 };
const MINUTES: Watching = { periodNs: SECOND / 2, n: 5, seconds: 180 };

interface Kind {
	program: Program;
	watching: Watching;
	/** Each octave of sizes adds as much as the one below, beyond what windows see: where that ends cannot be known, so that a number is rarely printed. */
	endless?: boolean;
}

const kinds: Kind[] = [];
for (const perSecond of [100, 1000, 10_000, 100_000]) {
	const steady = { name: `steady ${perSecond}/s`, perSecond, rows: zipf(20) };
	const bursts = { name: `bursts ${perSecond}/s`, perSecond, rows: zipf(20), bursts: BURSTS };
	const phases = { name: `phases ${perSecond}/s`, perSecond, rows: zipf(20), bursts: PHASES };
	for (const program of [steady, bursts, phases]) {
		for (const watching of [SHORT, LONG]) kinds.push({ program, watching });
	}
}
const busy: Program = { name: "steady 20000/s, 300 equal rows", perSecond: 20_000, rows: equal(300) };
const equals: Program = { name: "steady 1000/s, 100 equal rows", perSecond: 1000, rows: equal(100) };
const bursting: Program = {
	name: "bursts 20000/s, 100 equal rows",
	perSecond: 20_000,
	rows: equal(100),
	bursts: BURSTS,
};
const regular: Program = { name: "regular 1250/s", perSecond: 1250, rows: zipf(5), regular: true };
const sized: Program = { name: "10 octaves of bytes", perSecond: 10_000, rows: zipf(10), sizes: octaves(10, 0.5) };
const burstSizes: Program = { ...sized, name: "10 octaves of bytes in bursts", bursts: BURSTS };
const endless: Program = { ...sized, name: "17 octaves of bytes", sizes: octaves(17, 0.5) };
const steep: Program = { name: "17 octaves, fewer large", perSecond: 1000, rows: zipf(10), sizes: octaves(17, 0.4) };
kinds.push(
	{ program: busy, watching: { ...RARE, n: 20 } },
	{ program: equals, watching: QUARTERS },
	{ program: equals, watching: { periodNs: SECOND, n: 40, seconds: 60 } },
	{ program: bursting, watching: MINUTES },
	{ program: regular, watching: RARE },
	{ program: { name: "bursts 1000/s, minutes", perSecond: 1000, rows: zipf(20), bursts: BURSTS }, watching: MINUTES },
	{ program: { name: "bursts 10000/s, 10 s", perSecond: 10_000, rows: zipf(20), bursts: BURSTS }, watching: TEN },
	{ program: { name: "steady 10000/s, missed", perSecond: 10_000, rows: zipf(20) }, watching: MISSED },
	{ program: { name: "phases 1000/s, missed", perSecond: 1000, rows: zipf(20), bursts: PHASES }, watching: MISSED },
	{ program: sized, watching: QUARTERS },
	{ program: sized, watching: LONG },
	{ program: sized, watching: SHORT, endless: true },
	{ program: burstSizes, watching: SHORT },
	...[SHORT, LONG, RARE].map((watching) => ({ program: endless, watching, endless: true })),
	...[SHORT, LONG, RARE].map((watching) => ({ program: steep, watching, endless: true })),
);

/** How often figures held the truth, and how often they were printed. */
class Tally {
	figures = 0;
	covered = 0;
	printed = 0;
	printedCovered = 0;

	add(figure: Figure, truth: number): void {
		const high = upperEnd(figure) ?? Number.POSITIVE_INFINITY;
		const covered = lowerEnd(figure) <= truth && truth <= high;
		this.figures++;
		if (covered) this.covered++;
		if (!isPrintable(figure)) return;
		this.printed++;
		if (covered) this.printedCovered++;
	}
}

const percent = (part: number, of: number): string => (of === 0 ? "–" : `${((100 * part) / of).toFixed(1)} %`);

/** Least share for a tally of so many independent runs: three standard errors below what is wanted. */
const leastShare = (runs: number): number =>
	COVERED - 3 * Math.sqrt((COVERED * (1 - COVERED)) / runs) * (TABLE ? 0 : 1);

interface Result {
	total: Tally;
	rows: Tally;
	/** Runs with enough windows with hits, those of them that printed no number, and the widths of the others against what the windows allow. */
	enough: number;
	unprinted: number;
	widths: number;
	error: number;
	standardError: number;
}

function runKind({ program, watching }: Kind, at: number): Result {
	const prng = new Prng(20_260_101, at);
	const result: Result = {
		...{ total: new Tally(), rows: new Tally(), enough: 0, unprinted: 0, widths: 0, error: 0, standardError: 0 },
	};
	let errors = 0;
	let squares = 0;
	for (let run = 0; run < RUNS; run++) {
		const { total, truth, rows, windows, missed, hits, variance } = watchProgram(prng, program, watching);
		const figure = total.read({ windows, missed });
		result.total.add(figure, truth);
		const error = truth === 0 ? 0 : (total.estimate - truth) / truth;
		errors += error;
		squares += error ** 2;
		if (hits >= ENOUGH_HITS) {
			result.enough++;
			if (!isPrintable(figure)) result.unprinted++;
			else if (!isExact(figure)) result.widths += (figure.high - figure.low) / (2 * 1.96 * Math.sqrt(variance));
		}
		expect(rows.reduce((sum, row) => sum + row.sum.estimate, 0)).toBe(total.estimate);
		for (const row of rows.slice(0, ROWS)) result.rows.add(row.sum.read({ windows, missed }), row.truth);
	}
	result.error = errors / RUNS;
	result.standardError = Math.sqrt(Math.max(0, squares / RUNS - result.error ** 2) / RUNS);
	return result;
}

describe("intervals on synthetic traces", () => {
	if (TABLE) {
		console.log("kind | period, slots, seconds | totals: covered, printed, of these covered | rows: the same");
		console.log("| printed with 30 windows with hits | mean width against the least | mean error (standard error)");
	}
	for (const [at, kind] of kinds.entries()) {
		const { program, watching, endless = false } = kind;
		const { periodNs, n, seconds, missed = 0 } = watching;
		const name = `${program.name} | ${periodNs / SECOND} s, ${n}, ${seconds} s`;
		test(name, () => {
			const { total, rows, enough, unprinted, widths, error, standardError } = runKind(kind, at);
			const shares = [total, rows].map(({ figures, covered, printed, printedCovered }) =>
				[percent(covered, figures), percent(printed, figures), percent(printedCovered, printed)].join(", "),
			);
			const width = widths / (enough - unprinted);
			const useful = `${percent(enough - unprinted, enough)} | ${enough === unprinted ? "–" : width.toFixed(2)}`;
			if (TABLE) {
				const off = `${(100 * error).toFixed(2)} % (${(100 * standardError).toFixed(2)})`;
				console.log(`${name} | ${shares.join(" | ")} | ${useful} | ${off}`);
			}
			for (const { figures, covered, printed, printedCovered } of [total, rows]) {
				expect(covered / figures).toBeGreaterThanOrEqual(leastShare(RUNS));
				if (endless || printed < OFTEN * figures) continue;
				expect(printedCovered / printed).toBeGreaterThanOrEqual(leastShare(Math.min(printed, RUNS)));
			}
			if (enough > 0 && !endless) {
				expect(unprinted).toBeLessThanOrEqual(0.1 * enough);
				expect(width).toBeLessThanOrEqual(WIDEST);
			}
			// Missed periods are given to nobody: the estimate lacks them, the interval does not.
			if (missed === 0) expect(Math.abs(error)).toBeLessThanOrEqual(Math.max(0.02, 3.5 * standardError));
		});
	}
});

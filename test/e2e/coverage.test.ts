/** Intervals of sampled growths hold the truth; bench/coverage.ts runs more and longer of the same. */
import { describe, expect } from "bun:test";
import { isExact } from "../../src/records/figure.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { CELLS, runCell, type Said, summaryOf } from "../support/coverage.ts";
import { temporaryFolder } from "../support/processes.ts";

const SECONDS = 6;
/** Numbers of one run err together, and 5 % of the runs may. */
const MOST_MISSED_CELLS = 2;
const tracingTest = testWith(missingForTracing());
const folder = temporaryFolder("coverage");
const missedCells: { cell: string; missed: Said[] }[] = [];

describe("what is said with a small budget", () => {
	for (const cell of CELLS) {
		const name = JSON.stringify(cell);
		tracingTest(
			name,
			async () => {
				const all = await runCell(cell, SECONDS, folder);
				expect(all.length).toBeGreaterThan(0);
				const wrong = all.filter((one) => !one.holds);
				expect(wrong.filter(({ figure }) => isExact(figure))).toEqual([]);
				if (wrong.length > 0) missedCells.push({ cell: name, missed: wrong });
				console.log(`${name}: ${summaryOf(all)}`);
			},
			120_000,
		);
	}

	tracingTest("holds the truth in nearly all cells", () => {
		if (missedCells.length > MOST_MISSED_CELLS) expect(missedCells).toEqual([]);
	});
});

/** A program whose rate of growths is set, against its own arithmetic: what is exact with the defaults, and what stays exact when other growths are sampled. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { Coverage, exactGrowths, exactly } from "../support/figures.ts";
import { temporaryFolder } from "../support/processes.ts";
import { type RateOptions, type RateRun, runRate } from "../support/rate.ts";
import { ledgerFaults } from "../support/trace.ts";

const folder = temporaryFolder("rates");
const tracingTest = testWith(missingForTracing());
const SECONDS = 5;

function checkExact({ trace, truth, calls }: RateRun): void {
	expect(exactGrowths(trace)).toBe(truth.small + truth.large);
	for (const [fn, wanted] of Object.entries(calls))
		expect({ fn, calls: exactly(trace.end.calls[fn], fn) }).toEqual({ fn, calls: wanted });
}

describe("growths are counted exactly with the default budget", () => {
	const cases: RateOptions[] = ["1.19", "1.23", "1.27"].flatMap((version) => [
		{ version, small: 100, large: 100 },
		{ version, small: 800, large: 200, threads: 4 },
		{ version, small: 400, large: 100, burst: "50ms" },
		{ version, small: 1000 },
	]);
	for (const options of cases) {
		tracingTest(
			JSON.stringify(options),
			async () => {
				checkExact(await runRate({ ...options, seconds: SECONDS }, folder));
			},
			120_000,
		);
	}
});

describe("where small maps grow far too often", () => {
	for (const small of [20_000, 100_000]) {
		tracingTest(
			`growths of large ones stay exact: ${small} beside 100 a second, Go 1.27`,
			async () => {
				const { trace, calls } = await runRate({ version: "1.27", small, large: 100, seconds: SECONDS }, folder);
				const coverage = new Coverage();
				for (const [fn, wanted] of Object.entries(calls)) {
					if (fn.endsWith("rehash")) expect(exactly(trace.end.calls[fn], fn)).toBe(wanted);
					else {
						expect(typeof trace.end.calls[fn]).toBe("object");
						coverage.take(fn, trace.end.calls[fn], wanted);
					}
				}
				expect(coverage.missed).toEqual([]);
				expect(trace.end.measured?.growth).toBe("sampled");
				expect(ledgerFaults(trace.end.ledger)).toEqual([]);
			},
			120_000,
		);
	}
});

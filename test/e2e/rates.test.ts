/** A program whose rate of growths is set, against its own arithmetic: what is exact with the defaults, and what stays exact when other growths are sampled. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { Coverage, exactly, exactSum } from "../support/figures.ts";
import { temporaryFolder } from "../support/processes.ts";
import { type RateOptions, type RateRun, runRate } from "../support/rate.ts";
import { ledgerFaults } from "../support/trace.ts";

const folder = temporaryFolder("rates");
const tracingTest = testWith(missingForTracing());
const SECONDS = 5;

function checkExact({ trace: { end, windows }, truth, calls }: RateRun): void {
	const total = truth.small + truth.large;
	expect(exactly(end.growths, "growths")).toBe(total);
	for (const [fn, wanted] of Object.entries(calls))
		expect({ fn, calls: exactly(end.calls[fn], fn) }).toEqual({ fn, calls: wanted });
	expect(
		exactSum(
			windows.map(({ growths }) => growths),
			"windows",
		),
	).toBe(total);
	expect(
		exactSum(
			end.sites.map(({ growths }) => growths),
			"sites",
		),
	).toBe(total);
	expect(
		exactSum(
			end.types.map(({ growths }) => growths),
			"types",
		),
	).toBe(total);
	expect(end.measured?.growth).toBe("all");
	expect(ledgerFaults(end.ledger)).toEqual([]);
}

describe("growths are counted exactly with the default budget", () => {
	const cases: RateOptions[] = ["1.19", "1.23", "1.27"].flatMap((version) => [
		{ version, small: 100, large: 100 },
		{ version, small: 800, large: 200, threads: 4 },
		{ version, small: 800, large: 200, burst: "50ms" },
		{ version, small: 2000 },
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

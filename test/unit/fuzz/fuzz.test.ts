/** A short run of the fuzzer with a fixed seed, and all cases that ever failed. `make fuzz` runs it for as long as one likes. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type FuzzResult, fuzz } from "../../fuzz/driver.ts";
import { REGRESSIONS } from "../../fuzz/regressions.ts";

/** The first run builds the programs. */
setDefaultTimeout(600_000);
const SEED = 20261123;
/** Some 20 s on a machine of its own; the seconds only keep a slow one from waiting much longer. */
const CASES = 400;
const SECONDS = 60;
const FEWEST = 20;

function problems({ failures }: FuzzResult): string[] {
	return failures.map(({ index, what, violations }) => `case ${index}, ${what}: ${violations.join("; ")}`);
}

test("damaged programs give only errors with a code, in bounded time and memory", async () => {
	const result = await fuzz({ which: "few", seed: SEED, cases: CASES, seconds: SECONDS });
	expect(problems(result)).toEqual([]);
	expect(result.cases).toBeGreaterThanOrEqual(FEWEST);
	// Otherwise the damage would be such that nothing is read at all, or none.
	expect(result.opened).toBeGreaterThan(result.cases * 0.5);
	expect(result.refused).toBeGreaterThan(0);
	expect(result.calls).toBeGreaterThan(result.cases * 50);
});

test("what failed once does not fail again", async () => {
	const result = await fuzz({ which: "regressions", seed: 0, seconds: 300 });
	expect(problems(result)).toEqual([]);
	expect(result.cases).toBe(REGRESSIONS.length);
});

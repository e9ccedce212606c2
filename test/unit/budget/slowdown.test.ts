/** Programs that probes slow down: estimates from windows against what would have happened without probes, when the cost of a hit is known well, and badly. */
import { describe, expect, test } from "bun:test";
import { WindowedSum } from "../../../src/budget/estimate.ts";
import { WindowWeights } from "../../../src/budget/window-weight.ts";
import { isAtLeast, isExact, lowerEnd, upperEnd } from "../../../src/records/figure.ts";
import { Prng } from "../../support/prng.ts";
import { poisson } from "./traces.ts";

const RUNS = Number(process.env.COVERAGE_RUNS ?? 200);
const COVERED = 0.94;
const SLOT_NS = 50e6;
const N = 20;
const WINDOWS = 60;
/** What is known of a window's processor time is wrong by up to so much. */
const CLOCK_NS = 1e6;

interface Slowed {
	/** Share of the target's processor time in windows that hits take. */
	share: number;
	/** What is believed of their cost, times the truth. */
	believed: number;
	/** Uses all of a processor whatever it does; otherwise its load comes from outside. */
	busy: boolean;
}

/** One run: the figure, and the number of hits without probes. */
function run(prng: Prng, { share, believed, busy }: Slowed) {
	const costNs = 3000;
	// Busy: hits come one after so much processor time of the program's own.
	const usualNs = busy ? SLOT_NS : SLOT_NS / 3;
	const perSlot = (share / (1 - share)) * (usualNs / costNs);
	const weights = new WindowWeights();
	const sum = new WindowedSum();
	let truth = 0;
	for (let index = 0; index < WINDOWS; index++) {
		const hits = poisson(prng, busy ? perSlot * (1 - share) : perSlot);
		const cpuNs = (busy ? SLOT_NS : usualNs + hits * costNs) + (prng.u32() / 2 ** 31 - 1) * CLOCK_NS;
		const outside = { cpuNs: usualNs * (N - 1) + (prng.u32() / 2 ** 31 - 1) * CLOCK_NS, slots: N - 1 };
		sum.window(weights.close(index, N, { cpuNs, probeNs: hits * costNs * believed }, outside), hits);
		truth += poisson(prng, perSlot * N);
	}
	return { figure: sum.read({ windows: WINDOWS }), estimate: sum.estimate, truth };
}

describe("programs that probes slow down", () => {
	for (const busy of [true, false]) {
		for (const share of [0.01, 0.05, 0.1, 0.15, 0.3]) {
			for (const believed of [0.5, 1, 1.6]) {
				test(`${busy ? "busy" : "loaded from outside"}, ${share} of its time, cost believed ${believed} times`, () => {
					const prng = new Prng(5, Math.round(share * 1000 + believed * 10));
					let covered = 0;
					let bounds = 0;
					let error = 0;
					for (let at = 0; at < RUNS; at++) {
						const { figure, estimate, truth } = run(prng, { share, believed, busy });
						if (lowerEnd(figure) <= truth && truth <= (upperEnd(figure) ?? Number.POSITIVE_INFINITY)) covered++;
						if (isAtLeast(figure)) bounds++;
						expect(isExact(figure)).toBe(false);
						error += (estimate - truth) / truth / RUNS;
					}
					expect(covered / RUNS).toBeGreaterThanOrEqual(COVERED);
					if (share * believed > 0.25) expect(bounds).toBe(RUNS);
					if (share * believed < 0.15) expect(bounds).toBe(0);
					if (believed === 1 && share <= 0.15) expect(Math.abs(error)).toBeLessThan(0.02);
				});
			}
		}
	}
});

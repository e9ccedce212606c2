/** The share of calls that become records, against simulated programs: enough records, never too many, and estimates that are right on average. */
import { describe, expect, test } from "bun:test";
import { SampleRate } from "../../../src/budget/sample-rate.ts";
import { decodeRecord, type RawWork } from "../../../src/kernel/events.ts";
import { Prng } from "../../support/prng.ts";
import { rawWork } from "../kernel/raw-records.ts";

/** How often records are read. */
const TICK_S = 0.02;
const PER_SECOND = 1 / TICK_S;
const WANTED = 200;

/** Random numbers of some distributions; the same seed gives the same ones. */
class Random {
	readonly #prng: Prng;
	constructor(seed: number) {
		this.#prng = new Prng(seed, 17);
	}
	uniform(): number {
		return (this.#prng.u32() + 0.5) / 2 ** 32;
	}
	/** How many of events that come on average `mean` times. */
	poisson(mean: number): number {
		if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
		let count = 0;
		for (let left = this.uniform(); left > Math.exp(-mean); left *= this.uniform()) count++;
		return count;
	}
	/** How many of `n` are picked with a chance each. */
	binomial(n: number, chance: number): number {
		if (chance >= 1) return n;
		const variance = n * chance * (1 - chance);
		if (variance > 60) return Math.min(n, Math.max(0, Math.round(n * chance + Math.sqrt(variance) * this.#normal())));
		if (n > 500) return Math.min(n, this.poisson(n * chance));
		let count = 0;
		for (let i = 0; i < n; i++) count += Number(this.uniform() < chance);
		return count;
	}
	#normal(): number {
		return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
	}
}

/** Calls of each tick. */
type Source = (tick: number, random: Random) => number;
const poisson =
	(rate: number): Source =>
	(_tick, random) =>
		random.poisson(rate * TICK_S);
/** As regular as a clock. */
const constant =
	(rate: number): Source =>
	(tick) =>
		Math.floor((tick + 1) * rate * TICK_S) - Math.floor(tick * rate * TICK_S);
/** The program changes after so many ticks. */
const change =
	(from: Source, to: Source, at: number): Source =>
	(tick, random) =>
		(tick < at ? from : to)(tick, random);

/** What the kernel makes of a chance (BpfObject.setSampling), and the weight that the decoder makes of that. */
function weightOf(chance: number): number {
	const written = Math.min(0xffffffff, Math.round(chance * 2 ** 32));
	return (decodeRecord(rawWork({ chance: BigInt(written) })) as RawWork).weight;
}

interface Tick {
	calls: number;
	records: number;
	/** Sum of the records' weights. */
	weights: number;
	/** With which the calls of the tick were picked. */
	chance: number;
}

function simulate(source: Source, ticks: number, seed: number): Tick[] {
	const rate = new SampleRate();
	const random = new Random(seed);
	return Array.from({ length: ticks }, (_, tick) => {
		const { chance } = rate;
		const calls = source(tick, random);
		const records = random.binomial(calls, chance);
		rate.update(records, TICK_S * 1e9);
		return { calls, records, weights: records * weightOf(chance), chance };
	});
}

const sum = (ticks: readonly Tick[], what: keyof Tick): number => ticks.reduce((all, tick) => all + tick[what], 0);
const RATES = [10, 60, 150, 200, 500, 2000, 20_000, 300_000, 2_000_000];
/** Records per second that there should be. */
const ideal = (rate: number): number => Math.min(rate, WANTED);

describe("a steady program", () => {
	test.each(
		RATES.flatMap((rate) => [["Poisson", rate, poisson(rate)] as const, ["constant", rate, constant(rate)] as const]),
	)(
		"%s, %d calls a second: about as many records as there should be, from the second second on",
		(_kind, rate, source) => {
			const seconds: number[] = [];
			for (let seed = 0; seed < 12; seed++) {
				const run = simulate(source, 10 * PER_SECOND, seed);
				for (let second = 2; second < 10; second++) {
					seconds.push(sum(run.slice(second * PER_SECOND, (second + 1) * PER_SECOND), "records"));
				}
				expect(Math.min(...run.slice(2 * PER_SECOND).map(({ chance }) => chance))).toBeGreaterThan(
					(ideal(rate) / rate) * 0.5,
				);
				// Also in the first two seconds there are some, and not more than anyone could read.
				const first = sum(run.slice(0, 2 * PER_SECOND), "records");
				expect(first).toBeGreaterThan(ideal(rate) * 0.4);
				expect(first).toBeLessThanOrEqual(Math.max(4 * ideal(rate), rate / 64 / PER_SECOND + 3 * WANTED));
			}
			const mean = seconds.reduce((all, one) => all + one, 0) / seconds.length;
			expect(mean).toBeGreaterThan(ideal(rate) * 0.9);
			expect(mean).toBeLessThan(ideal(rate) * 1.15);
			if (rate >= 60) expect(Math.min(...seconds)).toBeGreaterThan(ideal(rate) * 0.4);
			expect(Math.max(...seconds)).toBeLessThan(ideal(rate) * 1.75 + 15);
		},
	);

	test("with few calls all of them are records", () => {
		for (const rate of [1, 10, 100]) {
			const run = simulate(poisson(rate), 10 * PER_SECOND, rate);
			const settled = run.slice(2 * PER_SECOND);
			expect(settled.every(({ chance }) => chance === 1)).toBe(true);
			expect(sum(settled, "records")).toBe(sum(settled, "calls"));
			expect(sum(settled, "weights")).toBe(sum(settled, "calls"));
		}
	});

	test("that does nothing leaves the chance at all", () => {
		const run = simulate(() => 0, 5 * PER_SECOND, 1);
		expect(run.at(-1)?.chance).toBe(1);
	});
});

describe("a program that changes", () => {
	const STEP = 4 * PER_SECOND;
	const PAIRS = RATES.flatMap((from) => RATES.filter((to) => to !== from).map((to) => [from, to] as const));

	test.each(PAIRS)("from %d to %d calls a second", (from, to) => {
		// The chance rises fourfold at a time, three times a second: from the lowest to the highest in 2.3 s.
		const settledAfter = from / to > 5000 ? 2.5 : 2;
		const shares: number[] = [];
		for (let seed = 0; seed < 6; seed++) {
			const run = simulate(change(poisson(from), poisson(to), STEP), STEP + 6 * PER_SECOND, seed);
			const settled = run.slice(STEP + settledAfter * PER_SECOND);
			const wanted = ideal(to) / to;
			for (const { chance } of settled) {
				expect(chance).toBeGreaterThan(wanted * 0.45);
				expect(chance).toBeLessThan(wanted * 2.2);
			}
			shares.push(sum(settled, "records") / sum(settled, "calls"));
			// A burst lasts until the first reading that counts: three readings after a change are left out.
			const burst = sum(run.slice(STEP, STEP + 0.5 * PER_SECOND), "records");
			expect(burst).toBeLessThan(4 * 1.1 * to * TICK_S + 5 * WANTED);
		}
		const share = shares.reduce((all, one) => all + one, 0) / shares.length;
		expect(share * to).toBeGreaterThan(ideal(to) * 0.8);
		expect(share * to).toBeLessThan(ideal(to) * 1.2);
	});

	test("again and again never leaves a second without a record as long as there are hundreds of calls", () => {
		for (let seed = 0; seed < 10; seed++) {
			const random = new Random(100 + seed);
			const rates = Array.from({ length: 20 }, () => 300 * 10 ** (random.uniform() * 3.8));
			const source: Source = (tick, own) => own.poisson((rates[Math.floor(tick / 40)] ?? 300) * TICK_S);
			const run = simulate(source, 20 * 40, seed);
			for (let second = 2; second < 16; second++) {
				expect(sum(run.slice(second * PER_SECOND, (second + 1) * PER_SECOND), "records")).toBeGreaterThan(5);
			}
		}
	});
});

describe("the weights of all records", () => {
	const runs = 200;

	test.each<[string, Source]>([
		["Poisson, 60 a second", poisson(60)],
		["Poisson, 2,000 a second", poisson(2000)],
		["constant, 2,000 a second", constant(2000)],
		["Poisson, 300,000 a second", poisson(300_000)],
		["constant, 2,000,000 a second", constant(2_000_000)],
		["from 100 to 2,000,000 a second", change(poisson(100), poisson(2_000_000), 150)],
		["from 2,000,000 to 100 a second", change(poisson(2_000_000), poisson(100), 150)],
		["in bursts", (tick, random) => (tick % 100 < 10 ? random.poisson(10_000) : random.poisson(2))],
	])("add up to all calls, on average: %s", (_what, source) => {
		const errors: number[] = [];
		let calls = 0;
		for (let seed = 0; seed < runs; seed++) {
			const run = simulate(source, 6 * PER_SECOND, seed);
			calls += sum(run, "calls");
			errors.push(sum(run, "weights") - sum(run, "calls"));
		}
		const mean = errors.reduce((all, one) => all + one, 0) / runs;
		const deviation = Math.sqrt(errors.reduce((all, one) => all + (one - mean) ** 2, 0) / (runs - 1));
		// Weights are rounded to the fifth digit.
		const rounding = (1e-5 * calls) / runs;
		expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(runs) + rounding);
		// The estimate of a single run is worth something, too: some hundred records or more stand behind it.
		expect(deviation).toBeLessThan((0.25 * calls) / runs);
	});
});

describe("update", () => {
	test("says whether the chance is another one", () => {
		const rate = new SampleRate();
		for (let n = 0; n < 500; n++) {
			const before = rate.chance;
			const changed = rate.update(n % 7, TICK_S * 1e9);
			expect(changed).toBe(rate.chance !== before);
		}
	});

	test("does not wait when there are far too many", () => {
		const rate = new SampleRate();
		const before = rate.chance;
		expect(rate.update(10 * WANTED, 20e6)).toBe(true);
		// 100,000 a second are 500 times too many.
		expect(rate.chance).toBeCloseTo(before / 500, 10);
	});

	test("does not count what was picked with the chance before", () => {
		const rate = new SampleRate();
		rate.update(10 * WANTED, 20e6);
		const { chance } = rate;
		for (let n = 0; n < 3; n++) expect(rate.update(10 * WANTED, 20e6)).toBe(false);
		expect(rate.chance).toBe(chance);
		expect(rate.update(10 * WANTED, 20e6)).toBe(true);
	});

	test("goes up at most fourfold and down at most 1,024-fold at once", () => {
		const up = new SampleRate();
		const first = up.chance;
		up.update(0, 1e9);
		expect(up.chance).toBe(4 * first);
		const down = new SampleRate();
		down.update(1e9, 1e6);
		expect(down.chance).toBe(first / 1024);
	});

	test("is not taken to nothing by records that come whatever the chance: slow calls", () => {
		const rate = new SampleRate();
		for (let n = 0; n < 60 * PER_SECOND; n++) rate.update(20, TICK_S * 1e9);
		// Afterwards it takes no minute until there is a record again.
		expect(weightOf(rate.chance)).toBeLessThan(1e6);
		expect(rate.chance).toBeGreaterThan(1e-6);
	});
});

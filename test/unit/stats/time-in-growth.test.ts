/** Time in growths: net of what the probes took, and nothing counted twice. */
import { describe, expect, test } from "bun:test";
import { GrowthTime, type TimedCalls } from "../../../src/stats/time-in-growth.ts";

const OVERHEAD = { ownNs: 100, innerNs: 400, recordNs: 1000 };
const [REHASH, GROW] = ["internal/runtime/maps.(*table).rehash", "internal/runtime/maps.(*table).grow"];
const HASH_GROW = "runtime.hashGrow";

const row = (fields: Partial<TimedCalls> = {}): TimedCalls => ({
	...{ fn: HASH_GROW, calls: 10, timed: 10, elapsed_ns: 50_000, on_cpu: 0, cpu_ns: 0, ...fields },
});

function timesOf(rows: readonly TimedCalls[]): (number | undefined)[] {
	const times = new GrowthTime(OVERHEAD);
	times.learn(rows);
	return rows.map((one) => times.timeOf(one));
}

describe("time in growths", () => {
	test("is without what the probes of the call took", () => {
		expect(timesOf([row()])).toEqual([10 * (5000 - 100)]);
		// Never less than nothing.
		expect(timesOf([row({ elapsed_ns: 500 })])).toEqual([0]);
	});

	test("is processor time where the kernel told it, of as many calls as it did", () => {
		expect(timesOf([row({ elapsed_ns: 1e6, on_cpu: 4, cpu_ns: 8000 })])).toEqual([10 * (2000 - 100)]);
	});

	test("is without records that were written meanwhile, of as many growths as had one", () => {
		expect(timesOf([row({ recorded: 1 })])).toEqual([10 * (5000 - 100 - 1000)]);
		expect(timesOf([row({ recorded: 0.25 })])).toEqual([10 * (5000 - 100 - 250)]);
	});

	test("is without the probes of calls inside, whose own time is part of it", () => {
		const rows = [row({ fn: REHASH }), row({ fn: GROW, calls: 20, timed: 20 })];
		expect(timesOf(rows)).toEqual([10 * (5000 - 100 - 2 * 400), 0]);
	});

	test("of calls whose end was not seen is that of the others of the row, or of the function", () => {
		expect(timesOf([row({ timed: 5, elapsed_ns: 25_000 })])).toEqual([10 * (5000 - 100)]);
		expect(timesOf([row(), row({ timed: 0, elapsed_ns: 0 })])).toEqual([10 * (5000 - 100), 10 * (5000 - 100)]);
	});

	test("is not known of a function that was never timed, and 0 of no calls", () => {
		expect(timesOf([row({ timed: 0, elapsed_ns: 0 }), row({ fn: REHASH })])).toEqual([undefined, 10 * 4900]);
		expect(timesOf([row({ calls: 0 })])).toEqual([0]);
	});
});

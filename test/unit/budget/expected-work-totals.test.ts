/** What growths promise, against maps that are grown here as the runtime does it. */
import { describe, expect, test } from "bun:test";
import { PromisedWork } from "../../../src/budget/expected-work-totals.ts";
import type { PlannedProbe } from "../../../src/plan/probe-plan.ts";
import { Prng } from "../../support/prng.ts";

const probe = (fn: string, role: PlannedProbe["role"]) => ({ fn, role }) as PlannedProbe;
const CLASSIC = ["", "_fast64"].flatMap((variant) => [
	probe(`runtime.growWork${variant}`, "growWork"),
	probe(`runtime.evacuate${variant}`, "evacuate"),
]);
const classic = (b: number, mapType = "map[int]int", weight?: number) => ({
	...{ fn: "runtime.hashGrow", impl: "classic" as const, kind: "double" as const, map_type: mapType, b_before: b },
	...(weight === undefined ? {} : { weight }),
});

/** Writes to a map of `buckets` old buckets until none is left; returns the calls of growWork. `bucketOf`: the bucket of a key that is written. */
function evacuated(buckets: number, bucketOf: () => number): number {
	const moved = new Uint8Array(buckets);
	let next = 0;
	const move = (bucket: number): void => {
		moved[bucket] = 1;
		while (next < buckets && moved[next] === 1) next++;
	};
	let calls = 0;
	for (; next < buckets; calls++) {
		move(bucketOf());
		if (next < buckets) move(next);
	}
	return calls;
}

describe("a growth of a classic map", () => {
	const random = new Prng(5, 0);
	const buckets = 4096;
	const work = new PromisedWork(CLASSIC);
	work.serves("runtime.growWork_fast64", "map[int]int");
	// The newest may not be done: they are not in the lower end.
	for (let i = 0; i < 132; i++) work.add(classic(12));
	const each = work.calls().get("runtime.growWork_fast64");

	test("promises ln 2 calls a bucket when keys are spread evenly", () => {
		const calls = evacuated(buckets, () => random.below(buckets));
		expect(Math.abs(calls / ((each?.likely ?? 0) / 132) - 1)).toBeLessThan(0.05);
	});

	test.each([
		["always the same key is written", () => 0],
		[
			"keys come in the opposite order",
			(() => {
				let key = buckets;
				return () => Math.max(0, --key);
			})(),
		],
		["keys are spread evenly", () => random.below(buckets)],
	] as [string, () => number][])("bounds the calls when %s", (_what, bucketOf) => {
		const calls = evacuated(buckets, bucketOf);
		expect(calls).toBeGreaterThanOrEqual((each?.low ?? Number.NaN) / 100);
		expect(calls).toBeLessThanOrEqual((each?.high ?? Number.NaN) / 132 + 1);
	});

	test("is the work of the function that serves its type, and may be any's before that is known", () => {
		const { low = -1, likely = -1, high = -1 } = new Map(work.calls()).get("runtime.growWork") ?? {};
		expect({ low, likely, high }).toEqual({ low: -1, likely: -1, high: -1 });
		work.add(classic(3, "map[string]bool"));
		expect(work.calls().get("runtime.growWork")).toEqual({ low: 0, likely: 0, high: 8 });
		expect(work.calls().get("runtime.growWork_fast64")?.high).toBe(132 * buckets + 8);
	});
});

test("a sample of the growths promises less exactly", () => {
	const random = new Prng(6, 0);
	let inside = 0;
	for (let run = 0; run < 200; run++) {
		const work = new PromisedWork(CLASSIC);
		work.serves("runtime.growWork_fast64", "map[int]int");
		let truth = 0;
		for (let i = 0; i < 3000; i++) {
			const b = random.below(6);
			truth += Math.LN2 * 2 ** b;
			if (random.below(20) === 0) work.add(classic(b, "map[int]int", 20));
		}
		const { low, high } = work.calls().get("runtime.growWork_fast64") ?? { low: 0, high: 0 };
		if (low <= truth && truth <= high) inside++;
	}
	expect(inside).toBeGreaterThanOrEqual(180);
});

test("rehash of a swiss map calls grow or split", () => {
	const work = new PromisedWork([probe("grow", "grow"), probe("split", "split"), probe("prune", "pruneTombstones")]);
	for (const [kind, count] of [
		["table-double", 100],
		["split", 40],
		["small-to-table", 7],
	] as const) {
		for (let i = 0; i < count; i++)
			work.add({
				fn: kind === "small-to-table" ? "growToTable" : "rehash",
				impl: "swiss",
				kind,
				map_type: "map[int]int",
			});
	}
	expect(work.calls()).toEqual(
		new Map([
			["grow", { low: 100 - 32, likely: 100, high: 100 }],
			["split", { low: 40 - 32, likely: 40, high: 40 }],
		]),
	);
	// Of 280 calls of rehash only half became records.
	expect(work.calls(new Map([["rehash", 280]])).get("grow")).toEqual({ low: 100 - 32, likely: 200, high: 200 });
});

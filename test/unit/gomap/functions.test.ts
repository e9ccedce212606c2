import { expect, test } from "bun:test";
import { MAP_FUNCTIONS, REQUIRED, slotOf } from "../../../src/gomap/functions.ts";
import { NO_SLOT, SLOTS } from "../../../src/kernel/wire.ts";

test.each(["classic", "swiss"] as const)(
	"%s: each function that is timed has a place of its own among a goroutine's calls",
	(impl) => {
		const functions = MAP_FUNCTIONS.filter((candidate) => candidate.impl === impl);
		const timed = functions.filter(({ tier }) => tier !== "iteration");
		const slots = timed.map(({ fn }) => slotOf(fn));
		expect(slots).toEqual([...timed.keys()]);
		expect(timed.length).toBeLessThanOrEqual(SLOTS);
		expect(NO_SLOT).toBeGreaterThanOrEqual(SLOTS);
		for (const { fn } of functions.filter(({ tier }) => tier === "iteration")) expect(slotOf(fn)).toBeUndefined();
		expect(
			REQUIRED[impl].every((fn) => timed.some((candidate) => candidate.fn === fn && candidate.tier === "growth")),
		).toBe(true);
	},
);

test("no name is there twice, and what is no function of maps has no place", () => {
	const names = MAP_FUNCTIONS.map(({ fn }) => fn);
	expect(new Set(names).size).toBe(names.length);
	for (const fn of ["", "runtime.mapassign", "runtime.growWork_fast", "__proto__"]) expect(slotOf(fn)).toBeUndefined();
});

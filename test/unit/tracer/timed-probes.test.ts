import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Tier } from "../../../src/gomap/functions.ts";
import { slotOf } from "../../../src/gomap/functions.ts";
import { isTimed, sitesNeeded } from "../../../src/tracer/timed-probes.ts";
import { exitSite, plannedProbe, probePlan } from "./plan-parts.ts";
import { realTarget } from "./real-target.ts";

setDefaultTimeout(60_000);

const hashGrow = plannedProbe("runtime.hashGrow", { exits: [exitSite(0x40_1100), exitSite(0x40_1180)] });
const evacuate = plannedProbe("runtime.evacuate", { exits: [exitSite(0x40_2100)] });
const growWork = plannedProbe("runtime.growWork", {
	exits: [exitSite(0x40_3100), exitSite(0x40_3180, { handsOverTo: "runtime.evacuate" })],
});
const without = plannedProbe("runtime.evacuate", { exitsMissing: "some reason" });

const TIMING = { latency: true };

describe("a call is timed", () => {
	test("when the exits of its function are known", () => {
		expect(isTimed(probePlan([hashGrow]), hashGrow, TIMING)).toBe(true);
		expect(isTimed(probePlan([without]), without, TIMING)).toBe(false);
	});

	test("when the function to which it hands over is timed, too", () => {
		expect(isTimed(probePlan([growWork, evacuate]), growWork, TIMING)).toBe(true);
		expect(isTimed(probePlan([growWork, without]), growWork, TIMING)).toBe(false);
		expect(isTimed(probePlan([growWork]), growWork, TIMING)).toBe(false);
		const deeper = plannedProbe("runtime.evacuate", { exits: [exitSite(0x40_2100, { handsOverTo: "runtime.gone" })] });
		expect(isTimed(probePlan([growWork, deeper]), growWork, TIMING)).toBe(false);
	});

	test("never when the function hands over to itself", () => {
		const own = plannedProbe("runtime.growWork", { exits: [exitSite(0x40_3100, { handsOverTo: "runtime.growWork" })] });
		expect(isTimed(probePlan([own]), own, TIMING)).toBe(false);
	});

	test("never when goroutines cannot be told apart", () => {
		const { goroutine: _, ...blind } = probePlan([hashGrow]);
		expect(isTimed(blind, hashGrow, TIMING)).toBe(false);
	});
});

test.each(["1.23", "1.27"])(
	"Go %s: growths and work are timed, iterations, which have no place for it, are not",
	(version) => {
		const { target, entries } = realTarget({ version }, true);
		const timed = (tier: Tier): boolean[] =>
			entries.filter(({ probe }) => probe.tier === tier).map(({ probe }) => isTimed(target.plan, probe, TIMING));
		target.close();
		for (const tier of ["growth", "work"] as const) expect(new Set(timed(tier))).toEqual(new Set([true]));
		expect(new Set(timed("iteration"))).toEqual(new Set([false]));
		for (const { probe } of entries) expect(slotOf(probe.fn) !== undefined).toBe(isTimed(target.plan, probe, TIMING));
	},
);

test("a target needs a number for each entry, and one for each exit of a timed function", () => {
	expect(sitesNeeded(probePlan([hashGrow, growWork, evacuate]), TIMING)).toBe(3 + 2 + 2 + 1);
	expect(sitesNeeded(probePlan([hashGrow, growWork, evacuate]), { latency: false })).toBe(3);
	// growWork has exits that are of no use.
	expect(sitesNeeded(probePlan([hashGrow, growWork, without]), TIMING)).toBe(3 + 2);
	expect(sitesNeeded(probePlan([]), TIMING)).toBe(0);
});

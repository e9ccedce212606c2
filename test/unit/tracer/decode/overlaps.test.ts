import { describe, expect, test } from "bun:test";
import type { GrowthRecord } from "../../../../src/records/records.ts";
import { RecentGrowths } from "../../../../src/tracer/decode/overlaps.ts";
import { growthRecord } from "../../stats/growth-record.ts";

const MAP = "0x00000000deadbeef";
const growth = (nth: number, fields: Partial<GrowthRecord> = {}): GrowthRecord =>
	growthRecord({ map: MAP, nth, ...fields });

/** A map that has grown so often; its growths' numbers begin with 1. */
function grown(times: number, recent = new RecentGrowths(), fields: Partial<GrowthRecord> = {}, image = 10) {
	for (let nth = 1; nth <= times; nth++) recent.add(image, nth, growth(nth, fields));
	return recent;
}

const between = (recent: RecentGrowths, seen: number, last: number, image = 10, map = MAP): number[] =>
	recent.between(image, map, seen, last).map(({ nth }) => nth);

describe("the growths between two steps", () => {
	test("are those after the one that was seen, up to the last one", () => {
		const recent = grown(5);
		expect(between(recent, 0, 5)).toEqual([1, 2, 3, 4, 5]);
		expect(between(recent, 2, 4)).toEqual([3, 4]);
		expect(between(recent, 4, 5)).toEqual([5]);
		expect(between(recent, 5, 5)).toEqual([]);
		expect(between(recent, 5, 4)).toEqual([]);
		// The kernel is ahead: growths may still be in the ring, or have been lost.
		expect(between(recent, 4, 9)).toEqual([5]);
		expect(between(recent, 7, 9)).toEqual([]);
	});

	test("are the records themselves, so that a duration that comes later is in them", () => {
		const recent = new RecentGrowths();
		const record = growth(1);
		recent.add(10, 1, record);
		record.duration_ns = 77;
		expect(recent.between(10, MAP, 0, 1)).toEqual([expect.objectContaining({ duration_ns: 77 })]);
		expect(recent.between(10, MAP, 0, 1)[0]).toBe(record);
	});

	test("leave out what was lost", () => {
		const recent = new RecentGrowths();
		for (const sequence of [1, 2, 5]) recent.add(10, sequence, growth(sequence));
		expect(between(recent, 1, 5)).toEqual([2, 5]);
	});

	test("are of one map of one process image", () => {
		const recent = grown(3);
		grown(2, recent, {}, 11);
		grown(1, recent, { map: "0x0000000000000001" });
		expect(between(recent, 0, 9)).toEqual([1, 2, 3]);
		expect(between(recent, 0, 9, 11)).toEqual([1, 2]);
		expect(between(recent, 0, 9, 10, "0x0000000000000001")).toEqual([1]);
		expect(between(recent, 0, 9, 12)).toEqual([]);
		expect(between(recent, 0, 9, 10, "0x0000000000000002")).toEqual([]);
	});
});

describe("memory is bounded", () => {
	test("of a map the last 64 are remembered", () => {
		const recent = grown(100);
		expect(between(recent, 0, 100)).toEqual(Array.from({ length: 64 }, (_, n) => n + 37));
	});

	test("of at most 4,096 maps: those that have grown last, and at least four fifths of them", () => {
		const recent = new RecentGrowths();
		const map = (n: number): string => `0x${n.toString(16).padStart(16, "0")}`;
		for (let n = 0; n < 4096; n++) recent.add(10, 1, growth(1, { map: map(n) }));
		expect(between(recent, 0, 1, 10, map(0))).toEqual([1]);
		recent.add(10, 2, growth(2, { map: map(0) }));
		recent.add(10, 1, growth(1, { map: map(4096) }));
		expect(between(recent, 0, 2, 10, map(0))).toEqual([1, 2]);
		expect(between(recent, 0, 2, 10, map(1))).toEqual([]);
		expect(between(recent, 0, 2, 10, map(Math.ceil(4096 / 5) + 2))).toEqual([1]);
	});
});

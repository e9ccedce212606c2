/** Samples of the work tier and steps of iterators, from the bytes of the kernel program to the records. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { decodeRecord, type RawStep, type RawWork } from "../../../../src/kernel/events.ts";
import type { GrowthRecord } from "../../../../src/records/records.ts";
import { RecentGrowths } from "../../../../src/tracer/decode/overlaps.ts";
import { SampleDecoder } from "../../../../src/tracer/decode/samples.ts";
import { rawStep, rawWork } from "../../kernel/raw-records.ts";
import { growthRecord } from "../../stats/growth-record.ts";
import { type RealTarget, realTarget } from "../real-target.ts";

setDefaultTimeout(60_000);

/** 2025-01-31T12:00:00Z, 1,000 s after the machine started. */
const ANCHOR = { wallNs: 1_738_324_800_000_000_000n, monotonicNs: 1_000_000_000_000n };
const at = (ns: number): bigint => ANCHOR.monotonicNs + BigInt(ns);
const classic = realTarget({ version: "1.23" }, true);
const swiss = realTarget({ version: "1.27" }, true);
const pie = realTarget({ version: "1.23", buildmode: "pie" }, true);
afterAll(() => {
	for (const { target } of [classic, swiss, pie]) target.close();
});

const decoder = new SampleDecoder(ANCHOR);
const returns = (real: RealTarget, ...fns: string[]): bigint[] => fns.map((fn) => BigInt(real.entry(fn) + 1));

function head(real: RealTarget, mapType: string) {
	return {
		timeNs: at(2_000_000_001),
		...{ goid: 18n, tgid: 4711, tid: 4712, mapType: BigInt(real.mapType(mapType)) },
		frames: returns(real, "main.chains", "main.main", "runtime.goexit", "main.small"),
	};
}

describe("a call of the work tier", () => {
	function work(real: RealTarget, fn: string, fields: Parameters<typeof rawWork>[0] = {}) {
		const raw = decodeRecord(rawWork({ ...head(real, "map[string]int"), ...fields })) as RawWork;
		return decoder.work(raw, real.site(fn));
	}

	test("of a classic map", () => {
		const record = work(classic, "growWork_faststr", { durationNs: 1234n, chance: 2n ** 25n, iterating: 1 });
		expect(record).toEqual({
			...{ type: "work", time: "2025-01-31T12:00:02.000000001Z", elapsed_ns: 2_000_000_001 },
			...{ pid: 4711, tid: 4712, goid: 18, fn: "runtime.growWork_faststr", map_type: "map[string]int" },
			...{ weight: 128, duration_ns: 1234, iterating: true },
			stack: [
				expect.objectContaining({ fn: "runtime.growWork_faststr" }),
				expect.objectContaining({ fn: "main.chains", file: expect.stringMatching(/chains\/main\.go$/) }),
				expect.objectContaining({ fn: "main.main" }),
			],
		});
		expect(work(classic, "growWork_faststr", { chance: 2n ** 25n }).iterating).toBe(false);
	});

	test("of a swiss map, which does not say whether it is iterated", () => {
		const record = work(swiss, "(*table).grow", { durationNs: 5n, chance: 0xffff_ffffn });
		expect(record).toMatchObject({ fn: "internal/runtime/maps.(*table).grow", weight: 1, duration_ns: 5 });
		expect(record).not.toHaveProperty("iterating");
	});

	test("that was slow, or was not measured, or whose goroutine could not be read", () => {
		expect(work(classic, "evacuate", { slow: 1, chance: 0xffff_ffffn })).toMatchObject({ slow: true, weight: 1 });
		const record = work(classic, "evacuate", { chance: 2n ** 31n, fault: 4 });
		for (const field of ["slow", "duration_ns", "goid", "stack_truncated"]) expect(record).not.toHaveProperty(field);
		expect(work(classic, "evacuate", { truncated: 1 })).toMatchObject({ stack_truncated: true });
	});

	test("of a type made at run time", () => {
		expect(work(classic, "evacuate", { mapType: 0xc0_0000_0000n }).map_type).toBe("map[?]? (made at run time)");
	});

	test("of a program of which nobody knows yet where it was loaded has neither type nor stack", () => {
		expect(pie.target.bias).toBeUndefined();
		const record = work(pie, "growWork_faststr", { chance: 2n ** 31n });
		expect(record).toMatchObject({ map_type: "map[?]? (made at run time)", stack: [], weight: 2 });
	});
});

describe("a step of an iterator after its map has grown", () => {
	const growthStack = [{ fn: "runtime.hashGrow" }, { fn: "main.grow" }];

	function grown(map: string, last: number, fields: Partial<GrowthRecord> = {}): RecentGrowths {
		const real = map.length === "0x00000000".length ? classic : swiss;
		const recent = new RecentGrowths();
		for (let nth = 1; nth <= last; nth++) {
			const record = { pid: 4711, map, nth, elapsed_ns: 1000 * nth, map_type: "map[string]int", stack: growthStack };
			recent.add(real.target.image, nth, growthRecord({ ...record, ...fields }));
		}
		return recent;
	}

	function overlaps(real: RealTarget, recent: RecentGrowths, fields: Parameters<typeof rawStep>[0]) {
		const raw = decodeRecord(rawStep({ ...head(real, "map[string]int"), begunNs: at(77), ...fields })) as RawStep;
		const fn = real === swiss ? "(*Iter).Next" : "mapiternext";
		return decoder.overlaps(raw, real.site(fn), recent);
	}

	test("is one overlap for each growth since its previous step", () => {
		const recent = grown("0x0000abcd", 5, { kind: "double", goid: 9 });
		const found = overlaps(classic, recent, { seed: 0xabcdn, seen: 2n, sequence: 4n });
		expect(found).toEqual(
			[3, 4].map((nth) => ({
				...{ type: "overlap", time: "2025-01-31T12:00:02.000000001Z", elapsed_ns: 2_000_000_001, pid: 4711 },
				...{ map_type: "map[string]int", map: "0x0000abcd" },
				growth: { elapsed_ns: 1000 * nth, nth, kind: "double", goid: 9, stack: growthStack },
				iteration: {
					...{ elapsed_ns: 77, goid: 18 },
					stack: [
						expect.objectContaining({ fn: "runtime.mapiternext" }),
						expect.objectContaining({ fn: "main.chains" }),
						expect.objectContaining({ fn: "main.main" }),
					],
				},
			})),
		);
	});

	test("finds its map by the seed as growths spell it: 32 bits of classic maps, 64 of swiss ones", () => {
		const step = { seen: 0n, sequence: 1n };
		expect(overlaps(classic, grown("0x00000007", 1), { ...step, seed: 7n })).toHaveLength(1);
		expect(overlaps(classic, grown("0xffffffff", 1), { ...step, seed: 0xffff_ffffn })).toHaveLength(1);
		expect(overlaps(swiss, grown("0x0000000000000007", 1), { ...step, seed: 7n })).toHaveLength(1);
		const seed = 0xfedc_ba98_7654_3210n;
		expect(overlaps(swiss, grown("0xfedcba9876543210", 1), { ...step, seed })).toHaveLength(1);
		expect(overlaps(swiss, grown("0xfedcba9876543210", 1), { ...step, seed: seed + 1n })).toEqual([]);
	});

	test("is none for growths that were lost", () => {
		expect(overlaps(classic, grown("0x00000007", 2), { seed: 7n, seen: 2n, sequence: 3n })).toEqual([]);
		expect(overlaps(classic, new RecentGrowths(), { seed: 7n, seen: 0n, sequence: 3n })).toEqual([]);
	});

	test("by a goroutine that could not be read, with a stack that goes on", () => {
		const [found] = overlaps(classic, grown("0x00000007", 1), {
			...{ seed: 7n, seen: 0n, sequence: 1n, fault: 4, truncated: 1 },
		});
		expect(found?.iteration).not.toHaveProperty("goid");
		expect(found?.iteration).toMatchObject({ stack_truncated: true });
		expect(found?.growth).not.toHaveProperty("goid");
	});

	test("that began before the observation began at its beginning", () => {
		const step = { seed: 7n, seen: 0n, sequence: 1n, begunNs: ANCHOR.monotonicNs - 5n };
		expect(overlaps(classic, grown("0x00000007", 1), step)[0]?.iteration.elapsed_ns).toBe(0);
	});

	test("of a program of which nobody knows where it was loaded is none: it has no growths either", () => {
		expect(overlaps(pie, grown("0x00000007", 1), { seed: 7n, seen: 0n, sequence: 1n })).toEqual([]);
	});
});

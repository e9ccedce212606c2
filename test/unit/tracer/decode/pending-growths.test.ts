/** Growths that wait for their duration: each comes out once, and none is held back for long. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeRecord, type RawGrowth, type RawLeft } from "../../../../src/kernel/events.ts";
import type { GrowthRecord } from "../../../../src/records/records.ts";
import { PendingGrowths } from "../../../../src/tracer/decode/pending-growths.ts";
import { rawGrowth, rawLeft } from "../../kernel/raw-records.ts";
import { growthRecord } from "../../stats/growth-record.ts";

interface Begun {
	raw: RawGrowth;
	record: GrowthRecord;
}

/** `g` and time tell the growth. */
function begun(g: number, timeNs: number, tgid = 10): Begun {
	const raw = decodeRecord(rawGrowth({ g: BigInt(g), timeNs: BigInt(timeNs), tgid })) as RawGrowth;
	return { raw, record: growthRecord({ pid: tgid, goid: g, elapsed_ns: timeNs }) };
}

function left(g: number, begunNs: number, durationNs: number, tgid = 10): RawLeft {
	const fields = { g: BigInt(g), begunNs: BigInt(begunNs), durationNs: BigInt(durationNs), tgid };
	return decodeRecord(rawLeft(fields)) as RawLeft;
}

/** What came out: [goroutine, when it began, duration]. */
class Out {
	readonly records: GrowthRecord[] = [];
	readonly give = (record: GrowthRecord): void => void this.records.push(record);
	get rows(): [number | undefined, number, number | undefined][] {
		return this.records.map(({ goid, elapsed_ns, duration_ns }) => [goid, elapsed_ns, duration_ns]);
	}
}

function holding(growths: readonly Begun[]): { pending: PendingGrowths; out: Out } {
	const [pending, out] = [new PendingGrowths(), new Out()];
	for (const { raw, record } of growths) pending.add(raw, record, out.give);
	return { pending, out };
}

describe("a growth", () => {
	test("waits, and comes with its duration when it has been left", () => {
		const one = begun(1, 1000);
		const { pending, out } = holding([one]);
		expect([pending.size, out.rows]).toEqual([1, []]);
		pending.left(left(1, 1000, 456), out.give);
		expect([pending.size, out.rows]).toEqual([0, [[1, 1000, 456]]]);
		expect(out.records[0]).toBe(one.record);
	});

	test("comes once, however often it is left", () => {
		const { pending, out } = holding([begun(1, 1000)]);
		for (let n = 0; n < 3; n++) pending.left(left(1, 1000, 456), out.give);
		pending.flush(out.give);
		expect(out.rows).toEqual([[1, 1000, 456]]);
	});

	test("is told by process, goroutine and beginning", () => {
		const { pending, out } = holding([begun(1, 1000), begun(2, 1000), begun(1, 1001), begun(1, 1000, 11)]);
		expect(pending.size).toBe(4);
		pending.left(left(1, 1001, 7), out.give);
		pending.left(left(2, 1000, 8), out.give);
		pending.left(left(3, 1000, 9), out.give);
		pending.left(left(2, 1001, 9), out.give);
		pending.left(left(1, 1000, 5, 12), out.give);
		expect(out.rows).toEqual([
			[1, 1001, 7],
			[2, 1000, 8],
		]);
		pending.left(left(1, 1000, 6, 11), out.give);
		expect(out.records.at(-1)).toMatchObject({ pid: 11, goid: 1, duration_ns: 6 });
		expect(pending.size).toBe(1);
	});

	test("that was lost may be left all the same", () => {
		const { pending, out } = holding([]);
		pending.left(left(1, 1000, 456), out.give);
		expect([pending.size, out.rows]).toEqual([0, []]);
	});

	test("of 0 ns is one of 0 ns", () => {
		const { pending, out } = holding([begun(1, 1000)]);
		pending.left(left(1, 1000, 0), out.give);
		expect(out.records[0]).toHaveProperty("duration_ns", 0);
	});
});

describe("patience", () => {
	const second = 1e9;

	test("ends a second after the growth began", () => {
		const { pending, out } = holding([begun(1, 1000), begun(2, 2000), begun(3, 3000)]);
		pending.expire(second + 999, out.give);
		expect(out.rows).toEqual([]);
		pending.expire(second + 1000, out.give);
		expect(out.rows).toEqual([[1, 1000, undefined]]);
		expect(out.records[0]).not.toHaveProperty("duration_ns");
		pending.expire(second + 3000, out.give);
		expect(out.rows.map(([goid]) => goid)).toEqual([1, 2, 3]);
		expect(pending.size).toBe(0);
	});

	test("comes to an end for those behind one that has been left", () => {
		const { pending, out } = holding([begun(1, 1000), begun(2, 2000)]);
		pending.left(left(1, 1000, 50), out.give);
		pending.expire(second + 2000, out.give);
		expect(out.rows).toEqual([
			[1, 1000, 50],
			[2, 2000, undefined],
		]);
	});

	test("of one that is given out is not given again: its end comes too late", () => {
		const { pending, out } = holding([begun(1, 1000)]);
		pending.expire(3 * second, out.give);
		pending.left(left(1, 1000, 2 * second), out.give);
		expect(out.rows).toEqual([[1, 1000, undefined]]);
	});

	test("has nothing to do when nothing waits", () => {
		const { pending, out } = holding([]);
		pending.expire(Number.MAX_SAFE_INTEGER, out.give);
		pending.flush(out.give);
		expect(out.rows).toEqual([]);
	});
});

test("flush gives everything in the order in which it began", () => {
	const { pending, out } = holding([begun(5, 100), begun(4, 200), begun(9, 300), begun(1, 400)]);
	pending.left(left(4, 200, 1), out.give);
	pending.flush(out.give);
	expect(out.rows.map(([goid]) => goid)).toEqual([4, 5, 9, 1]);
	expect(pending.size).toBe(0);
});

test("too many at once: the oldest goes, without a duration", () => {
	const MAX_PENDING = 4096;
	const { pending, out } = holding(Array.from({ length: MAX_PENDING }, (_, n) => begun(n + 1, n)));
	expect([pending.size, out.records.length]).toEqual([MAX_PENDING, 0]);
	const { raw, record } = begun(9999, 9999);
	pending.add(raw, record, out.give);
	expect([pending.size, out.rows]).toEqual([MAX_PENDING, [[1, 0, undefined]]]);
	pending.left(left(9999, 9999, 3), out.give);
	pending.left(left(2, 1, 4), out.give);
	expect(out.rows.slice(1)).toEqual([
		[9999, 9999, 3],
		[2, 1, 4],
	]);
});

test("whatever happens, each growth comes out exactly once, and never later than a second", () => {
	const step = fc.record({
		what: fc.constantFrom("begin", "begin", "leave", "expire"),
		goroutine: fc.integer({ min: 1, max: 5 }),
		afterNs: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 7e8 })),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const { pending, out } = holding([]);
			const since = new Map<number, number>();
			const all: Begun[] = [];
			let now = 1;
			for (const { what, goroutine, afterNs } of steps) {
				now += afterNs;
				if (what === "begin") {
					const one = begun(goroutine, now);
					all.push(one);
					since.set(goroutine, now);
					pending.add(one.raw, one.record, out.give);
				} else if (what === "leave") {
					pending.left(left(goroutine, since.get(goroutine) ?? 0, now - (since.get(goroutine) ?? now)), out.give);
				} else {
					pending.expire(now, out.give);
					const waiting = all.filter(({ record }) => !out.records.includes(record));
					expect(waiting.every(({ raw }) => now - raw.timeNs < 1e9)).toBe(true);
				}
				expect(pending.size).toBe(all.length - out.records.length);
			}
			pending.flush(out.give);
			expect(new Set(out.records)).toEqual(new Set(all.map(({ record }) => record)));
			expect(out.records).toHaveLength(all.length);
		}),
		{ seed: 11 },
	);
});

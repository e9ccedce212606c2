/** Records of the ring buffer: every field, whole and cut short, and any bytes at all. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeRecord, type RawGrowth, type RawRecord, type RawWork } from "../../../src/kernel/events.ts";
import { hmapBytes, rawGrowth, rawLeft, rawStep, rawWork, swissTableBytes } from "./raw-records.ts";

/** Below 2^53, each byte of it different. */
const U64 = (n: number): bigint => 0x10_0000_0000_0000n + BigInt(n) * 0x1_0001_0001n;
const HEAD = {
	site: 0x80000001,
	timeNs: U64(1),
	g: U64(2),
	goid: U64(3),
	ip: U64(4),
	mapType: U64(5),
	tgid: 4_194_303,
	tid: 4_194_304,
	frames: [0x40_1000n, 0x7fff_ffff_f000n, 0xffff_ffff_8000_0000n],
};
const DECODED = {
	site: 0x80000001,
	timeNs: Number(U64(1)),
	g: Number(U64(2)),
	goid: Number(U64(3)),
	ip: Number(U64(4)),
	mapType: Number(U64(5)),
	tgid: 4_194_303,
	tid: 4_194_304,
	truncated: false,
	fault: 0,
};

/** The views of a record as plain arrays. */
function plain(record: RawRecord): object {
	return Object.fromEntries(
		Object.entries(record).map(([name, value]) => [
			name,
			value instanceof DataView
				? [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]
				: value instanceof BigUint64Array
					? [...value]
					: value,
		]),
	);
}

const kindsOf = { growth: rawGrowth, work: rawWork, step: rawStep };

describe("a record as the programs write it", () => {
	test("a growth", () => {
		const header = hmapBytes({ count: 52, b: 3, flags: 9, overflow: 513, seed: 0xfedcba98 });
		const table = swissTableBytes({ used: 896, capacity: 1024, localDepth: 3 });
		const view = rawGrowth({
			...HEAD,
			...{
				parentGoid: U64(6),
				gopc: U64(7),
				startpc: U64(8),
				map: U64(9),
				sequence: 0xfffffff9,
				chance: 2 ** 30,
				header,
				table,
				...{ madeNs: U64(10), madeBy: U64(11), madeHint: U64(12), onStack: 1 },
			},
		});
		expect(plain(decodeRecord(view))).toEqual({
			kind: "growth",
			...DECODED,
			parentGoid: Number(U64(6)),
			gopc: Number(U64(7)),
			startpc: Number(U64(8)),
			map: Number(U64(9)),
			sequence: 0xfffffff9,
			weight: 4,
			...{ madeNs: Number(U64(10)), madeBy: Number(U64(11)), madeHint: Number(U64(12)), onStack: true },
			header: [...header],
			table: [...table],
			frames: HEAD.frames,
		});
	});

	test("the end of a growth", () => {
		const view = rawLeft({ site: 7, tgid: 4711, g: U64(1), begunNs: U64(2), durationNs: U64(3) });
		expect(decodeRecord(view)).toEqual({
			kind: "left",
			site: 7,
			tgid: 4711,
			g: Number(U64(1)),
			begunNs: Number(U64(2)),
			durationNs: Number(U64(3)),
		});
	});

	test("a call of the work tier", () => {
		const view = rawWork({ ...HEAD, durationNs: U64(6), chance: 429_496_730n, slow: 1, iterating: 1 });
		expect(plain(decodeRecord(view))).toEqual({
			kind: "work",
			...DECODED,
			durationNs: Number(U64(6)),
			weight: 10,
			slow: true,
			iterating: true,
			frames: HEAD.frames,
		});
		expect(decodeRecord(rawWork(HEAD))).toMatchObject({ durationNs: 0, slow: false, iterating: false });
	});

	test("a step of an iterator", () => {
		const view = rawStep({ ...HEAD, seed: 0xffff_ffff_ffff_fff1n, begunNs: U64(6), seen: 5n, sequence: 8n });
		expect(plain(decodeRecord(view))).toEqual({
			kind: "step",
			...DECODED,
			seed: 0xffff_ffff_ffff_fff1n,
			begunNs: Number(U64(6)),
			seen: 5,
			sequence: 8,
			frames: HEAD.frames,
		});
	});

	test.each([
		[1, true],
		[255, true],
		[0, false],
	])("flags are whatever is not 0: %d", (value, expected) => {
		expect(decodeRecord(rawGrowth({ truncated: value }))).toMatchObject({ truncated: expected });
		expect(decodeRecord(rawWork({ slow: value, iterating: value }))).toMatchObject({
			slow: expected,
			iterating: expected,
		});
		expect(decodeRecord(rawStep({ fault: value }))).toMatchObject({ fault: value });
	});
});

describe("the weight of a record", () => {
	const weight = (chance: bigint): number => (decodeRecord(rawWork({ chance })) as RawWork).weight;
	const growthWeight = (chance: bigint): number =>
		(decodeRecord(rawGrowth({ chance: Number(chance) })) as RawGrowth).weight;

	// Calls are picked when a random number below 2^32 is below the chance.
	test.each([
		[2n ** 31n, 2],
		[2n ** 30n, 4],
		[2n ** 26n, 64],
		[429_497n, 9999.9937],
		[3_221_225_472n, 1.3333],
		[4_294_967_294n, 1],
		[1n, 4_294_967_296],
	])("picked with a chance of %d in 2^32", (chance, expected) => {
		expect([weight(chance), growthWeight(chance)]).toEqual([expected, expected]);
	});

	test("is 1 for what is always recorded, and for what nothing is said of", () => {
		for (const chance of [0xffff_ffffn, 0n]) expect([weight(chance), growthWeight(chance)]).toEqual([1, 1]);
	});
});

describe("frames", () => {
	const addresses = (count: number): bigint[] => Array.from({ length: count }, (_, i) => 0x40_0000n + BigInt(i));
	const framesOf = (view: DataView): bigint[] => [...(decodeRecord(view) as RawGrowth).frames];

	test.each([0, 1, 23, 24, 25, 126, 127])("%d, in a short record or a long one", (count) => {
		for (const make of Object.values(kindsOf)) {
			const view = make({ frames: addresses(count) });
			expect(view.byteLength).toBe(count <= 24 ? 384 : 1208);
			expect(framesOf(view)).toEqual(addresses(count));
		}
	});

	test("no more than the record has room for, whatever it says", () => {
		for (const make of Object.values(kindsOf)) {
			expect(framesOf(make({ frames: addresses(24), frameCount: 25 }))).toEqual(addresses(24));
			expect(framesOf(make({ frames: addresses(3), frameCount: 65_535 }))).toHaveLength(24);
			expect(framesOf(make({ frames: addresses(127), frameCount: 128 }))).toEqual(addresses(127));
		}
	});

	test("no more than a stack can have, however long the record is", () => {
		const long = new DataView(new ArrayBuffer(192 + 8 * 500));
		long.setUint32(0, 1, true);
		long.setUint16(56, 400, true);
		expect(framesOf(long)).toHaveLength(127);
	});

	test("whole ones only", () => {
		for (let bytes = 0; bytes <= 24; bytes++) {
			const whole = rawGrowth({ frames: addresses(10) });
			const cut = new DataView(whole.buffer, whole.byteOffset, 192 + bytes);
			expect(framesOf(cut)).toEqual(addresses(Math.floor(bytes / 8)));
		}
	});
});

describe("a record that cannot be one", () => {
	test.each(Object.entries(kindsOf))("%s: too short for its head", (_kind, make) => {
		const whole = make({ frames: [1n] });
		for (let length = 0; length < 192; length++) {
			const site = length < 8 ? undefined : 0;
			expect(decodeRecord(new DataView(whole.buffer, whole.byteOffset, length))).toEqual({ kind: "unknown", site });
		}
		expect(decodeRecord(new DataView(whole.buffer, whole.byteOffset, 192)).kind).not.toBe("unknown");
	});

	test("the end of a growth: too short", () => {
		const whole = rawLeft({ g: 1n });
		for (let length = 0; length < 40; length++) {
			const site = length < 8 ? undefined : 0;
			expect(decodeRecord(new DataView(whole.buffer, whole.byteOffset, length))).toEqual({ kind: "unknown", site });
		}
	});

	test.each([0, 5, 6, 255, 0x100, 0x01000000, 0xffffffff])("kind %d", (kind) => {
		const view = rawGrowth({ site: 7 });
		view.setUint32(0, kind, true);
		expect(decodeRecord(view)).toEqual({ kind: "unknown", site: 7 });
	});
});

/** A view that remembers how far it was read. */
class WatchedView extends DataView<ArrayBuffer> {
	reach = 0;
	#read<T>(offset: number, bytes: number, value: T): T {
		if (offset < 0) throw new Error(`read at ${offset}`);
		this.reach = Math.max(this.reach, offset + bytes);
		return value;
	}
	override getUint8(at: number): number {
		return this.#read(at, 1, super.getUint8(at));
	}
	override getUint16(at: number, little?: boolean): number {
		return this.#read(at, 2, super.getUint16(at, little));
	}
	override getUint32(at: number, little?: boolean): number {
		return this.#read(at, 4, super.getUint32(at, little));
	}
	override getBigUint64(at: number, little?: boolean): bigint {
		return this.#read(at, 8, super.getBigUint64(at, little));
	}
}

describe("any bytes at all", () => {
	const length = fc.oneof(fc.integer({ min: 0, max: 1400 }), fc.constantFrom(0, 3, 39, 40, 191, 192, 384, 1208));
	const bytes = length.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
	// Most of them say that they are a kind that there is.
	const kind = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined, freq: 9 });
	// The ring aligns records to eight bytes.
	const before = fc.integer({ min: 0, max: 6 }).map((words) => words * 8);
	const after = fc.integer({ min: 0, max: 64 });

	test("are decoded or refused, without an error and without a look at what stands beside them", () => {
		const seen = new Map<string, number>();
		fc.assert(
			fc.property(bytes, kind, before, after, (content, asKind, front, back) => {
				const buffer = new ArrayBuffer(front + content.length + back);
				new Uint8Array(buffer).set(content, front);
				const view = new WatchedView(buffer, front, content.length);
				if (asKind !== undefined && content.length >= 4) view.setUint32(0, asKind, true);
				const record = decodeRecord(view);
				seen.set(record.kind, (seen.get(record.kind) ?? 0) + 1);
				expect(view.reach).toBeLessThanOrEqual(content.length);
				for (const value of Object.values(record).filter((each) => each !== undefined)) {
					if (!ArrayBuffer.isView(value)) {
						expect(
							typeof value === "bigint" || typeof value === "boolean" || typeof value === "string" || value >= 0,
						).toBe(true);
						continue;
					}
					expect(value.buffer).toBe(buffer);
					expect(value.byteOffset).toBeGreaterThanOrEqual(front);
					expect(value.byteOffset + value.byteLength).toBeLessThanOrEqual(front + content.length);
				}
				// What stands beside it makes no difference.
				const other = new Uint8Array(front + content.length + back).fill(0xff);
				other.set(new Uint8Array(buffer, front, content.length), front);
				expect(plain(decodeRecord(new DataView(other.buffer, front, content.length)))).toEqual(plain(record));
			}),
			{ numRuns: 1000, seed: 7 },
		);
		// The property says something about every kind.
		for (const each of ["growth", "left", "work", "step", "unknown"]) expect(seen.get(each)).toBeGreaterThan(25);
	});
});

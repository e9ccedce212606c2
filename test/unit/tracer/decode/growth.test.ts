/** A growth from the bytes of the kernel program to the record, with real executables. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { decodeRecord, type RawGrowth } from "../../../../src/kernel/events.ts";
import type { GrowthRecord } from "../../../../src/records/records.ts";
import { GrowthDecoder } from "../../../../src/tracer/decode/growth.ts";
import { type GrowthFields, hmapBytes, rawGrowth, swissMapBytes, swissTableBytes } from "../../kernel/raw-records.ts";
import { type RealTarget, realTarget } from "../real-target.ts";

setDefaultTimeout(60_000);

/** 2025-01-31T12:00:00Z, 1,000 s after the machine started. */
const ANCHOR = { wallNs: 1_738_324_800_000_000_000n, monotonicNs: 1_000_000_000_000n };
const classic = realTarget({ version: "1.23" });
const swiss = realTarget({ version: "1.27" });
const pie = realTarget({ version: "1.23", buildmode: "pie" });
afterAll(() => {
	for (const { target } of [classic, swiss, pie]) target.close();
});

const newDecoder = (): GrowthDecoder => new GrowthDecoder(ANCHOR);

/** What any growth of the target says that tests do not care about. */
function raw(real: RealTarget, fn: string, mapType: string, fields: GrowthFields): RawGrowth {
	const whole: GrowthFields = {
		timeNs: ANCHOR.monotonicNs + 1_500_000_042n,
		...{ goid: 18n, tgid: 4711, tid: 4712, mapType: BigInt(real.mapType(mapType)) },
		ip: BigInt(real.site(fn).probe.site.address),
		...fields,
	};
	return decodeRecord(rawGrowth(whole)) as RawGrowth;
}

function decode(real: RealTarget, fn: string, mapType: string, fields: GrowthFields, decoder = newDecoder()) {
	return decoder.decode(raw(real, fn, mapType, fields), real.site(fn));
}

/** Return addresses: one byte behind each function's first instruction, so that the call before it is in the function. */
const returns = (real: RealTarget, ...fns: string[]): bigint[] => fns.map((fn) => BigInt(real.entry(fn) + 1));
const names = (record: GrowthRecord | undefined): string[] | undefined => record?.stack.map(({ fn }) => fn);

describe("a classic map that doubles", () => {
	const header = hmapBytes({ count: 26, b: 2, flags: 5, overflow: 3, seed: 0xfedcba98 });
	const origin = {
		parentGoid: 1n,
		gopc: BigInt(classic.entry("main.main") + 1),
		startpc: BigInt(classic.entry("main.small")),
	};

	test("has everything that there is to say", () => {
		const record = decode(classic, "hashGrow", "map[string]int", {
			...{ header, ...origin, frames: returns(classic, "main.chains", "main.main", "runtime.main") },
			madeNs: ANCHOR.monotonicNs + 1_500_000_000n,
			...{ madeBy: BigInt(classic.entry("main.small") + 1), madeHint: 7n },
		});
		expect(record).toEqual({
			type: "growth",
			time: "2025-01-31T12:00:01.500000042Z",
			elapsed_ns: 1_500_000_042,
			pid: 4711,
			tid: 4712,
			goid: 18,
			impl: "classic",
			fn: "runtime.hashGrow",
			kind: "double",
			cause: "load",
			map_type: "map[string]int",
			map: "0xfedcba98",
			nth: 1,
			count: 26,
			capacity_before: 32,
			capacity_after: 64,
			// Eight buckets of 8 hash bytes, 8 strings, 8 ints and a pointer.
			bytes: 8 * 208,
			// 26 strings and ints.
			bytes_moved: 26 * 24,
			b_before: 2,
			b_after: 3,
			overflow_buckets: 3,
			iterating: true,
			...{ storage_bytes: 208, has_pointers: true },
			made_at: expect.objectContaining({ fn: "main.small", file: expect.stringMatching(/chains\/main\.go$/) }),
			...{ made_hint: 7, age_ns: 42 },
			parent_goid: 1,
			created_by: expect.objectContaining({ fn: "main.main", file: expect.stringMatching(/chains\/main\.go$/) }),
			start_fn: "main.small",
			stack: [
				expect.objectContaining({ fn: "runtime.hashGrow", file: expect.stringMatching(/runtime\/map\.go$/) }),
				expect.objectContaining({ fn: "main.chains", file: expect.stringMatching(/chains\/main\.go$/) }),
				expect.objectContaining({ fn: "main.main" }),
				expect.objectContaining({ fn: "runtime.main" }),
			],
		});
	});

	test("on the stack is said to be there, and one whose making was not seen has no such line", () => {
		const record = decode(classic, "hashGrow", "map[int]int", { header, onStack: 1 });
		expect(record).toMatchObject({ on_stack: true, has_pointers: false });
		for (const field of ["made_at", "made_hint", "age_ns"]) expect(record).not.toHaveProperty(field);
	});

	test("of a goroutine whose origin is not known says nothing of it", () => {
		const record = decode(classic, "hashGrow", "map[int]int", { header }) ?? {};
		for (const field of ["parent_goid", "created_by", "start_fn", "stack_truncated", "duration_ns", "weight"]) {
			expect(record).not.toHaveProperty(field);
		}
	});

	test("of a goroutine that could not be read has no goid", () => {
		expect(decode(classic, "hashGrow", "map[int]int", { header, fault: 4 })).not.toHaveProperty("goid");
	});

	test("whose header could not be read is none, and neither is one that cannot be a map", () => {
		expect(decode(classic, "hashGrow", "map[int]int", { header, fault: 1 })).toBeUndefined();
		expect(decode(classic, "hashGrow", "map[int]int", { header, fault: 5 })).toBeUndefined();
		expect(decode(classic, "hashGrow", "map[int]int", { header: hmapBytes({ count: 8, b: 200 }) })).toBeUndefined();
	});

	test("of a type made at run time has no name and no sizes", () => {
		const record = decode(classic, "hashGrow", "map[int]int", { header, mapType: 0xc0_0012_3456n });
		expect(record).toMatchObject({ map_type: "map[?]? (made at run time)", count: 26 });
		expect(record).not.toHaveProperty("bytes");
		expect(record).not.toHaveProperty("bytes_moved");
	});

	test("stands for others when not every growth became a record", () => {
		expect(decode(classic, "hashGrow", "map[int]int", { header, chance: 2 ** 29 })).toMatchObject({ weight: 8 });
	});

	test("is numbered by its map", () => {
		const decoder = newDecoder();
		const next = (b: number, count: number, seed: number) =>
			decode(classic, "hashGrow", "map[int]int", { header: hmapBytes({ count, b, seed }) }, decoder)?.nth;
		expect([next(0, 8, 1), next(1, 13, 1), next(0, 8, 2), next(2, 26, 1), next(1, 13, 2)]).toEqual([1, 2, 1, 3, 2]);
	});

	test("that could not be read is not one of its map's", () => {
		const decoder = newDecoder();
		const grow = (fault: number) =>
			decode(classic, "hashGrow", "map[int]int", { header: hmapBytes({ count: 8, b: 0, seed: 9 }), fault }, decoder);
		expect([grow(1)?.nth, grow(0)?.nth]).toEqual([undefined, 1]);
	});
});

test("a classic map that grows to the same size", () => {
	const header = hmapBytes({ count: 20, b: 4, flags: 4, overflow: 17 });
	expect(decode(classic, "hashGrow", "map[main.bigKey]main.bigValue", { header })).toMatchObject({
		...{ kind: "same-size", cause: "overflow", capacity_before: 128, capacity_after: 128, b_before: 4, b_after: 4 },
		// Keys of 64 bytes and pointers to elements; one overflow bucket for sixteen.
		...{ overflow_buckets: 17, iterating: false, bytes: 17 * 592, bytes_moved: 20 * 72 },
	});
});

describe("a swiss map", () => {
	test("whose one group becomes a table", () => {
		const record = decode(swiss, "growToTable", "map[int]int", { header: swissMapBytes({ used: 8, seed: 0xabcn }) });
		expect(record).toMatchObject({
			...{ impl: "swiss", fn: "internal/runtime/maps.(*Map).growToTable", kind: "small-to-table", cause: "load" },
			...{ map: "0x0000000000000abc", nth: 1, count: 8, capacity_before: 8, capacity_after: 16 },
			...{ bytes: 2 * 136, bytes_moved: 8 * 16 },
		});
		for (const field of [
			...["iterating", "b_before", "b_after", "overflow_buckets"],
			...["local_depth", "global_depth", "directory_length", "directory_doubles"],
		]) {
			expect(record).not.toHaveProperty(field);
		}
	});

	test("whose table splits", () => {
		const fields = {
			header: swissMapBytes({ used: 4000, globalDepth: 2, seed: 0xabcn }),
			table: swissTableBytes({ used: 896, capacity: 1024, localDepth: 2 }),
		};
		expect(decode(swiss, "rehash", "map[string]int", fields)).toMatchObject({
			...{ kind: "split", cause: "load", count: 4000, capacity_before: 1024, capacity_after: 2048 },
			...{ bytes: 256 * 200, bytes_moved: 896 * 24 },
			...{ local_depth: 2, global_depth: 2, directory_length: 4, directory_doubles: true },
		});
		const roomy = { ...fields, table: swissTableBytes({ used: 896, capacity: 1024, localDepth: 1 }) };
		const record = decode(swiss, "rehash", "map[string]int", roomy);
		expect(record?.local_depth).toBe(1);
		expect(record).not.toHaveProperty("directory_doubles");
	});

	test("whose table could not be read", () => {
		const fields = { header: swissMapBytes({ used: 14 }), table: swissTableBytes({ used: 14, capacity: 16 }) };
		expect(decode(swiss, "rehash", "map[int]int", fields)).toBeDefined();
		expect(decode(swiss, "rehash", "map[int]int", { ...fields, fault: 2 })).toBeUndefined();
		expect(
			decode(swiss, "rehash", "map[int]int", { ...fields, table: swissTableBytes({ used: 14, capacity: 17 }) }),
		).toBe(undefined as never);
	});

	test("is numbered over all of its tables", () => {
		const decoder = newDecoder();
		const next = (fn: string, capacity: number, used: number): number | undefined =>
			decode(
				swiss,
				fn,
				"map[int]int",
				{ header: swissMapBytes({ used, seed: 5n, globalDepth: 1 }), table: swissTableBytes({ used, capacity }) },
				decoder,
			)?.nth;
		expect([
			next("growToTable", 0, 8),
			next("rehash", 16, 14),
			next("rehash", 512, 448),
			next("rehash", 16, 14),
		]).toEqual([1, 2, 3, 4]);
		expect(next("growToTable", 0, 8)).toBe(1);
	});
});

describe("the stack", () => {
	const header = hmapBytes({ count: 8, b: 0 });
	const stackOf = (frames: bigint[], fields: GrowthFields = {}, decoder = newDecoder()) =>
		decode(classic, "hashGrow", "map[int]int", { header, frames, ...fields }, decoder);

	test("ends where the goroutine began: what stands above is no return address", () => {
		const frames = [...returns(classic, "main.chains", "runtime.goexit"), ...returns(classic, "main.small")];
		expect(names(stackOf(frames))).toEqual(["runtime.hashGrow", "main.chains"]);
	});

	test("shows addresses outside the program's Go code as numbers", () => {
		const frames = [0x7f00_1234_5679n, ...returns(classic, "main.main")];
		expect(names(stackOf(frames))).toEqual(["runtime.hashGrow", "[0x7f0012345678]", "main.main"]);
	});

	test("that could not be read has no caller: the kernel program writes 0 for its innermost return address", () => {
		expect(names(stackOf([0n]))).toEqual(["runtime.hashGrow"]);
	});

	test("is said to go on when it does", () => {
		const frames = returns(classic, "main.chains");
		expect(stackOf(frames, { truncated: 1 })).toMatchObject({ stack_truncated: true });
		expect(stackOf(frames)).not.toHaveProperty("stack_truncated");
	});

	test("that is the same is one array, and another one when anything differs", () => {
		const decoder = newDecoder();
		const first = stackOf(returns(classic, "main.chains"), {}, decoder)?.stack;
		expect(stackOf(returns(classic, "main.chains"), {}, decoder)?.stack).toBe(first as never);
		expect(stackOf(returns(classic, "main.small"), {}, decoder)?.stack).not.toBe(first as never);
		expect(stackOf([], {}, decoder)?.stack.map(({ fn }) => fn)).toEqual(["runtime.hashGrow"]);
	});
});

test("a position-independent command: its first growth tells where it was loaded", () => {
	const bias = 0x5555_5540_0000;
	const moved = (address: number): bigint => BigInt(address + bias);
	const { target } = pie;
	expect(target.bias).toBeUndefined();
	const record = decode(pie, "hashGrow", "map[string]int", {
		header: hmapBytes({ count: 8, b: 0 }),
		ip: moved(pie.site("hashGrow").probe.site.address),
		mapType: moved(pie.mapType("map[string]int")),
		frames: [moved(pie.entry("main.chains") + 1)],
		gopc: moved(pie.entry("main.main") + 1),
		startpc: moved(pie.entry("main.small")),
	});
	expect(record).toMatchObject({
		map_type: "map[string]int",
		bytes: 2 * 208,
		created_by: { fn: "main.main" },
		start_fn: "main.small",
		stack: [{ fn: "runtime.hashGrow" }, { fn: "main.chains" }],
	});
	expect(target.bias).toBe(bias);
});

test("a process that executes its file once more has other maps, and its code elsewhere", () => {
	const decoder = newDecoder();
	const { target } = pie;
	const grow = (bias: number, b: number) => {
		const moved = (address: number): bigint => BigInt(address + bias);
		return decode(
			pie,
			"hashGrow",
			"map[string]int",
			{
				header: hmapBytes({ count: 13 * 2 ** (b - 1), b, seed: 5 }),
				ip: moved(pie.site("hashGrow").probe.site.address),
				mapType: moved(pie.mapType("map[string]int")),
				frames: [moved(pie.entry("main.chains") + 1)],
			},
			decoder,
		);
	};
	const [before, after] = [0x5555_5540_0000, 0x5592_1230_0000];
	expect([grow(before, 1)?.nth, grow(before, 2)?.nth]).toEqual([1, 2]);
	const { image } = target;
	expect(grow(after, 3)).toMatchObject({
		...{ nth: 1, map_type: "map[string]int" },
		stack: [{ fn: "runtime.hashGrow" }, { fn: "main.chains" }],
	});
	expect(target.bias).toBe(after);
	expect(target.image).not.toBe(image);
	expect(grow(after, 4)?.nth).toBe(2);
	expect(target.image).not.toBe(classic.target.image);
});

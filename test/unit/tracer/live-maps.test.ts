/** Maps that are looked at again, in a memory of plain bytes. */
import { describe, expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import type { KnownMap } from "../../../src/gomap/map-state.ts";
import type { MemoryRange } from "../../../src/kernel/process-memory.ts";
import { type MapSource, readLiveMaps } from "../../../src/tracer/live-maps.ts";
import { Prng } from "../../support/prng.ts";

const HMAP = {
	bytes: 48,
	count: 0,
	flags: 8,
	B: 9,
	noverflow: 10,
	hash0: 12,
	buckets: 16,
	oldbuckets: 24,
	nevacuate: 32,
	extra: 40,
};
const SWISS_MAP = {
	bytes: 48,
	used: 0,
	seed: 8,
	dirPtr: 16,
	dirLen: 24,
	globalDepth: 32,
	globalShift: 33,
	writing: 34,
	clearSeq: 40,
};
const SWISS_TABLE = {
	bytes: 40,
	used: 0,
	capacity: 2,
	growthLeft: 4,
	localDepth: 6,
	index: 8,
	groupsData: 16,
	groupsLengthMask: 24,
};

class Memory {
	readonly #pieces = new Map<number, Uint8Array>();
	reads: number[] = [];

	put(address: number, length: number, fill: (view: DataView) => void): void {
		const bytes = new Uint8Array(length);
		fill(new DataView(bytes.buffer));
		this.#pieces.set(address, bytes);
	}

	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[] {
		this.reads.push(ranges.reduce((sum, { length }) => sum + length, 0));
		return ranges.map(({ address, length }) => {
			const piece = this.#pieces.get(address);
			return piece === undefined || piece.length < length ? undefined : piece.subarray(0, length);
		});
	}
}

function source(memory: Pick<Memory, "read">, mapImpl: "classic" | "swiss"): MapSource {
	const type = { name: "map[int]int", storageBytes: 136, slotBytes: 16, hasPointers: false };
	return {
		binary: {
			...{ mapImpl, version: { minor: 27 }, layouts: { hmap: HMAP, swissMap: SWISS_MAP, swissTable: SWISS_TABLE } },
		} as unknown as MapSource["binary"],
		types: { named: (name) => (name === type.name ? type : undefined) },
		read: (ranges) => memory.read(ranges),
	};
}

const known = (address: number, seed: string): KnownMap => ({ pid: 1, address, seed, mapType: "map[int]int" });

function swissMap(memory: Memory, at: number, used: number, tables: readonly number[]): void {
	memory.put(at, 48, (view) => {
		view.setUint32(0, used, true);
		view.setBigUint64(8, 0xabcn, true);
		view.setUint32(16, at + 0x1000, true);
		view.setUint32(24, tables.length, true);
		view.setUint8(32, Math.log2(tables.length));
		view.setUint8(33, 64 - Math.log2(tables.length));
	});
	memory.put(at + 0x1000, 8 * tables.length, (view) =>
		tables.forEach((table, i) => {
			view.setUint32(8 * i, table, true);
		}),
	);
}

function table(memory: Memory, at: number, capacity = 1024): void {
	memory.put(at, 40, (view) => {
		view.setUint16(0, 100, true);
		view.setUint16(2, capacity, true);
	});
}

describe("a swiss map", () => {
	test("has the slots of its tables, each of them once", () => {
		const memory = new Memory();
		for (const at of [0x10_000, 0x20_000, 0x30_000]) table(memory, at);
		swissMap(memory, 0x1000, 2000, [0x10_000, 0x10_000, 0x20_000, 0x30_000]);
		const [state] = readLiveMaps(source(memory, "swiss"), [known(0x1000, "0x0000000000000abc")]);
		expect(state).toMatchObject({ entries: 2000, slots: 3072 });
	});

	test("of thousands of tables is known by some of them", () => {
		const memory = new Memory();
		const tables = Array.from({ length: 4096 }, (_, i) => 0x100_0000 + 0x100 * i);
		for (const at of tables) table(memory, at);
		swissMap(memory, 0x1000, 3_000_000, tables);
		const [state] = readLiveMaps(source(memory, "swiss"), [known(0x1000, "0xabc")]);
		expect(state).toMatchObject({ entries: 3_000_000, slots: 4096 * 1024 });
		expect(memory.reads).toEqual([48, 8 * 4096, 64 * 40]);
	});

	test("with another seed is another map; one whose tables are none is not read", () => {
		const memory = new Memory();
		swissMap(memory, 0x1000, 10, [0x10_000]);
		expect(readLiveMaps(source(memory, "swiss"), [known(0x1000, "0xabd"), known(0x1000, "0xabc")])).toEqual([
			undefined,
			undefined,
		]);
	});
});

describe("a classic map", () => {
	const header = (memory: Memory, b: number): void =>
		memory.put(0x1000, 48, (view) => {
			view.setUint32(0, 50, true);
			view.setUint8(9, b);
			view.setUint32(12, 0xfedcba98, true);
			view.setUint32(16, 0x8000, true);
		});

	test("is there as long as its seed is", () => {
		const memory = new Memory();
		header(memory, 4);
		const maps = [known(0x1000, "0xfedcba98"), known(0x1000, "0x1"), known(0x2000, "0xfedcba98")];
		const [state, ...others] = readLiveMaps(source(memory, "classic"), maps);
		expect(state).toMatchObject({ entries: 50, slots: 128 });
		expect(others).toEqual([undefined, undefined]);
	});
});

test("a process that has ended, or may not be read, has no maps; other errors are errors", () => {
	const failing = (code: "E-TARGET-GONE" | "E-INTERNAL"): MapSource =>
		source(
			{
				read() {
					throw new GomapgrowError(code, { wanted: "w", found: "f" });
				},
			},
			"swiss",
		);
	expect(readLiveMaps(failing("E-TARGET-GONE"), [known(0x1000, "0x1")])).toEqual([undefined]);
	expect(() => readLiveMaps(failing("E-INTERNAL"), [known(0x1000, "0x1")])).toThrow();
});

test("whatever the memory holds, little of it is read", () => {
	const prng = new Prng(7);
	const word = (): number => prng.u32();
	for (let round = 0; round < 200; round++) {
		let bytes = 0;
		const memory = {
			read(ranges: readonly MemoryRange[]) {
				for (const { length } of ranges) bytes += length;
				return ranges.map(({ length }) => {
					const piece = new Uint8Array(length);
					const view = new DataView(piece.buffer);
					for (let at = 0; at + 4 <= Math.min(length, 64); at += 4) view.setUint32(at, word() >>> (word() % 32), true);
					// Of a map that looks like one, but for its numbers.
					if (length >= 16) view.setBigUint64(8, 0xabcn, true);
					const depth = word() % 30;
					if (length === 48) {
						view.setUint32(0, word() % 8, true);
						view.setUint32(4, 0, true);
						view.setUint32(16, 8 * (word() % 1e6), true);
						view.setUint32(20, 0, true);
						view.setBigUint64(24, 1n << BigInt(depth), true);
						view.setUint8(32, depth);
						view.setUint8(33, 64 - depth);
						view.setUint8(34, 0);
					}
					return piece;
				});
			},
		};
		const maps = Array.from({ length: 20 }, () => known(0x1000, "0xabc"));
		expect(readLiveMaps(source(memory, "swiss"), maps)).toHaveLength(20);
		expect(bytes).toBeLessThan(16 << 20);
	}
});

/** The readers of the kernel's tables, with tables in memory instead of the kernel's. */
import { afterAll, beforeAll, beforeEach, describe, expect, mock, test } from "bun:test";
import type {
	CallRow,
	CallCounters as Calls,
	GoroutineTable as Goroutines,
	LatencyCounters as Latency,
	SiteCounters as Sites,
} from "../../../src/kernel/counters.ts";
import type { MapTable as Table } from "../../../src/kernel/map-table.ts";
import { BUCKETS, GOROUTINE, LATENCY_ROW, ROW, ROW_KEY, SITE_COUNTS, SLOTS } from "../../../src/kernel/wire.ts";
import { thrownBy } from "../../support/thrown.ts";
import { FakeBpf } from "./fake-bpf.ts";

type Sum = Exclude<keyof typeof ROW, "size">;

let fake: FakeBpf;
let modules: {
	SiteCounters: typeof Sites;
	CallCounters: typeof Calls;
	LatencyCounters: typeof Latency;
	GoroutineTable: typeof Goroutines;
	MapTable: typeof Table;
};
const libbpf = { ...(await import("../../../src/kernel/libbpf.ts")) };

beforeAll(async () => {
	mock.module("../../../src/kernel/libbpf.ts", () => ({ ...libbpf, libbpf: () => fake.symbols }));
	modules = {
		...(await import("../../../src/kernel/counters.ts")),
		...(await import("../../../src/kernel/map-table.ts")),
	};
});
afterAll(() => {
	mock.module("../../../src/kernel/libbpf.ts", () => libbpf);
});
beforeEach(() => {
	fake = new FakeBpf();
});

/** Words of a key, little-endian: numbers are 32 bits wide, big integers 64. */
function keyOf(...words: (number | bigint)[]): Uint8Array {
	const bytes = Buffer.alloc(words.reduce((sum: number, word) => sum + (typeof word === "bigint" ? 8 : 4), 0));
	let at = 0;
	for (const word of words)
		at = typeof word === "bigint" ? bytes.writeBigUInt64LE(word, at) : bytes.writeUInt32LE(word, at);
	return new Uint8Array(bytes);
}

describe("MapTable", () => {
	const layout = { name: "some table", keyBytes: 8, valueBytes: 16, perCpu: true };

	function filled(rows: number, perCpu = true): Table {
		const table = new modules.MapTable(fake.create(5, 8, 16, perCpu), { ...layout, perCpu });
		for (let n = 0; n < rows; n++) {
			for (let cpu = 0; cpu < (perCpu ? fake.cpus : 1); cpu++) {
				fake.change(5, keyOf(BigInt(n)), cpu, (view) => view.setUint32(8, 100 * n + cpu, true));
			}
		}
		return table;
	}

	test.each([0, 1, 3, 4, 4095, 9000])("gives all of %d rows once, with the values of all CPUs", (rows) => {
		const table = filled(rows);
		const seen: [number, number[]][] = [];
		const sizes = new Set<string>();
		for (const { key, value } of table.rows()) {
			seen.push([key.getUint32(0, true), [0, 1, 2].map((cpu) => value.getUint32(16 * cpu + 8, true))]);
			sizes.add(`${key.byteLength} ${value.byteLength}`);
		}
		expect([seen.length, [...sizes]]).toEqual([rows, rows === 0 ? [] : ["8 48"]]);
		expect(seen.sort(([a], [b]) => a - b)).toEqual(
			Array.from({ length: rows }, (_, n) => [n, [100 * n, 100 * n + 1, 100 * n + 2]]),
		);
		// In batches, not one by one.
		expect(fake.calls.batch).toBeLessThanOrEqual(1 + Math.ceil(rows / 4000));
		expect(fake.calls.lookup).toBe(0);
	});

	test("of values that are not per CPU", () => {
		const table = filled(2, false);
		expect(table.copies).toBe(1);
		expect([...table.rows()].map(({ value }) => value.byteLength)).toEqual([16, 16]);
	});

	test("can be read again and again", () => {
		const table = filled(7);
		for (let n = 0; n < 3; n++) expect([...table.rows()]).toHaveLength(7);
	});

	test("deletes the rows that are named, and no others", () => {
		const table = filled(6000);
		table.remove((key) => key.getUint32(0, true) % 3 === 1);
		expect([fake.size(5), fake.calls.delete]).toEqual([4000, 2000]);
		expect([...new Set(Array.from(table.rows(), ({ key }) => key.getUint32(0, true) % 3))].sort()).toEqual([0, 2]);
		table.remove(() => false);
		expect(fake.size(5)).toBe(4000);
	});

	test("a row that is gone before it is deleted is no error", () => {
		const table = filled(4);
		table.remove((key) => {
			fake.symbols.bpf_map_delete_elem(
				5,
				new Uint8Array(key.buffer.slice(key.byteOffset, key.byteOffset + 8) as ArrayBuffer),
			);
			return true;
		});
		expect(fake.size(5)).toBe(0);
	});

	test("an error of the kernel's is one of ours, by its name", () => {
		const table = filled(1);
		fake.failure = 1;
		const error = thrownBy(() => [...table.rows()]);
		expect(error).toMatchObject({
			code: "E-HOST-BPF",
			wanted: "to read some table",
			found: expect.stringContaining("EPERM"),
		});
	});
});

describe("SiteCounters", () => {
	test("sums up the CPUs, each field by itself", () => {
		const counters = new modules.SiteCounters(fake.create(6, 4, SITE_COUNTS.size, true));
		const { size: _, ...offsets } = SITE_COUNTS;
		for (let cpu = 0; cpu < 3; cpu++) {
			for (const [n, offset] of Object.values(offsets).entries()) {
				fake.change(6, keyOf(7), cpu, (view) => view.setBigUint64(offset, BigInt((n + 1) * 1000 + cpu), true));
			}
		}
		// 1000 + 1001 + 1002, 2000 + …
		const expected = Object.keys(offsets).map((name, n) => [name, 3000 * (n + 1) + 3]);
		expect(counters.read(7)).toEqual(Object.fromEntries(expected));
		expect(Object.values(counters.read(8)).every((count) => count === 0)).toBe(true);
	});

	test("are exact far beyond 32 bits", () => {
		const counters = new modules.SiteCounters(fake.create(6, 4, SITE_COUNTS.size, true));
		fake.change(6, keyOf(0), 0, (view) => view.setBigUint64(SITE_COUNTS.hits, 2n ** 52n, true));
		fake.change(6, keyOf(0), 2, (view) => view.setBigUint64(SITE_COUNTS.hits, 2n ** 40n + 1n, true));
		expect(counters.read(0).hits).toBe(2 ** 52 + 2 ** 40 + 1);
	});

	test.each([true, false])("of a run of sites come in order, at once where the kernel can (%p)", (batches) => {
		const counters = new modules.SiteCounters(fake.create(6, 4, SITE_COUNTS.size, true, 8));
		fake.arrayBatches = batches;
		const add = (site: number, cpu: number, hits: bigint) =>
			fake.change(6, keyOf(site), cpu, (view) => view.setBigUint64(SITE_COUNTS.hits, hits, true));
		for (let site = 0; site < 8; site++) for (let cpu = 0; cpu < 3; cpu++) add(site, cpu, BigInt(10 * site + cpu));
		const hits = (first: number, count: number) => counters.readRun(first, count).map((each) => each.hits);
		expect(hits(0, 2)).toEqual([3, 33]);
		expect(hits(5, 3)).toEqual([153, 183, 213]);
		expect(hits(3, 1)).toEqual([93]);
		expect(hits(3, 0)).toEqual([]);
		add(6, 1, 2n ** 52n);
		expect(hits(5, 3)).toEqual([153, 182 - 60 + 2 ** 52, 213]);
		expect(hits(0, 2)).toEqual([3, 33]);
		// What was tried once in vain is not tried again.
		expect(fake.calls).toMatchObject(batches ? { batch: 5, lookup: 0 } : { batch: 1, lookup: 2 + 3 + 1 + 3 + 2 });
	});

	test("that cannot be read are an error", () => {
		const counters = new modules.SiteCounters(fake.create(6, 4, SITE_COUNTS.size, true));
		fake.failure = 9;
		expect(thrownBy(() => counters.read(0))).toMatchObject({
			code: "E-HOST-BPF",
			wanted: "to read the counters of a site",
			found: expect.stringContaining("EBADF"),
		});
	});
});

test("CallCounters: keys, and sums over the CPUs; some sites can be forgotten", () => {
	const counters = new modules.CallCounters(fake.create(7, ROW_KEY.size, ROW.size, true));
	const write = (site: number, caller: bigint, cpu: number, sums: Partial<Record<Sum, number>>, shape = 0n): void =>
		fake.change(7, keyOf(site, 4711, 0x50_0000n, caller, shape), cpu, (view) => {
			for (const [name, value] of Object.entries(sums)) view.setBigUint64(ROW[name as Sum], BigInt(value), true);
		});
	write(1, 0x40_1000n, 0, { calls: 5, entries: 70, timed: 2, elapsedNs: 900, onCpu: 1, cpuNs: 300 }, 0x104n);
	write(1, 0x40_1000n, 2, { calls: 7, timed: 1, elapsedNs: 100 }, 0x104n);
	write(1, 0x7fff_ffff_f000n, 1, { calls: 1 });
	write(2, 0n, 1, { calls: 9 });
	const row = { tgid: 4711, mapType: 0x50_0000 };
	const none = { entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 };
	const read = (wanted: (site: number, shape: number) => boolean) => {
		const rows: CallRow[] = [];
		counters.read(wanted, (found) => rows.push({ ...found }));
		return rows;
	};
	expect(read(() => true)).toEqual([
		{
			...{ site: 1, ...row, caller: 0x40_1000, shape: 0x104, calls: 12 },
			...{ entries: 70, timed: 3, elapsedNs: 1000, onCpu: 1, cpuNs: 300 },
		},
		{ site: 1, ...row, caller: 0x7fff_ffff_f000, shape: 0, calls: 1, ...none },
		{ site: 2, ...row, caller: 0, shape: 0, calls: 9, ...none },
	]);
	expect(read((site, shape) => site === 1 && shape === 0)).toMatchObject([{ caller: 0x7fff_ffff_f000, calls: 1 }]);
	counters.forget(new Set([1, 99]));
	expect(read(() => true).map(({ site }) => site)).toEqual([2]);
});

test("LatencyCounters: sums and buckets; some sites can be forgotten", () => {
	const counters = new modules.LatencyCounters(fake.create(8, 16, LATENCY_ROW.size, false));
	fake.change(8, keyOf(3, 1, 0x50_0000n), 0, (view) => {
		view.setBigUint64(LATENCY_ROW.sumNs, 1101n, true);
		view.setBigUint64(LATENCY_ROW.maxNs, 900n, true);
		for (const [n, count] of [
			[0, 3],
			[5, 11],
			[BUCKETS - 1, 4],
		] as const) {
			view.setBigUint64(LATENCY_ROW.buckets + 8 * n, BigInt(count), true);
		}
	});
	const buckets = new Float64Array(BUCKETS)
		.with(0, 3)
		.with(5, 11)
		.with(BUCKETS - 1, 4);
	expect([...counters.rows()]).toEqual([{ tgid: 1, site: 3, mapType: 0x50_0000, sumNs: 1101, maxNs: 900, buckets }]);
	counters.forget(new Set([3]));
	expect([...counters.rows()]).toEqual([]);
});

describe("GoroutineTable", () => {
	function table(): Goroutines {
		return new modules.GoroutineTable(fake.create(9, GOROUTINE.keySize, GOROUTINE.size, false));
	}
	const begin = (g: number, tgid: number, slot: number, ns: number): void =>
		fake.change(9, keyOf(BigInt(g), BigInt(tgid)), 0, (view) => {
			view.setBigUint64(GOROUTINE.callSize * slot + GOROUTINE.begunNs, BigInt(ns), true);
		});

	test("counts the calls that have begun, of any function", () => {
		const goroutines = table();
		expect([...goroutines.callsUnderWay()]).toEqual([]);
		for (let slot = 0; slot < SLOTS; slot++) begin(1, 10, slot, 5);
		begin(2, 10, 3, 2 ** 40);
		begin(3, 11, 0, 0);
		const calls = [...goroutines.callsUnderWay()];
		expect(calls).toHaveLength(SLOTS + 1);
		expect(calls.at(-1)).toEqual({ tgid: 10, slot: 3, begunNs: 2 ** 40 });
	});

	test("forgets the goroutines of processes, and says which calls they were in", () => {
		const goroutines = table();
		begin(1, 10, 0, 5);
		begin(1, 10, 1, 6);
		begin(1, 11, 0, 7);
		begin(2, 10, 8, 8);
		begin(3, 10, 8, 0);
		expect(goroutines.forget(new Set([10])).map(({ begunNs }) => begunNs)).toEqual([5, 6, 8]);
		expect([fake.size(9), [...goroutines.callsUnderWay()]]).toEqual([1, [{ tgid: 11, slot: 0, begunNs: 7 }]]);
		expect(goroutines.forget(new Set([10]))).toEqual([]);
	});
});

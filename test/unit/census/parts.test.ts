/** Sizes, headers, order, comparisons and options: the parts of a census that need no memory. */
import { describe, expect, test } from "bun:test";
import { Comparison } from "../../../src/census/compare.ts";
import { classicHeader, fullSlots, swissHeader, swissTable } from "../../../src/census/map-layout.ts";
import { CensusLines } from "../../../src/census/read-json.ts";
import { sortDown } from "../../../src/census/select.ts";
import { mapsOptions, parseBytes } from "../../../src/cli/maps-options.ts";
import { structLayouts } from "../../../src/gobin/layouts/struct-layouts.ts";
import { tableLayouts } from "../../../src/gobin/layouts/table.ts";
import { thrownBy } from "../../support/thrown.ts";

const layoutsOf = (minor: number) => {
	const table = tableLayouts(minor);
	if (table === undefined) throw new Error(`no layouts of 1.${minor}`);
	return structLayouts(table);
};

/** Bytes with 64-bit words. */
function memory(...words: bigint[]): { bytes: Uint8Array; words: Uint32Array } {
	const long = BigUint64Array.from(words);
	return { bytes: new Uint8Array(long.buffer), words: new Uint32Array(long.buffer) };
}

describe("classic headers", () => {
	const layout = layoutsOf(23).hmap;
	if (layout === undefined) throw new Error("no layout");
	const header = (count: bigint, flags: bigint, log2: bigint, ...pointers: bigint[]) =>
		classicHeader(memory(count, flags | (log2 << 8n) | (9n << 32n), ...pointers), 0, layout);

	test("a map in use", () => {
		expect(header(100n, 0n, 4n, 0xc000100000n, 0n, 0n, 0n)).toMatchObject({ count: 100, log2: 4, oldBuckets: 0 });
	});

	test("a same-size growth may go 2^B above the load factor, and no further", () => {
		expect(header(121n, 8n, 4n, 0xc000100000n, 0xc000200000n, 0n, 0n)).toBeDefined();
		expect(header(122n, 8n, 4n, 0xc000100000n, 0xc000200000n, 0n, 0n)).toBeUndefined();
	});

	test("an empty one needs a seed and nothing else", () => {
		expect(header(0n, 0n, 0n, 0n, 0n, 0n, 0n)).toMatchObject({ count: 0, buckets: 0 });
		expect(header(1n, 0n, 0n, 0n, 0n, 0n, 0n)).toBeUndefined();
		expect(header(0n, 0n, 0n, 0n, 0xc000100000n, 0n, 0n)).toBeUndefined();
	});

	test("unknown flags, too many buckets, evacuated beyond the end", () => {
		expect(header(0n, 16n, 0n, 1n, 0n, 0n, 0n)).toBeUndefined();
		expect(header(0n, 0n, 41n, 1n, 0n, 0n, 0n)).toBeUndefined();
		expect(header(0n, 0n, 1n, 1n, 1n, 3n, 0n)).toBeUndefined();
	});
});

describe("swiss headers and tables", () => {
	const { swissMap, swissTable: layout } = layoutsOf(24);
	if (swissMap === undefined || layout === undefined) throw new Error("no layout");
	const header = (minor: number, ...words: bigint[]) => swissHeader(memory(...words), 0, swissMap, minor);

	test("one group, a directory", () => {
		expect(header(24, 3n, 7n, 0xc000100000n, 0n, 0n, 0n)).toMatchObject({ count: 3, directoryLength: 0 });
		expect(header(24, 300n, 7n, 0xc000100000n, 4n, 2n | (62n << 8n), 0n)).toMatchObject({ depth: 2 });
	});

	test("a depth that does not fit, nine entries in one group, tombstones before 1.25", () => {
		expect(header(24, 300n, 7n, 0xc000100000n, 4n, 2n | (61n << 8n), 0n)).toBeUndefined();
		expect(header(24, 9n, 7n, 0xc000100000n, 0n, 0n, 0n)).toBeUndefined();
		expect(header(24, 3n, 7n, 0xc000100000n, 0n, 1n << 24n, 0n)).toBeUndefined();
		expect(header(25, 3n, 7n, 0xc000100000n, 0n, 1n << 24n, 0n)).toBeDefined();
	});

	test("tables say how many slots are lost to tombstones", () => {
		const map = header(24, 300n, 7n, 0xc000100000n, 4n, 2n | (62n << 8n), 0n);
		if (map === undefined) throw new Error("no header");
		// used, capacity, growthLeft, localDepth; index; groups; mask
		const table = (used: bigint, capacity: bigint, left: bigint, mask: bigint) =>
			swissTable(
				memory(used | (capacity << 16n) | (left << 32n) | (2n << 48n), 1n, 0xc000200000n, mask),
				0,
				layout,
				map,
			);
		expect(table(10n, 64n, 40n, 7n)).toMatchObject({ capacity: 64, tombstones: 6 });
		expect(table(10n, 64n, 40n, 8n)).toBeUndefined();
		expect(table(60n, 64n, 0n, 7n)).toBeUndefined();
		expect(table(10n, 2048n, 40n, 255n)).toBeUndefined();
	});

	test("full slots by control bytes", () => {
		expect(fullSlots(Uint8Array.of(0x80, 1, 0x7f, 0xfe, 0x80, 0x80, 0x80, 0x80), 0, true)).toBe(2);
		expect(fullSlots(Uint8Array.of(0, 1, 4, 5, 255, 2, 3, 1), 0, false)).toBe(2);
	});
});

describe("order", () => {
	test("large first, and also with values above 2^31", () => {
		const rows = Uint32Array.of(4, 7, 9, 2);
		expect([...sortDown(rows, (row) => row % 5)]).toEqual([4, 9, 7, 2]);
		expect([...sortDown(rows, (row) => row * 2 ** 40)]).toEqual([9, 7, 4, 2]);
	});
});

describe("comparison", () => {
	const head = { pid: 7, startTime: 100, buildId: "x", timeMs: 1000 };
	const map = (address: number, entries: number, bytes: number, reclaimableBytes = 0) => {
		return { address, type: "map[int]int", holder: undefined, entries, bytes, reclaimableBytes };
	};

	test("kinds that grow, maps that grow and maps that were emptied", () => {
		const comparison = new Comparison(head);
		for (const each of [map(0x10, 5, 100), map(0x20, 900, 5000)]) comparison.addBefore(each);
		comparison.begin({ ...head, timeMs: 31_000 });
		for (const each of [map(0x10, 50, 900), map(0x20, 3, 5000, 4800), map(0x30, 1, 48)]) comparison.addAfter(each);
		expect(comparison.result()).toEqual({
			type: "maps-diff",
			pid: 7,
			seconds: 30,
			groups: [
				{
					type: "map[int]int",
					maps: [2, 3],
					bytes: [5100, 5948],
					per_minute: 2,
					bytes_per_minute: 1696,
					only_grows: true,
				},
			],
			maps: [
				{ address: "0x10", type: "map[int]int", entries: [5, 50], bytes: [100, 900] },
				{ address: "0x20", type: "map[int]int", entries: [900, 3], bytes: [5000, 5000], reclaimable_bytes: 4800 },
			],
		});
	});

	test("a kind of which maps went does not only grow", () => {
		const comparison = new Comparison(head);
		comparison.addBefore(map(0x10, 5, 100));
		comparison.begin({ ...head, timeMs: 2000 });
		for (const each of [map(0x20, 1, 100), map(0x30, 1, 100)]) comparison.addAfter(each);
		expect(comparison.result().groups[0]?.only_grows).toBe(false);
	});

	test("another process, another start of it and the wrong order are refused", () => {
		for (const other of [{ pid: 8 }, { startTime: 101 }, { buildId: "y" }, { timeMs: 900 }]) {
			const comparison = new Comparison(head);
			expect(thrownBy(() => comparison.begin({ ...head, timeMs: 2000, ...other })).code).toBe("E-USAGE");
		}
	});
});

describe("reading what --json wrote", () => {
	const first = '{"type":"maps","time":"2026-01-01T00:00:00.000000000Z","pid":7,"start_time":5,"maps_total":1,"maps":[';

	function read(lines: readonly string[]): number[] {
		const addresses: number[] = [];
		const census = new CensusLines(
			() => {},
			({ address }) => addresses.push(address),
		);
		for (const line of lines) census.take(line);
		census.end();
		return addresses;
	}

	test("one map a line", () => {
		const line = (address: string) => `{"address":"${address}","type":"map[int]int","entries":1,"slots":8,"bytes":48}`;
		expect(read([first, `${line("0xc000100000")},`, line("0xc000200000"), "]}"])).toEqual([0xc000100000, 0xc000200000]);
	});

	test("what is none is refused", () => {
		const wrong: string[][] = [
			[],
			[first],
			["{"],
			['{"type":"snapshot"}'],
			['{"type":"maps","pid":1,"start_time":1,"time":"2026-01-01T00:00:00Z","groups":['],
			[first, '{"address":"0xzz","entries":1,"bytes":1}', "]}"],
			[first, '{"address":"0x10","entries":-1,"bytes":1}', "]}"],
			[first, "[]", "]}"],
		];
		for (const lines of wrong) expect(thrownBy(() => read(lines)).code).toBe("E-RECORD-MALFORMED");
	});
});

describe("options", () => {
	test("sizes", () => {
		expect(["1MB", "512 kB", "4096", "1.5GiB"].map((text) => parseBytes("--min", text))).toEqual([
			1e6,
			512e3,
			4096,
			1.5 * 2 ** 30,
		]);
		for (const wrong of ["", "MB", "1XB", "-1", "1e9"]) {
			expect(thrownBy(() => parseBytes("--min", wrong)).code).toBe("E-USAGE");
		}
	});

	test("wrong values are usage errors", () => {
		const wrong: Record<string, unknown>[] = [
			{ by: "size" },
			{ sort: "name" },
			{ top: "0" },
			{ type: "(" },
			{ type: "x".repeat(1001) },
			{ count: "3" },
			{ every: "never" },
		];
		for (const options of wrong) expect(thrownBy(() => mapsOptions(options, "auto")).code).toBe("E-USAGE");
		expect(mapsOptions({}, "auto")).toMatchObject({ by: "map", sort: "bytes", minBytes: 0, timeoutMs: 60_000 });
	});
});

/** Memory of a process, read in one go for many ranges. */
import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { ProcessMemory } from "../../../src/kernel/process-memory.ts";
import { readMaps } from "../../../src/process/procfs.ts";
import { start } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const own = new ProcessMemory(process.pid);
const buffer = new Uint8Array(new ArrayBuffer(1 << 20)).map((_, index) => (index * 7) & 255);
const base = Number(ptr(buffer));

describe("memory", () => {
	test("ranges in any order, more than one call takes, empty ones too", () => {
		const ranges = Array.from({ length: 5000 }, (_, index) => {
			return { address: base + ((index * 7919) % 1_000_000), length: index % 300 };
		});
		const read = own.read(ranges);
		expect(read).toHaveLength(5000);
		ranges.forEach(({ address, length }, index) => {
			expect(read[index]).toEqual(buffer.subarray(address - base, address - base + length));
		});
	});

	test("a range that is not mapped is undefined, those around it are read", () => {
		const holes = new Set([0, 7, 8, 1500, 2999]);
		const ranges = Array.from({ length: 3000 }, (_, index) => {
			return { address: holes.has(index) ? 4096 : base + index, length: 16 };
		});
		own.read(ranges).forEach((bytes, index) => {
			expect(bytes).toEqual(holes.has(index) ? undefined : (buffer.subarray(index, index + 16) as never));
		});
	});

	test("a range that begins in a mapping and ends behind it", () => {
		const maps = readMaps(process.pid);
		// The end of a readable mapping with nothing behind.
		const last = maps.find(
			({ end, permissions }, index) => permissions.startsWith("rw") && (maps[index + 1]?.start ?? 0) > end,
		);
		const end = last?.end ?? 0;
		const [inside, across, behind, again] = own.read([
			{ address: end - 8, length: 8 },
			{ address: end - 8, length: 16 },
			{ address: end, length: 8 },
			{ address: base, length: 4 },
		]);
		expect([inside?.length, across, behind]).toEqual([8, undefined, undefined]);
		expect(again).toEqual(buffer.subarray(0, 4));
	});

	test("nothing is asked for", () => {
		expect(own.read([])).toEqual([]);
		expect(own.read([{ address: 4096, length: 0 }])).toEqual([new Uint8Array(0)]);
	});

	test("of a process that has ended", async () => {
		const sleep = start(["sleep", "60"]);
		await sleep.stop();
		const error = thrownBy(() => new ProcessMemory(sleep.pid).read([{ address: base, length: 8 }]));
		expect(error.code).toBe("E-TARGET-GONE");
	});

	test("more than is ever meant", () => {
		expect(thrownBy(() => own.read([{ address: base, length: 1 << 30 }])).code).toBe("E-INTERNAL");
		expect(thrownBy(() => own.read([{ address: base, length: Number.NaN }])).code).toBe("E-INTERNAL");
	});
});

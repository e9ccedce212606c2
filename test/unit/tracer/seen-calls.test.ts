import { describe, expect, test } from "bun:test";
import type { CallRow, CallSums } from "../../../src/kernel/counters.ts";
import { SeenCalls } from "../../../src/tracer/seen-calls.ts";

function rowOf(key: Partial<CallRow>, sums: Partial<CallSums>): CallRow {
	return {
		...{ site: 1, tgid: 4711, mapType: 0x7f00_0050_0000, caller: 0x40_1000, shape: 0, ...key },
		...{ calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0, ...sums },
	};
}

/** What was added to the row, or undefined. */
function taken(seen: SeenCalls, row: CallRow): CallSums | undefined {
	const since = { calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 };
	return seen.take(row, since) ? since : undefined;
}

describe("SeenCalls", () => {
	test("gives what has been added to a row since the last time", () => {
		const seen = new SeenCalls();
		const first = { calls: 5, entries: 70, timed: 2, elapsedNs: 900, onCpu: 1, cpuNs: 300 };
		expect(taken(seen, rowOf({}, first))).toEqual(first);
		expect(taken(seen, rowOf({}, first))).toBeUndefined();
		const next = { calls: 5, entries: 71, timed: 3, elapsedNs: 1000, onCpu: 3, cpuNs: 450 };
		expect(taken(seen, rowOf({}, next))).toEqual({
			...{ calls: 0, entries: 1, timed: 1, elapsedNs: 100, onCpu: 2, cpuNs: 150 },
		});
	});

	test("tells rows apart by each part of the key", () => {
		const seen = new SeenCalls();
		const keys: Partial<CallRow>[] = [
			{},
			{ site: 2 },
			{ tgid: 4712 },
			{ mapType: 0x7f01_0050_0000 },
			{ mapType: 0x7f00_0050_0001 },
			{ caller: 0x41_1000 },
			{ caller: 0x1_0040_1000 },
			{ shape: 0x10000 },
		];
		for (const [n, key] of keys.entries()) expect(taken(seen, rowOf(key, { calls: n + 1 }))?.calls).toBe(n + 1);
		for (const [n, key] of keys.entries()) expect(taken(seen, rowOf(key, { calls: n + 3 }))?.calls).toBe(2);
		expect(seen.size).toBe(keys.length);
	});

	test("holds many rows, and forgets those of sites", () => {
		const seen = new SeenCalls();
		const rows = Array.from({ length: 20_000 }, (_, n) =>
			rowOf({ site: n % 7, caller: 0x40_0000 + 16 * Math.floor(n / 7) }, { calls: n + 1 }),
		);
		for (const row of rows) taken(seen, row);
		for (const row of rows) expect(taken(seen, { ...row, calls: row.calls + 1 })?.calls).toBe(1);
		seen.forget(new Set([0, 2, 3, 4, 5, 6, 99]));
		expect(seen.size).toBe(rows.filter(({ site }) => site === 1).length);
		for (const row of rows) {
			expect(taken(seen, { ...row, calls: row.calls + 2 })?.calls).toBe(row.site === 1 ? 1 : row.calls + 2);
		}
		expect(seen.size).toBe(rows.length);
	});
});

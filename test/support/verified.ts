/** What must hold of a verification by counters on all processors. */
import { expect } from "bun:test";
import type { VerificationRecord } from "../../src/verify/record.ts";

/**
 * Both counters are equal, but for the few passes in the middle of which a thread moved to another processor: perf's events of the processors are asked one after
 * another, and miss it or see it twice.
 */
export function expectCountersAgree(record: VerificationRecord): void {
	expect(record.scope).toBe("processors");
	const passes = record.functions.reduce((sum, row) => sum + row.passes.bpf, 0);
	const apart = record.functions.map((row) => {
		expect(row.passes.bpf).toBe(row.calls + row.restarts);
		const difference = row.passes.perf - row.passes.bpf;
		expect(row.difference).toEqual({ low: difference, high: difference });
		return Math.abs(difference);
	});
	const missed = apart.reduce((sum, each) => sum + each, 0);
	expect(missed).toBeLessThanOrEqual(Math.min(record.migrations ?? 0, Math.max(2, passes / 1000)));
	expect(record.verdict).toBe(missed === 0 ? "equal" : "explained");
}

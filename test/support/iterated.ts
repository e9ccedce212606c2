/** What test/programs/iterate says of its own growths and iterations, case by case, against the records. */
import { expect } from "bun:test";
import type { EndRecord, Frame, GrowthRecord, OverlapRecord } from "../../src/records/records.ts";

export const CASES: Record<string, string> = {
	"one-goroutine": "main.oneGoroutine",
	"early-break": "main.earlyBreak",
	nested: "main.nested",
	"under-lock": "main.underLock",
	afterwards: "main.afterwards",
	"other-map": "main.otherMap",
	"moving-stack": "main.movingStack",
	reflection: "main.reflection",
};

export type Truth = Record<string, { growths: number; overlaps: number }>;

/** The case that a stack belongs to: its function, or a goroutine that it started. */
function caseOf(stack: readonly Frame[]): string | undefined {
	return Object.entries(CASES).find(([, fn]) =>
		stack.some((frame) => frame.fn === fn || frame.fn.startsWith(`${fn}.func`)),
	)?.[0];
}

/** What it prints, from text that also holds other things. */
export function truthIn(text: string): Truth {
	return JSON.parse(/^\{.*\}$/m.exec(text)?.[0] ?? "{}") as Truth;
}

/** A finished run of all cases, with --iter. */
export interface Iterated {
	growths: readonly GrowthRecord[];
	overlaps: readonly OverlapRecord[];
	end: EndRecord;
}

/** Fails unless every growth and every overlap is reported once, in its case, with both goroutines. */
export function expectIterated({ growths, overlaps, end }: Iterated, truth: Truth): void {
	expect(Object.keys(truth).sort()).toEqual(Object.keys(CASES).sort());
	const grown = growths.map(({ stack }) => caseOf(stack));
	const overlapped = overlaps.map(({ iteration }) => caseOf(iteration.stack));
	const times = (names: readonly (string | undefined)[], name: string) => names.filter((each) => each === name).length;
	for (const [name, wanted] of Object.entries(truth)) {
		const seen = { growths: times(grown, name), overlaps: times(overlapped, name) };
		expect({ [name]: seen }).toEqual({ [name]: wanted });
	}
	const sum = Object.values(truth).reduce((total, wanted) => total + wanted.overlaps, 0);
	expect(sum).toBeGreaterThan(20);
	expect(overlaps).toHaveLength(sum);
	expect(end.overlaps).toBe(sum);
	expect(end.ledger.iteration?.hits).toBeGreaterThan(0);
	checkPairs(overlaps);
}

/** Which goroutine grew and which ranged is what the program's cases say. */
function checkPairs(overlaps: readonly OverlapRecord[]): void {
	for (const { growth, iteration, elapsed_ns } of overlaps) {
		expect(growth.goid).toBeGreaterThan(0);
		expect(iteration.elapsed_ns).toBeLessThan(growth.elapsed_ns);
		expect(growth.elapsed_ns).toBeLessThan(elapsed_ns);
		const name = caseOf(iteration.stack);
		expect(caseOf(growth.stack)).toBe(name);
		if (name === "under-lock") expect(growth.goid).not.toBe(iteration.goid);
		else expect(growth.goid).toBe(iteration.goid ?? -1);
	}
}

/** Growths that overlap an iteration, against a program that counts them itself; with --iter only. */
import { describe, expect } from "bun:test";
import type { Frame, OverlapRecord } from "../../src/model/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { goBuild } from "../support/go-binaries.ts";
import { startGomapgrow, toTrace } from "../support/trace.ts";

const CASES: Record<string, string> = {
	"one-goroutine": "main.oneGoroutine",
	"early-break": "main.earlyBreak",
	nested: "main.nested",
	"under-lock": "main.underLock",
	afterwards: "main.afterwards",
	"other-map": "main.otherMap",
	"moving-stack": "main.movingStack",
	reflection: "main.reflection",
};

type Truth = Record<string, { growths: number; overlaps: number }>;

/** The case that a stack belongs to: its function, or a goroutine that it started. */
function caseOf(stack: readonly Frame[]): string | undefined {
	return Object.entries(CASES).find(([, fn]) =>
		stack.some((frame) => frame.fn === fn || frame.fn.startsWith(`${fn}.func`)),
	)?.[0];
}

async function iterate(version: string, options: string[]) {
	const executable = goBuild({ version, program: "iterate", ldflags: "-s -w" });
	const program = startGomapgrow(["run", "--json", ...options, "--", executable, ...Object.keys(CASES)]);
	const trace = toTrace(program, await program.finish());
	const truth = JSON.parse(/^\{.*\}$/m.exec(program.stderr)?.[0] ?? "{}") as Truth;
	return { trace, truth };
}

const tracingTest = testWith(missingForTracing());

describe("iterations", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`every overlap is reported once, with both goroutines, Go ${version}`, async () => {
			const { trace, truth } = await iterate(version, ["--iter"]);
			expect(Object.keys(truth).sort()).toEqual(Object.keys(CASES).sort());
			for (const [name, { growths, overlaps }] of Object.entries(truth)) {
				const seen = trace.overlaps.filter((overlap) => caseOf(overlap.iteration.stack) === name);
				expect({ [name]: seen.length }).toEqual({ [name]: overlaps });
				const grown = trace.growths.filter((growth) => caseOf(growth.stack) === name);
				expect({ [name]: grown.length }).toEqual({ [name]: growths });
			}
			const sum = Object.values(truth).reduce((total, { overlaps }) => total + overlaps, 0);
			expect(sum).toBeGreaterThan(20);
			expect(trace.overlaps).toHaveLength(sum);
			expect(trace.end.overlaps).toBe(sum);
			expect(trace.end.complete).toBe(true);
			const { growth, work, latency, iteration } = trace.end.ledger;
			expect(iteration?.hits).toBeGreaterThan(0);
			// Steps of iterations are not timed, and not taken for calls whose end was not seen.
			expect(latency).toMatchObject({
				...{ hits: growth.hits + work.hits, recorded: growth.hits + work.hits },
				unpaired: { left: 0, evicted: 0 },
			});
			checkPairs(trace.overlaps);
		});
	}

	tracingTest("are not watched without the option", async () => {
		const { trace } = await iterate("1.23", []);
		expect(trace.overlaps).toEqual([]);
		expect(trace.end.overlaps).toBeUndefined();
		expect(trace.end.ledger.iteration).toBeUndefined();
		expect(Object.keys(trace.end.calls)).not.toContain("runtime.mapiternext");
	});
});

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

/**
 * Growth functions that the compiler has inlined into their callers, as it does with a profile: every passage through a copy counts, to the
 * last one, by what the program's own runtime has counted; growths have their types and lines.
 */
import { describe, expect } from "bun:test";
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import { MAP_FUNCTIONS } from "../../src/gomap/functions.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { EndRecord } from "../../src/records/records.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { fileSource, goRoot } from "../support/go-binaries.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, ledgerFaults, recordedTrace, startGomapgrow, type Trace } from "../support/trace.ts";
import { buildInlined, buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 600_000;
const VERSIONS = ["1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"] as const;
const ROUNDS = 20;
const FUNCTIONS = MAP_FUNCTIONS.map(({ fn }) => fn);
/** Doublings of a map that gets 800 keys, one after the other; the load factor of Go 1.21 is lower. */
const growthsOf800 = (version: string): number => (version === "1.21" ? 8 : 7);

async function traced(path: string, kind: string): Promise<{ trace: Trace; output: string }> {
	const records = join(temporaryFolder("inlined-records"), "records.ndjson");
	const program = startGomapgrow(["run", "--iter", "--output", records, "--", path, kind, String(ROUNDS)]);
	const exit = await program.finish();
	expect(exit).toEqual({ code: 0, signal: undefined });
	return { trace: recordedTrace(records, program, exit), output: program.stdout };
}

describe.each([...VERSIONS])("inlined growth functions of Go %s", (version) => {
	tracingTest(
		"are counted as often as the runtime itself counts them",
		async () => {
			const { trace, output } = await traced(buildInlined(version, FUNCTIONS, true), "all");
			const truth = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? "{}") as Record<string, number>;
			expect(Object.keys(truth).length).toBeGreaterThan(2);
			const { calls } = trace.end;
			const counted = Object.fromEntries(Object.keys(truth).map((fn) => [fn, calls[fn] ?? 0]));
			expect(counted).toEqual(truth);
			expect(trace.end.complete).toBe(true);
			expect(ledgerFaults(trace.end.ledger)).toEqual([]);
			const copies = (trace.targets[0]?.probes ?? []).filter(({ inlined_into }) => inlined_into !== undefined);
			expect(copies.length).toBeGreaterThan(0);
			const growths = Object.entries(truth).filter(([fn]) =>
				/\.(hashGrow|\(\*Map\)\.growToTable|\(\*table\)\.rehash)$/.test(fn),
			);
			expect(trace.growths).toHaveLength(growths.reduce((sum, [, count]) => sum + count, 0));
		},
		TIMEOUT,
	);

	tracingTest(
		"give growths their types, maps, goroutines and lines",
		async () => {
			const path = buildInlined(version, FUNCTIONS, false);
			for (const [kind, fn, type] of [
				["string", "main.fillString", "map[string]int"],
				["int64", "main.fillInt64", "map[int64]int"],
				["int32", "main.fillInt32", "map[int32]int"],
				["point", "main.fillPoint", "map[main.point]int"],
			] as const) {
				const { trace } = await traced(path, kind);
				const own = trace.growths.filter(({ stack }) => stack.some((frame) => frame.fn === fn));
				expect(own).toHaveLength(ROUNDS * growthsOf800(version));
				expect(new Set(own.map(({ map }) => map)).size).toBe(ROUNDS);
				for (const growth of own) {
					expect(growth.map_type).toBe(type);
					expect(growth.goid).toBe(1);
					expect(growth.fn).toBe(growth.stack[0]?.fn ?? "");
					expect(growth.stack[1]?.fn).toMatch(/^runtime\.mapassign/);
					const at = growth.stack.findIndex((frame) => frame.fn === fn);
					expect(growth.stack.slice(at + 1, at + 3).map((frame) => frame.fn)).toEqual(["main.main", "runtime.main"]);
					expect(growth.capacity_after).toBe(2 * growth.capacity_before);
				}
				expect(trace.end.complete).toBe(true);
			}
		},
		TIMEOUT,
	);

	tracingTest(
		"see the steps of iterations, and the growths among them",
		async () => {
			const { trace } = await traced(buildInlined(version, FUNCTIONS, false), "range");
			const classic = trace.targets[0]?.map_impl === "classic";
			const { trace: plain } = await traced(buildProgram("inlined", version), "range");
			const functions = classic
				? ["runtime.mapiternext", "runtime.mapiterinit"]
				: ["Next", "Init", "grownKeyElem"].map((name) => `internal/runtime/maps.(*Iter).${name}`);
			for (const fn of functions) expect([fn, trace.end.calls[fn]]).toEqual([fn, plain.end.calls[fn]]);
			// Of a map of 2,000 entries each, and the end; of another one six, in the first of which it grows.
			expect(trace.end.calls[functions[0] ?? ""]).toBeGreaterThanOrEqual(ROUNDS * (2001 + 6));
			expect(trace.overlaps).toHaveLength(plain.overlaps.length);
			expect(trace.overlaps.length).toBeGreaterThanOrEqual(2 * ROUNDS);
			for (const overlap of trace.overlaps) {
				expect(overlap.iteration.stack.some(({ fn }) => fn === "main.growInRange")).toBe(true);
			}
			expect(trace.end.complete).toBe(true);
		},
		TIMEOUT,
	);
});

/** Functions without end, for a compiler. */
function goSource(functions: number): string {
	const bodies = Array.from({ length: functions }, (_, i) => {
		return `func f${i}(a, b int) int { m := map[string]int{"k${i}": a}; for k := range m { b += len(k) }; return b + ${i} }`;
	});
	return `package p\n\n${bodies.join("\n\n")}\n`;
}

describe("the compiler of Go 1.22, which is built with a profile", () => {
	testWith(missingForTracing(), missingCommands("perf"))(
		"grows its maps as often as perf counts at the function and at its copies",
		async () => {
			const folder = temporaryFolder("inlined-compiler");
			const compiler = join(folder, "compile");
			copyFileSync(join(goRoot("1.22"), "pkg/tool/linux_amd64/compile"), compiler);
			writeFileSync(join(folder, "p.go"), goSource(400));
			const plan = makePlan(openGoBinary(fileSource(compiler)));
			const sites = plan.probes.filter(({ fn }) => fn === "runtime.hashGrow");
			expect(sites.filter(({ inlinedInto }) => inlinedInto !== undefined).length).toBeGreaterThan(0);
			const events = "/sys/kernel/tracing/uprobe_events";
			const group = `gmgtest${process.pid}`;
			const names = sites.map((_, index) => `${group}:site${index}`);
			const records = join(folder, "records.ndjson");
			try {
				for (const [index, { site }] of sites.entries()) {
					appendFileSync(events, `p:${group}/site${index} ${compiler}:0x${site.fileOffset.toString(16)}\n`);
				}
				const command = [compiler, "-c=1", "-o", join(folder, "p.a"), "-p", "p", "-complete", join(folder, "p.go")];
				const observed = [GOMAPGROW, "run", "--budget", "off", "-o", records, "--", ...command];
				const perf = start(["perf", "stat", "-x", ",", "-e", names.join(","), "--", ...observed]);
				expect((await perf.finish()).code).toBe(0);
				const counts = names.map((name) => Number(new RegExp(`^(\\d+),.*${name}`, "m").exec(perf.stderr)?.[1]));
				const end = JSON.parse(readFileSync(records, "utf8").trim().split("\n").at(-1) ?? "") as EndRecord;
				const total = counts.reduce((sum, count) => sum + count, 0);
				expect(end.calls["runtime.hashGrow"]).toBe(total);
				expect(end.growths).toBe(total);
				expect(end.complete).toBe(true);
				// Growths come from both.
				for (const count of counts) expect(count).toBeGreaterThan(10);
			} finally {
				for (const name of names) appendFileSync(events, `-:${name.replace(":", "/")}\n`);
			}
		},
		TIMEOUT,
	);
});

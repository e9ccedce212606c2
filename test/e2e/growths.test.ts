/** The growths of 2000 keys put one by one into an empty map are known: each must be seen, once, with its type and its line. */
import { describe, expect } from "bun:test";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectGrown, INT, KEYS, type Kind, OTHER_KINDS } from "../support/grown.ts";
import { ledgerFaults, runTraced, type Trace, withoutDuration } from "../support/trace.ts";
import { type BuildOptions, buildProgram } from "./build-program.ts";

/** Builds, runs and checks one kind of map under one toolchain. */
async function check(version: string, kind: Kind, options: BuildOptions = {}): Promise<Trace> {
	const trace = await runTraced([buildProgram("grow", version, options), kind.name, String(KEYS)]);
	expect(trace.exit.code).toBe(0);
	expect(trace.end.complete).toBe(true);
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.growths).toBe(trace.growths.length);
	const swiss = Number(version.split(".")[1]) >= 24;
	expect(trace.targets[0]).toMatchObject({
		map_impl: swiss ? "swiss" : "classic",
		go_version: expect.stringMatching(new RegExp(`^go${version}(\\.|$)`)),
		arch: "amd64",
		stripped: options.stripped === true,
		pie: options.pie === true,
	});
	expect(trace.targets[0]?.probes.map((probe) => probe.cost)).toEqual(
		trace.targets[0]?.probes.map(() => "emulated") ?? [],
	);
	// The place of g in a thread, by which exits before Go 1.17 find the call, differs with the linker.
	expect(withoutDuration(trace.growths, trace.end)).toBe(0);
	const [target] = trace.targets;
	if (target === undefined) throw new Error("no target");
	expectGrown({ target, growths: trace.growths, end: trace.end }, kind, swiss ? "swiss" : "classic");
	return trace;
}

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 120_000;

describe("2000 integer keys", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`Go ${version}`, () => check(version, INT), TIMEOUT);
		tracingTest(`Go ${version}, stripped`, () => check(version, INT, { stripped: true }), TIMEOUT);
	}
});

describe("2000 keys of other types", () => {
	for (const kind of OTHER_KINDS) {
		for (const version of ["1.23", "1.27"])
			tracingTest(`${kind.mapType}, Go ${version}, stripped`, () => check(version, kind, { stripped: true }), TIMEOUT);
	}
});

describe("position-independent executables", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`Go ${version}, stripped`, () => check(version, INT, { pie: true, stripped: true }), TIMEOUT);
	}
	const cgoTest = testWith(missingForTracing(), missingCommands("gcc"));
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		cgoTest(
			`Go ${version}, with cgo, stripped`,
			() => check(version, INT, { pie: true, cgo: true, stripped: true }),
			TIMEOUT,
		);
	}
});

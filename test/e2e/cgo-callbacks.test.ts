/** Stacks of growths in Go code that C called: they go on in the Go code that called C, as the program's own traceback does. */
import { describe, expect } from "bun:test";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { startGomapgrow, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const cgoTest = testWith(missingForTracing(), missingCommands("gcc"));

/** What the runtime leaves out of a traceback, and the C code, which it does not know. */
const NOT_IN_TRACEBACK =
	/^(runtime\.(cgocall|cgocallback|cgocallbackg|cgocallbackg1|hashGrow|mapassign_fast64)|internal\/runtime\/maps\..*|_cgoexp_.*|crosscall2|growFromC|call_go|\[0x[0-9a-f]+\])$/;

describe("a growth in a callback from C", () => {
	for (const version of ["1.19", "1.23", "1.27"]) {
		for (const stripped of [false, true]) {
			cgoTest(`Go ${version}${stripped ? ", stripped" : ""}`, async () => {
				const executable = buildProgram("exports", version, { cgo: true, stripped });
				const program = startGomapgrow(["run", "--json", "--", executable]);
				const trace = toTrace(program, await program.finish());
				// The program prints the frames that its runtime finds inside the callback.
				const truth = [...program.stderr.matchAll(/^frame\t(\S+)/gm)]
					.map(([, fn]) => fn ?? "")
					.filter((fn) => fn.startsWith("main.") || fn === "runtime.main");
				expect(truth).toContain("main.growFromC");
				expect(truth.slice(-2)).toEqual(["main.main", "runtime.main"]);
				const growths = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.growFromC"));
				expect(growths.length).toBeGreaterThan(2);
				for (const { stack } of growths) {
					const names = stack.map(({ fn }) => fn).filter((fn) => !NOT_IN_TRACEBACK.test(fn));
					// Our stack begins where the map grows, the program's one call deeper.
					expect(names).toEqual(truth.filter((fn) => fn !== "main.callers"));
				}
			});
		}
	}
});

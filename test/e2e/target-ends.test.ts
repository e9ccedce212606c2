/** A target that ends while its probes are out, which the budget's windows do, is no error: its end is noticed like any other. */
import { describe, expect } from "bun:test";
import type { AttachMode } from "../../src/kernel/features.ts";
import { monotonicNs, wallNs } from "../../src/kernel/libc.ts";
import { Executable } from "../../src/tracer/executable.ts";
import { Session } from "../../src/tracer/session.ts";
import { Target } from "../../src/tracer/target.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start } from "../support/processes.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());

describe("probes that are put back in too late", () => {
	for (const mode of ["multi", "perf-cookie"] satisfies AttachMode[]) {
		tracingTest(`attach mode ${mode}`, async () => {
			const program = start([buildProgram("demo", "1.23"), "-for", "50s"]);
			await program.untilOutput(/pid/);
			const exe = `/proc/${program.pid}/exe`;
			const target = new Target({ pid: program.pid, name: "demo", exe, openPath: exe }, new Executable(exe));
			const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
			const session = new Session({ mode, anchor, latency: true, iterations: false, maxSites: 200 });
			try {
				session.attach(target);
				const setAttached = (on: boolean): void => {
					for (const part of ["exits", "entries"] as const) session.setAttached(target, "work", part, on);
				};
				setAttached(false);
				setAttached(true);
				setAttached(false);
				await program.stop();
				setAttached(true);
				expect(program.running).toBe(false);
			} finally {
				session.close();
			}
		});
	}
});

/** What a test needs from the machine. Where it is missing the test is skipped with a printed reason, but with CI=true it fails. */
import { expect, test } from "bun:test";
import { accessSync, constants, existsSync } from "node:fs";
import { GOMAPGROW } from "./trace.ts";

/** Why something cannot be tested here; undefined when it can. */
export type Missing = string | undefined;

/** Attaching uprobes: root (or its capabilities), a kernel with uprobes, and the built executable. */
export function missingForTracing(): Missing {
	if (process.platform !== "linux" || process.arch !== "x64")
		return "observing programs is tested on Linux x86-64 only";
	if (!existsSync(GOMAPGROW)) return `the executable ${GOMAPGROW} has not been built`;
	if (process.geteuid?.() !== 0) return "observing programs needs root";
	if (!existsSync("/sys/bus/event_source/devices/uprobe")) return "this kernel has no uprobes";
	return undefined;
}

/** An executable file, for what npm or the distribution should have brought. */
export function missingFile(path: string): Missing {
	try {
		accessSync(path, constants.X_OK);
		return undefined;
	} catch {
		return `${path} is not there or not executable`;
	}
}

/** Commands in PATH. */
export function missingCommands(...names: string[]): Missing {
	const absent = names.filter((name) => Bun.which(name) === null);
	return absent.length === 0 ? undefined : `no command ${absent.join(", ")}`;
}

const reported = new Set<string>();

type TestBody = () => unknown;

/** A function like `test` for tests that need all of that. */
export function testWith(...needs: Missing[]): (name: string, body: TestBody, timeoutMs?: number) => void {
	const missing = needs.find((need) => need !== undefined);
	return (name, body, timeoutMs) => {
		if (missing === undefined) {
			test(
				name,
				async () => {
					await body();
				},
				timeoutMs,
			);
		} else if (process.env.CI === "true") {
			test(name, () => expect(missing, "everything must be testable where CI=true").toBeUndefined());
		} else {
			if (!reported.has(missing)) console.warn(`skipped: ${missing}`);
			reported.add(missing);
			test.skip(name, () => {});
		}
	};
}

/** A target's executable is compared with its plan again right before the probes are attached. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, copyFileSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { Executable } from "../../../src/tracer/executable.ts";
import { Target } from "../../../src/tracer/target.ts";
import { goBuild } from "../../support/go-binaries.ts";
import { temporaryFolder } from "../../support/processes.ts";

setDefaultTimeout(60_000);

const folder = temporaryFolder("target");

function targetOf(name: string): { target: Target; path: string } {
	const path = join(folder, name);
	copyFileSync(goBuild({ version: "1.27", program: "chains" }), path);
	return { target: new Target({ pid: process.pid, name, exe: path, openPath: path }, new Executable(path)), path };
}

function overwrite(path: string, offset: number, byte: number): void {
	const file = openSync(path, "r+");
	writeSync(file, Uint8Array.of(byte), 0, 1, offset);
	closeSync(file);
}

/** What checkSites says of it. */
function complaint(target: Target): string | undefined {
	try {
		target.checkSites();
		return undefined;
	} catch (error) {
		if (!(error instanceof GomapgrowError)) throw error;
		return `${error.code}: ${error.found}`;
	} finally {
		target.close();
	}
}

describe("the executable", () => {
	test("unchanged", () => {
		expect(complaint(targetOf("unchanged").target)).toBeUndefined();
	});

	test("with other bytes at an entry site", () => {
		const { target, path } = targetOf("entry");
		overwrite(path, target.plan.probes[1]?.site.fileOffset ?? 0, 0x77);
		expect(complaint(target)).toBe(`E-BIN-CHANGED: other bytes at ${target.plan.probes[1]?.fn}`);
	});

	test("with other bytes at an exit site", () => {
		const { target, path } = targetOf("exit");
		const probe = target.plan.probes.find(({ exits }) => exits.length > 1);
		const exit = probe?.exits.at(-1);
		overwrite(path, (exit?.fileOffset ?? 0) + (exit?.bytes.length ?? 1) - 1, 0xcc);
		expect(complaint(target)).toBe(`E-BIN-CHANGED: other bytes at ${probe?.fn}`);
	});

	test("replaced by another file", () => {
		const { target, path } = targetOf("replaced");
		copyFileSync(path, `${path}.new`);
		renameSync(`${path}.new`, path);
		expect(complaint(target)).toBe("E-BIN-CHANGED: another file in its place");
	});
});

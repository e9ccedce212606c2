import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolveCommand } from "../../../src/process/resolve-command.ts";
import { temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const folder = temporaryFolder("command");
for (const sub of ["first", "second", "third"]) mkdirSync(join(folder, sub));
function file(name: string, mode: number): string {
	const path = join(folder, name);
	writeFileSync(path, "#!/bin/sh\n");
	chmodSync(path, mode);
	return path;
}
const inSecond = file("second/tool", 0o755);
file("first/tool", 0o644);
file("third/tool", 0o755);
file("first/locked", 0o644);
mkdirSync(join(folder, "first/folder"));
const path = ["nowhere", "first", "second", "third"].map((sub) => join(folder, sub)).join(":");

describe("a name", () => {
	test("is looked up in PATH, past files that cannot be executed", () => {
		expect(resolveCommand("tool", path)).toBe(inSecond);
		// The shell's own look-up, for a command that every machine has.
		expect(resolveCommand("env")).toBe(Bun.spawnSync(["sh", "-c", "command -v env"]).stdout.toString().trim());
	});

	test("is found through an empty entry, which is the current folder", () => {
		const previous = process.cwd();
		process.chdir(join(folder, "second"));
		try {
			expect(resolveCommand("tool", ":/usr/bin")).toBe(inSecond);
			expect(resolveCommand("tool", "")).toBe(inSecond);
		} finally {
			process.chdir(previous);
		}
	});

	test("without PATH is looked up where execvp looks", () => {
		const previous = process.env.PATH;
		delete process.env.PATH;
		try {
			expect(resolveCommand("sh")).toMatch(/^(\/usr)?\/bin\/sh$/);
		} finally {
			process.env.PATH = previous;
		}
	});

	test("that is not there, not executable or a folder is E-TARGET-EXEC", () => {
		expect(thrownBy(() => resolveCommand("missing", path))).toMatchObject({
			code: "E-TARGET-EXEC",
			exitCode: 4,
			found: "no such file in any folder of PATH",
		});
		expect(thrownBy(() => resolveCommand("locked", path)).found).toBe(
			`${join(folder, "first/locked")}: not executable (EACCES)`,
		);
		expect(thrownBy(() => resolveCommand("folder", path)).found).toBe(
			`${join(folder, "first/folder")}: not a regular file`,
		);
		for (const odd of ["", "a\0b"]) expect(thrownBy(() => resolveCommand(odd, path)).code).toBe("E-TARGET-EXEC");
	});
});

describe("a path", () => {
	test("is taken as it is and made absolute", () => {
		expect(resolveCommand(inSecond, "")).toBe(inSecond);
		symlinkSync(inSecond, join(folder, "link"));
		// The name by which it was called may matter to the program.
		expect(resolveCommand(join(folder, "link"), "")).toBe(join(folder, "link"));
	});

	test("that cannot be executed is E-TARGET-EXEC", () => {
		for (const [bad, found] of [
			[join(folder, "missing"), "no such file"],
			[join(folder, "first/locked"), "not executable (EACCES)"],
			[join(folder, "first"), "not a regular file"],
			[join(inSecond, "below"), "no such file"],
		] as const) {
			expect(thrownBy(() => resolveCommand(bad))).toMatchObject({ code: "E-TARGET-EXEC", found });
		}
	});
});

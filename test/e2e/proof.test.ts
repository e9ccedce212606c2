/** Probes that are in a file which the process does not execute: an error, not a recording without growths. */
import { describe, expect } from "bun:test";
import { chownSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES } from "../../src/errors/error.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectError } from "../support/expect-error.ts";
import { run } from "../support/go-binaries.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, startGomapgrow } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const folder = temporaryFolder("proof");

/** To be preloaded; only programs with a dynamic loader do. */
function remapLibrary(): string {
	const library = join(folder, "remap.so");
	run(["gcc", "-shared", "-fPIC", "-o", library, join(import.meta.dir, "../support/remap-text.c")]);
	return library;
}

const dynamicProgram = (): string => buildProgram("parked", "1.27", { pie: true, cgo: true });

/** The program answers when it runs. */
async function answering(program: Program): Promise<Program> {
	program.writeLine("");
	await program.untilOutput(/\n/);
	return program;
}

describe("watch", () => {
	testWith(missingForTracing(), missingCommands("mount", "umount"))(
		"finds that an overlay has copied up the file of a process since it began",
		async () => {
			const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(folder, name)) as [
				string,
				string,
				string,
				string,
			];
			for (const path of [lower, upper, work, merged]) mkdirSync(path);
			copyFileSync(buildProgram("relay", "1.27"), join(lower, "program"));
			run(["mount", "-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
			const path = join(merged, "program");
			const program = start([path], { stdin: "pipe" });
			try {
				await answering(program);
				chownSync(path, 1000, 1000);
				const text = await expectError(startGomapgrow(["watch", "--json", String(program.pid)]), "E-BIN-CHANGED");
				expect(text).toContain("has mapped another copy of the file");
			} finally {
				await program.stop();
				run(["umount", merged]);
			}
		},
		60_000,
	);

	testWith(missingForTracing(), missingCommands("gcc"))(
		"finds that a process has moved its code",
		async () => {
			const program = start(["env", `LD_PRELOAD=${remapLibrary()}`, dynamicProgram()], { stdin: "pipe" });
			await program.untilOutput(/^\{.*\}$/m);
			await expectError(startGomapgrow(["watch", "--json", String(program.pid)]), "E-BIN-CHANGED");
			await program.stop();
		},
		60_000,
	);
});

describe("run", () => {
	testWith(missingForTracing(), missingCommands("gcc"))(
		"finds that the command has moved its code when it began",
		async () => {
			const command = [GOMAPGROW, "run", "-o", join(folder, "records.ndjson"), "--", dynamicProgram()];
			const env = { ...process.env, LD_PRELOAD: remapLibrary() };
			const observer = start(command, { stdin: "pipe", env });
			const { code } = await observer.finish();
			observer.closeInput();
			expect(observer.stderr).toContain("error[E-BIN-CHANGED]: wanted a probe at ");
			expect(code).toBe(ERROR_CODES["E-BIN-CHANGED"]);
		},
		60_000,
	);
});

/** `gomapgrow inspect`: what a Go executable is and what would be probed. Needs no privileges and touches nothing. */
import { existsSync } from "node:fs";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { identifyGoProgram, openGoProgram } from "../gobin/go-binary.ts";
import { type InspectedTarget, inspectBinary, inspectUnsupported } from "../inspect/collect.ts";
import type { Inspection } from "../inspect/record.ts";
import { briefText, inspectText } from "../inspect/text.ts";
import { resolveTarget } from "../process/discover.ts";
import { type FileBytes, openFileBytes } from "../process/file-bytes.ts";
import { type LoadedElf, readLoadBias } from "../process/load-bias.ts";
import { MACHINE } from "../process/machine.ts";
import { namingFile } from "../process/name-file.ts";
import { exePath } from "../process/procfs.ts";
import { type ColorFlag, decideColor } from "../text/color.ts";
import { writeAll } from "./write-all.ts";

export interface InspectOptions {
	json: boolean;
	/** All of it, not what matters first. */
	verbose: boolean;
	color: ColorFlag;
}

/** Digits are a PID, an existing file is that file, anything else the name of a process. */
function locate(argument: string): { path: string; pid?: number; target: InspectedTarget } {
	const isPid = /^\d+$/.test(argument);
	if (!isPid && (argument.includes("/") || existsSync(argument))) {
		return { path: argument, target: { exe: argument, machine: MACHINE } };
	}
	const { pid, exe, exeDeleted } = resolveTarget(argument);
	return { path: exePath(pid), pid, target: { exe, exeDeleted, pid, machine: MACHINE } };
}

/** Where a process has its executable; undefined when only its owner may know. */
function biasOf(pid: number, file: FileBytes, elf: LoadedElf): number | undefined {
	try {
		return readLoadBias(pid, file.identity.ino, elf);
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-DENIED") return undefined;
		throw error;
	}
}

function inspectFile(argument: string): Inspection {
	const { path, pid, target } = locate(argument);
	const file = openFileBytes(path);
	try {
		const program = namingFile(path, () => identifyGoProgram(file));
		const loadBias = pid === undefined ? undefined : biasOf(pid, file, program.elf);
		const located = loadBias === undefined ? target : { ...target, loadBias };
		try {
			return inspectBinary(program, openGoProgram(program, { verifyLayouts: true }), located);
		} catch (error) {
			if (error instanceof GomapgrowError && /^E-BIN-GO-(OLD|NEW)$/.test(error.code)) {
				return inspectUnsupported(program, error, located);
			}
			throw error;
		}
	} finally {
		file.close();
	}
}

/** Prints the inspection; exit code 0 whenever it is a Go program that can be read. Throws E-TARGET-…, E-BIN-…, E-IO. */
export function inspect(argument: string, options: InspectOptions): number {
	const inspection = inspectFile(argument);
	if (options.json) {
		writeAll(1, `${JSON.stringify(inspection)}\n`);
		return EXIT.done;
	}
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: process.stdout.isTTY === true,
	});
	writeAll(1, options.verbose ? inspectText(inspection, color) : briefText(inspection, color));
	return EXIT.done;
}

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "./procfs-file.ts";

/** Where glibc's execvp looks when PATH is not set (confstr, _CS_PATH). */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * The absolute path of the file that `execvp(command)` would execute: a command with a slash is a path, any other is looked up
 * in `path` (the variable PATH), where an empty entry is the current folder. Throws E-TARGET-EXEC when there is none or it is
 * not executable.
 */
export function resolveCommand(command: string, path: string | undefined = process.env.PATH): string {
	if (command === "" || command.includes("\0")) throw cannotExecute(command, "no usable command name");
	if (command.includes("/")) {
		const problem = executableProblem(command);
		if (problem !== undefined) throw cannotExecute(command, problem);
		return resolve(command);
	}
	let refused: string | undefined;
	for (const folder of (path ?? DEFAULT_PATH).split(":")) {
		const candidate = `${folder === "" ? "." : folder}/${command}`;
		const problem = executableProblem(candidate);
		if (problem === undefined) return resolve(candidate);
		if (problem !== NOT_THERE) refused ??= `${candidate}: ${problem}`;
	}
	throw cannotExecute(command, refused ?? "no such file in any folder of PATH");
}

const NOT_THERE = "no such file";

/** Why a file cannot be executed, or undefined when it can. */
function executableProblem(path: string): string | undefined {
	try {
		if (!statSync(path).isFile()) return "not a regular file";
		accessSync(path, constants.X_OK);
		return undefined;
	} catch (error) {
		const code = errnoCode(error);
		if (code === undefined) throw error;
		if (code === "ENOENT" || code === "ENOTDIR") return NOT_THERE;
		return code === "EACCES" ? "not executable (EACCES)" : code;
	}
}

function cannotExecute(command: string, found: string): GomapgrowError {
	return new GomapgrowError("E-TARGET-EXEC", {
		wanted: `to execute ${JSON.stringify(command)}`,
		found,
		advice: "give the path of an executable file, or the name of one in PATH",
	});
}

/** `gomapgrow ps`: the Go processes of the host. */
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { requireOwnProc } from "../kernel/pid-namespace.ts";
import { programsText } from "../programs/text.ts";
import { plural } from "../text/units.ts";
import { goPrograms } from "./go-programs.ts";
import { outputColumns } from "./output-columns.ts";
import { writeAll } from "./write-all.ts";

export interface PsOptions {
	json: boolean;
	/** PIDs and names of those that can be watched, and nothing else. */
	names: boolean;
}

/** Prints the list; exit code 0, also when it is empty. Throws E-USAGE, E-HOST-PIDNS, E-IO. */
export async function ps(operands: readonly string[], { json, names }: PsOptions): Promise<number> {
	if (operands.length > 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "no arguments",
			found: JSON.stringify(operands[0]),
			mend: `gomapgrow inspect ${operands[0]}`,
		});
	}
	requireOwnProc();
	const { programs, denied } = await goPrograms(!names);
	if (names) {
		const watchable = programs.filter((program) => program.watchable);
		writeAll(1, watchable.map(({ pid, name }) => `${pid}\t${name}\n`).join(""));
		return EXIT.done;
	}
	if (json) {
		writeAll(1, programs.map((program) => `${JSON.stringify(program)}\n`).join(""));
	} else if (programs.length > 0) {
		writeAll(1, `${programsText(programs, outputColumns()).join("\n")}\n`);
	}
	if (programs.length === 0) process.stderr.write("gomapgrow: no Go process was found\n");
	if (denied > 0)
		process.stderr.write(
			`gomapgrow: ${plural(denied, "process")} of other users could not be looked at: run it with sudo\n`,
		);
	return EXIT.done;
}

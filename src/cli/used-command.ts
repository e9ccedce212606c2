import { ownProgram } from "../process/own-program.ts";
import type { UsedCommand } from "../report/used-command.ts";

/** How this program was called, with these arguments. */
export function usedCommand(args: readonly string[]): UsedCommand {
	return { program: ownProgram(), args, root: process.geteuid?.() === 0 };
}

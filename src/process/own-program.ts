/** How this program is called. */
import { basename, dirname } from "node:path";
import { readCmdline } from "./procfs.ts";

/** Where sudo looks for commands (secure_path as distributions set it), whatever PATH is. */
const SUDO_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** As typed; a name that sudo would not find as an absolute path. Throws E-IO. */
export function ownProgram(): string {
	const [typed = ""] = readCmdline(process.pid);
	// From sources.
	if (basename(process.execPath).startsWith("bun")) return "gomapgrow";
	if (typed.includes("/")) return typed;
	return SUDO_FOLDERS.includes(dirname(process.execPath)) ? typed : process.execPath;
}

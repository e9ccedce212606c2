/** Errors about what is in a file that name the file. */
import { type ErrorCode, GomapgrowError } from "../errors/error.ts";
import { readExe } from "./procfs.ts";

/** Those that say what a file is instead of a Go program. */
const ABOUT_KIND: readonly ErrorCode[] = ["E-BIN-NOT-ELF", "E-BIN-NOT-GO", "E-BIN-32BIT", "E-BIN-ARCH"];

/** The path by which a user knows the executable of a process; other paths as they are. */
function knownPath(path: string): string {
	const pid = /^\/proc\/(\d+)\/exe$/.exec(path)?.[1];
	return pid === undefined ? path : readExe(Number(pid)).path;
}

/** What `read` returns. Errors that say of which kind the file at `path` is say which file that is, too. */
export function namingFile<T>(path: string, read: () => T): T {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof GomapgrowError && ABOUT_KIND.includes(error.code))) throw error;
		const { code, wanted, found, mend, advice } = error;
		const name = knownPath(path);
		if (found.includes(name)) throw error;
		throw new GomapgrowError(code, {
			...{ wanted, found: `${name}: ${found}`, cause: error },
			...(mend === undefined ? {} : { mend }),
			...(advice === undefined ? {} : { advice }),
		});
	}
}

import { closeSync, openSync, readSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";

/** Most bytes taken from one file of /proc; a process with 65,536 mappings of long paths has some 10 MiB of maps. */
const FILE_LIMIT = 16 << 20;
/** Reads go through this one, so that what is kept is as long as the text. */
const chunk = Buffer.allocUnsafeSlow(64 << 10);

/** The code of a failed system call ("ENOENT"), or undefined when `error` is something else. */
export function errnoCode(error: unknown): string | undefined {
	if (!(error instanceof Error) || !("code" in error)) return undefined;
	// What comes from libuv (os.setPriority) keeps the system's code inside.
	if (error.code === "ERR_SYSTEM_ERROR" && "info" in error) {
		const { info } = error;
		return typeof info === "object" && info !== null && "code" in info && typeof info.code === "string"
			? info.code
			: undefined;
	}
	return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns a failed access to /proc/PID into the error for the user. EACCES and EPERM are E-TARGET-DENIED; ENOENT and ESRCH mean that
 * the process has ended, E-TARGET-GONE; everything else is E-IO.
 */
export function procfsError(pid: number, what: string, error: unknown): GomapgrowError {
	const code = errnoCode(error);
	const wanted = `to read ${what} of process ${pid}`;
	if (code === "EACCES" || code === "EPERM") {
		return new GomapgrowError("E-TARGET-DENIED", {
			wanted,
			found: `that the process belongs to someone else (${code})`,
			mend: "sudo gomapgrow …   # in a container: docker run --cap-add=SYS_PTRACE",
			cause: error,
		});
	}
	if (code === "ENOENT" || code === "ESRCH") {
		return new GomapgrowError("E-TARGET-GONE", {
			wanted,
			found: `no process ${pid}`,
			mend: "ps -e -o pid,comm,args   # shows the processes that run now",
			cause: error,
		});
	}
	return new GomapgrowError("E-IO", { wanted, found: code ?? String(error), cause: error });
}

/**
 * The bytes of /proc/PID/NAME, at most 16 MiB. These files say size 0 and can end after any read, so they are read until
 * nothing comes. Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO.
 */
export function readProcfs(pid: number, name: string): Buffer {
	const chunks: Buffer[] = [];
	let total = 0;
	try {
		const fd = openSync(`/proc/${pid}/${name}`, "r");
		try {
			while (total < FILE_LIMIT) {
				const n = readSync(fd, chunk, 0, chunk.length, null);
				if (n === 0) break;
				chunks.push(Buffer.from(chunk.subarray(0, n)));
				total += n;
			}
		} finally {
			closeSync(fd);
		}
	} catch (error) {
		throw procfsError(pid, name, error);
	}
	return Buffer.concat(chunks, total);
}

import { writeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";

const RETRY_MS = 5;

/**
 * Writes all of the text before it returns, so that nothing is cut off when the process exits. A reader that has gone is no error: false.
 */
export function writeAll(fd: number, text: string): boolean {
	const bytes = Buffer.from(text);
	for (let done = 0; done < bytes.length; ) {
		try {
			done += writeSync(fd, bytes, done);
		} catch (error) {
			const code = errnoCode(error);
			if (code === "EPIPE") return false;
			// Someone made the pipe non-blocking.
			if (code !== "EAGAIN") {
				throw new GomapgrowError("E-IO", { wanted: "to write the output", found: code ?? String(error), cause: error });
			}
			Bun.sleepSync(RETRY_MS);
		}
	}
	return true;
}

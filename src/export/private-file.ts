/** Files of exports: they may hold what only root could read of a process, and their names may come from one. */
import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";

/** Never through a link, never into a file that is there already (open(2)). */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MODE = 0o600;
const MAX_NAME = 100;

/** A name from a target as part of a file's name: `[A-Za-z0-9._-]` alone, never with a dot at the beginning. */
export function nameForFile(name: string): string {
	const safe = name
		.replace(/[^A-Za-z0-9._-]/g, "_")
		.slice(0, MAX_NAME)
		.replace(/^\.+/, "_");
	return safe === "" ? "_" : safe;
}

function failed(path: string, error: unknown): GomapgrowError {
	const code = errnoCode(error);
	return new GomapgrowError("E-IO", {
		wanted: `to write ${path}`,
		found: code === "EEXIST" ? "a file of that name" : (code ?? String(error)),
		...(code === "EEXIST" ? { advice: "the same with --force replaces it" } : {}),
		cause: error,
	});
}

/** Whether there is anything of that name, also a link to nowhere. */
function isThere(path: string): boolean {
	try {
		lstatSync(path);
		return true;
	} catch (error) {
		if (errnoCode(error) === "ENOENT") return false;
		throw failed(path, error);
	}
}

/** Finds out before a long reading what `writePrivateFile` would refuse. Throws E-IO. */
export function checkNewFile(path: string, force: boolean): void {
	if (!force && isThere(path)) throw failed(path, Object.assign(new Error("there already"), { code: "EEXIST" }));
}

function writeNew(path: string, bytes: Uint8Array): void {
	const fd = openSync(path, FLAGS, MODE);
	try {
		for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
		fsyncSync(fd);
	} catch (error) {
		rmSync(path, { force: true });
		throw error;
	} finally {
		closeSync(fd);
	}
}

/**
 * Writes a new file that only its owner can read. `force`: in the place of what has that name; a link is replaced, not followed.
 * Throws E-IO; what was there is whole then.
 */
export function writePrivateFile(path: string, content: string | Uint8Array, force: boolean): void {
	const bytes = typeof content === "string" ? Buffer.from(content) : content;
	try {
		if (!force) {
			writeNew(path, bytes);
			return;
		}
		const beside = `${path}.${process.pid}.new`;
		writeNew(beside, bytes);
		try {
			renameSync(beside, path);
		} catch (error) {
			rmSync(beside, { force: true });
			throw error;
		}
	} catch (error) {
		throw failed(path, error);
	}
}

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { ByteSource } from "../elf/byte-source.ts";
import { type ErrorCode, GomapgrowError } from "../errors/error.ts";
import { errnoCode, procfsError } from "./procfs-file.ts";

const PAGE = 16 << 10;
const CACHED_PAGES = (32 << 20) / PAGE;
/** More is never wanted at once: a larger length comes from a damaged or hostile file. */
const LONGEST_READ = 1 << 30;

/** What tells one state of a file from another. */
export interface FileIdentity {
	dev: bigint;
	ino: bigint;
	mtimeNs: bigint;
	size: number;
}

/** The bytes of an open file. It stays readable if the file is removed or renamed meanwhile, until close(). */
export interface FileBytes extends ByteSource {
	readonly path: string;
	readonly identity: FileIdentity;
	/** Gives back what is kept of it; what is read later is kept again. */
	trim(): void;
	close(): void;
}

/**
 * Opens a regular file for random access; /proc/PID/exe is one too. Reads go through a cache of at most 32 MiB and fail with
 * E-BIN-MALFORMED when longer than 1 GiB. Throws E-TARGET-NOT-FOUND, E-TARGET-DENIED, E-BIN-NOT-ELF (a folder, pipe or device;
 * never waits for one) or E-IO.
 */
export function openFileBytes(path: string): FileBytes {
	let fd: number;
	try {
		// O_NONBLOCK: opening a named pipe must not wait for its writer.
		fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
	} catch (error) {
		throw openError(path, error);
	}
	try {
		const stat = fstatSync(fd, { bigint: true });
		if (!stat.isFile()) {
			const kind = stat.isDirectory() ? "a folder" : stat.isFIFO() ? "a named pipe" : "a device or socket";
			throw new GomapgrowError("E-BIN-NOT-ELF", { wanted: "an executable file", found: `${kind}: ${path}` });
		}
		const identity = { dev: stat.dev, ino: stat.ino, mtimeNs: stat.mtimeNs, size: Number(stat.size) };
		return new CachedFile(fd, path, identity);
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

/** Whether a file can be looked at, if not read. */
function isReachable(path: string): boolean {
	try {
		statSync(path);
		return true;
	} catch (error) {
		if (errnoCode(error) === undefined) throw error;
		return false;
	}
}

/** The process may be looked at, but its executable is a file that only its owner may read. */
function ownersOnly(pid: number, error: unknown): GomapgrowError {
	if (errnoCode(error) !== "EACCES") return procfsError(pid, "exe", error);
	return new GomapgrowError("E-TARGET-DENIED", {
		wanted: `to read the executable of process ${pid}`,
		found: "that its mode lets only its owner read it (EACCES), and no CAP_DAC_READ_SEARCH",
		mend: "sudo gomapgrow …   # in a container: docker run --cap-add=DAC_READ_SEARCH",
		cause: error,
	});
}

function openError(path: string, error: unknown): GomapgrowError {
	// The link of a process that has ended meanwhile.
	const ofProcess = /^\/proc\/(\d+)\/exe$/.exec(path);
	if (ofProcess !== null) {
		const pid = Number(ofProcess[1]);
		return isReachable(path) ? ownersOnly(pid, error) : procfsError(pid, "exe", error);
	}
	const errno = errnoCode(error);
	const codes: Record<string, ErrorCode> = {
		ENOENT: "E-TARGET-NOT-FOUND",
		ENOTDIR: "E-TARGET-NOT-FOUND",
		EACCES: "E-TARGET-DENIED",
		EPERM: "E-TARGET-DENIED",
		// Sockets and devices without a driver cannot be opened at all.
		ENXIO: "E-BIN-NOT-ELF",
		ENODEV: "E-BIN-NOT-ELF",
	};
	const code = codes[errno ?? ""] ?? "E-IO";
	return new GomapgrowError(code, {
		wanted: `to read ${path}`,
		found: errno ?? String(error),
		...(code === "E-TARGET-DENIED"
			? { mend: "sudo gomapgrow …   # in a container: docker run --cap-add=DAC_READ_SEARCH" }
			: {}),
		cause: error,
	});
}

class CachedFile implements FileBytes {
	readonly size: number;
	/** Page number -> bytes, least recently used first (a Map keeps the order of insertion). */
	private readonly pages = new Map<number, Uint8Array>();
	private open = true;

	constructor(
		private readonly fd: number,
		readonly path: string,
		readonly identity: FileIdentity,
	) {
		this.size = identity.size;
	}

	read(offset: number, length: number): Uint8Array {
		this.check(offset, length);
		if (length === 0) return new Uint8Array(0);
		const first = Math.floor(offset / PAGE);
		if (offset + length <= (first + 1) * PAGE) {
			return this.page(first).subarray(offset - first * PAGE, offset - first * PAGE + length);
		}
		// A long read in the midst of short ones is served by itself: copying its pages through the cache would only push the others out.
		if (length >= 4 * PAGE) return this.load(offset, length);
		const out = new Uint8Array(length);
		for (let done = 0; done < length; ) {
			const number = Math.floor((offset + done) / PAGE);
			const at = offset + done - number * PAGE;
			const part = this.page(number).subarray(at, Math.min(PAGE, at + length - done));
			out.set(part, done);
			done += part.length;
		}
		return out;
	}

	readInto(offset: number, target: Uint8Array): void {
		this.check(offset, target.length);
		this.fill(offset, target);
	}

	private check(offset: number, length: number): void {
		if (
			!(
				Number.isSafeInteger(offset) &&
				offset >= 0 &&
				Number.isSafeInteger(length) &&
				length >= 0 &&
				length <= this.size - offset
			)
		) {
			throw new GomapgrowError("E-BIN-TRUNCATED", {
				wanted: `${length} bytes at offset ${offset} of ${this.path}`,
				found: `a file of ${this.size} bytes`,
			});
		}
		if (length > LONGEST_READ) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `at most ${LONGEST_READ} bytes at once of ${this.path}`,
				found: `a structure of ${length} bytes at offset ${offset}`,
			});
		}
	}

	close(): void {
		if (!this.open) return;
		this.open = false;
		this.pages.clear();
		closeSync(this.fd);
	}

	trim(): void {
		this.pages.clear();
	}

	private page(number: number): Uint8Array {
		const cached = this.pages.get(number);
		if (cached !== undefined) {
			this.pages.delete(number);
			this.pages.set(number, cached);
			return cached;
		}
		const start = number * PAGE;
		const bytes = this.load(start, Math.min(PAGE, this.size - start));
		if (this.pages.size >= CACHED_PAGES) {
			for (const oldest of this.pages.keys()) {
				this.pages.delete(oldest);
				break;
			}
		}
		this.pages.set(number, bytes);
		return bytes;
	}

	private load(offset: number, length: number): Uint8Array {
		const bytes = new Uint8Array(length);
		this.fill(offset, bytes);
		return bytes;
	}

	private fill(offset: number, target: Uint8Array): void {
		if (!this.open) throw new GomapgrowError("E-INTERNAL", { wanted: `to read ${this.path}`, found: "it closed" });
		const { length } = target;
		for (let done = 0; done < length; ) {
			let n: number;
			try {
				n = readSync(this.fd, target, done, length - done, offset + done);
			} catch (error) {
				throw new GomapgrowError("E-IO", {
					wanted: `to read ${length} bytes at offset ${offset} of ${this.path}`,
					found: errnoCode(error) ?? String(error),
					cause: error,
				});
			}
			// The file has been cut since it was opened.
			if (n === 0) {
				throw new GomapgrowError("E-BIN-TRUNCATED", {
					wanted: `${length} bytes at offset ${offset} of ${this.path}`,
					found: `its end at ${offset + done}, though it had ${this.size} bytes when it was opened`,
				});
			}
			done += n;
		}
	}
}

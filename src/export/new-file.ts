/** A file whose whole text is written at the end of an observation, but which is opened at its beginning. */
import { closeSync, existsSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";

export class NewFile {
	readonly #path: string;
	readonly #created: boolean;
	#fd: number | undefined;
	#written = false;
	#failure: string | undefined;

	/** Creates it, so that a name that cannot be written is found out now. An existing file stays as it is until `write`. Throws E-IO. */
	constructor(path: string) {
		this.#path = path;
		this.#created = !existsSync(path);
		try {
			this.#fd = openSync(path, "a", 0o644);
		} catch (error) {
			throw new GomapgrowError("E-IO", {
				wanted: `to write ${path}`,
				found: errnoCode(error) ?? String(error),
				cause: error,
			});
		}
	}

	/** What went wrong in writing. */
	get failure(): string | undefined {
		return this.#failure;
	}

	/** Replaces what is in it. */
	write(text: string): void {
		if (this.#fd === undefined) return;
		this.#written = true;
		const bytes = Buffer.from(text);
		try {
			truncate(this.#fd);
			for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
		} catch (error) {
			this.#failure = `${errnoCode(error) ?? String(error)} writing ${this.#path}`;
		}
	}

	/** Removes it when it is new and nothing was to be written. */
	close(): void {
		if (this.#fd === undefined) return;
		closeSync(this.#fd);
		this.#fd = undefined;
		if (this.#created && !this.#written) rmSync(this.#path, { force: true });
	}
}

/** A pipe or device has no length to cut. */
function truncate(fd: number): void {
	try {
		ftruncateSync(fd, 0);
	} catch (error) {
		if (errnoCode(error) !== "EINVAL") throw error;
	}
}

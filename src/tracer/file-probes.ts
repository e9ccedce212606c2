/**
 * Probes of files: of an executable that many processes execute one after the other the instructions are probed once, in
 * all of them, and the kernel programs know whose hits count (bpf/sites.h, site_of_file).
 */
import type { Closings, UprobeLink } from "../kernel/uprobe-link.ts";
import type { Executable } from "./executable.ts";

/** Files that nobody executes at the moment stay probed up to this many: a build executes the same compiler hundreds of times. */
const MAX_IDLE = 32;

interface FileLink {
	link: UprobeLink;
	/** Processes whose calls it is attached for. */
	users: number;
}

/** The probes of one file, by stream and part. */
export class FileProbes {
	/** From 1 on. */
	readonly number: number;
	readonly #executable: Executable;
	readonly #links = new Map<string, FileLink>();
	/** Processes that execute it. */
	users = 0;

	/** Takes over one use of the executable. */
	constructor(number: number, executable: Executable) {
		this.number = number;
		this.#executable = executable;
	}

	/** For one process more; `attach` makes the link for the first one. */
	use(key: string, attach: () => UprobeLink): void {
		const known = this.#links.get(key);
		if (known === undefined) this.#links.set(key, { link: attach(), users: 1 });
		else known.users++;
	}

	/** For one less. `ended`: the process has ended; the link stays for those that come. */
	leave(key: string, closings: Closings, ended: boolean): void {
		const known = this.#links.get(key);
		if (known === undefined) return;
		known.users--;
		if (known.users === 0 && !ended) this.#close(key, known, closings);
	}

	#close(key: string, { link }: FileLink, closings: Closings): void {
		link.destroyLater(closings);
		this.#links.delete(key);
	}

	/** Closes the links of a part, or all. */
	closeLinks(closings: Closings, part = ""): void {
		for (const [key, link] of this.#links) if (key.endsWith(part)) this.#close(key, link, closings);
	}

	close(closings: Closings): void {
		this.closeLinks(closings);
		this.#executable.release();
	}
}

/** Those of all files; the ones that nobody executes are closed when there are too many. */
export class ProbedFiles {
	/** Used last at the end. */
	readonly #files = new Map<Executable, FileProbes>();
	readonly #closings: Closings;
	#numbers = 0;

	constructor(closings: Closings) {
		this.#closings = closings;
	}

	/** For one process more that executes it. */
	use(executable: Executable): FileProbes {
		const known = this.#files.get(executable) ?? new FileProbes(++this.#numbers, executable.share());
		this.#files.delete(executable);
		this.#files.set(executable, known);
		known.users++;
		return known;
	}

	/** For one less. */
	leave(file: FileProbes): void {
		file.users--;
		const idle = [...this.#files].filter(([, { users }]) => users === 0);
		for (const [executable, oldest] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE))) {
			oldest.close(this.#closings);
			this.#files.delete(executable);
		}
	}

	closeLinks(part: string): void {
		for (const file of this.#files.values()) file.closeLinks(this.#closings, part);
	}

	close(): void {
		for (const file of this.#files.values()) file.close(this.#closings);
		this.#files.clear();
	}
}

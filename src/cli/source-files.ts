/**
 * Source files that paths in a binary point to. Path and line come from an untrusted binary, and the command may run with
 * more rights than its caller: a file is read only if it lies below a folder, is a regular .go file, is not too large, and
 * the caller could read it without our rights.
 */
import {
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	openSync,
	readlinkSync,
	readSync,
	realpathSync,
	type Stats,
} from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isPatchable } from "../advise/patch.ts";
import { GomapgrowError } from "../errors/error.ts";

const MAX_BYTES = 8 << 20;
/** Folders of a path that are left out, one after the other, until it is found below the folder. */
const MAX_SUFFIXES = 64;
/** Files that are kept, and their bytes. */
const MAX_FILES = 256;
const MAX_TOTAL_BYTES = 64 << 20;

export interface SourceFile {
	/** Real path, and relative to the folder. */
	path: string;
	relative: string;
	text: string;
}

/** Who has started the command: sudo's caller where there is one. */
export interface Caller {
	uid: number;
	groups: ReadonlySet<number>;
}

/** Of this process. */
export function caller(env: Readonly<Record<string, string | undefined>> = process.env): Caller {
	const uid = process.getuid?.() ?? 0;
	const [sudoUid, sudoGid] = [idOf(env.SUDO_UID), idOf(env.SUDO_GID)];
	if (uid === 0 && sudoUid !== undefined)
		return { uid: sudoUid, groups: new Set(sudoGid === undefined ? [] : [sudoGid]) };
	return { uid, groups: new Set([process.getgid?.() ?? 0, ...(process.getgroups?.() ?? [])]) };
}

function idOf(text: string | undefined): number | undefined {
	return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** By the mode bits; one who is root may everything. */
function may({ uid, groups }: Caller, { mode, uid: owner, gid }: Stats, bit: 4 | 1): boolean {
	if (uid === 0) return true;
	if (uid === owner) return (mode & (bit << 6)) !== 0;
	return (mode & (groups.has(gid) ? bit << 3 : bit)) !== 0;
}

export class SourceFiles {
	readonly #folder: string;
	readonly #caller: Caller;
	readonly #files = new Map<string, SourceFile | string>();
	#bytes = 0;

	/** Throws E-IO when the folder is none. */
	constructor(folder: string, who: Caller = caller()) {
		try {
			this.#folder = realpathSync(folder);
			if (!lstatSync(this.#folder).isDirectory()) throw new Error("it is no folder");
		} catch (error) {
			const found = error instanceof Error ? error.message : String(error);
			throw new GomapgrowError("E-IO", {
				wanted: `a folder with sources: ${JSON.stringify(folder)}`,
				found,
				cause: error,
			});
		}
		this.#caller = who;
	}

	get folder(): string {
		return this.#folder;
	}

	/** The file that a binary names so, or why it is not read. `module`: path of the main module, with which -trimpath begins names. */
	find(file: string, module: string | undefined): SourceFile | string {
		const known = this.#files.get(file);
		if (known !== undefined) return known;
		const found = this.#look(file, module);
		if (this.#files.size < MAX_FILES) this.#files.set(file, found);
		return found;
	}

	#look(file: string, module: string | undefined): SourceFile | string {
		if (!file.endsWith(".go")) return "it is no .go file";
		const parts = file.split("/").filter((part) => part !== "");
		if (!isPatchable(parts.join("/"))) return "its path is not one that is followed";
		const prefix = module === undefined ? [] : module.split("/");
		const inModule = prefix.length > 0 && prefix.every((part, index) => parts[index] === part);
		const candidates = [
			...(file.startsWith("/") ? [file] : []),
			...(inModule ? [join(this.#folder, ...parts.slice(prefix.length))] : []),
			...parts.slice(0, MAX_SUFFIXES).map((_, index) => join(this.#folder, ...parts.slice(index))),
		];
		let reason = `it is not below ${this.#folder}`;
		for (const candidate of candidates) {
			const result = this.#read(candidate);
			if (typeof result !== "string") return result;
			if (result !== "") reason = result;
		}
		return reason;
	}

	/** Empty: there is no such file below the folder. */
	#read(path: string): SourceFile | string {
		let real: string;
		try {
			real = realpathSync(path);
		} catch {
			return "";
		}
		if (!real.startsWith(this.#folder === sep ? sep : this.#folder + sep)) return "";
		if (!real.endsWith(".go")) return "it is no .go file";
		try {
			const before = lstatSync(real);
			if (!before.isFile()) return "it is no regular file";
			if (!this.#mayReach(real) || !may(this.#caller, before, 4)) return "you may not read it";
			return this.#readRegular(real, before);
		} catch (error) {
			return error instanceof Error ? error.message : String(error);
		}
	}

	#mayReach(real: string): boolean {
		for (let folder = dirname(real); ; folder = dirname(folder)) {
			if (!may(this.#caller, lstatSync(folder), 1)) return false;
			if (folder === dirname(folder)) return true;
		}
	}

	/** It may have been replaced since it was looked at. */
	#readRegular(real: string, { dev, ino }: Stats): SourceFile | string {
		const fd = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		try {
			const stats = fstatSync(fd);
			const same = stats.dev === dev && stats.ino === ino && readlinkSync(`/proc/self/fd/${fd}`) === real;
			if (!stats.isFile() || !same) return "it changed while it was looked at";
			if (stats.size > MAX_BYTES) return `it is larger than ${MAX_BYTES >> 20} MiB`;
			if (this.#bytes + stats.size > MAX_TOTAL_BYTES) return "too many sources";
			const bytes = Buffer.alloc(stats.size);
			let length = 0;
			for (let got = 1; got > 0 && length < bytes.length; length += got)
				got = readSync(fd, bytes, length, bytes.length - length, length);
			this.#bytes += length;
			const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
			return { path: real, relative: relative(this.#folder, resolve(real)), text };
		} finally {
			closeSync(fd);
		}
	}
}

/** Attaches one of the BPF programs to instructions of one process, and detaches it. */
import { type Pointer, ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { forbiddenError, readConfinement } from "./confinement.ts";
import { ERRNO, errnoName } from "./errno.ts";
import type { AttachMode } from "./features.ts";
import { cstring, type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import { errno } from "./libc.ts";

export interface AttachSite {
	/** Site number: the attach cookie. */
	index: number;
	/** Offset of the instruction in the executable file. */
	fileOffset: number;
}

/** In place of a PID: a link for all processes that execute the file. */
export const EVERY_PROCESS = -1;

/** Why an instruction of the file at `path` could not be probed. */
export function attachError(path: string, code: number): GomapgrowError {
	// Of a process that has ended /proc/PID/exe leads nowhere.
	if (code === ERRNO.ESRCH || (code === ERRNO.ENOENT && path.startsWith("/proc/"))) {
		return new GomapgrowError("E-TARGET-GONE", {
			wanted: "a running process to attach to",
			found: "it ended before it could be probed",
		});
	}
	if (code === ERRNO.EPERM || code === ERRNO.EACCES || code === ERRNO.ENOSYS) {
		const found = errnoName(code);
		const confinement = readConfinement();
		// Without a filter a missing call is not there.
		if (code !== ERRNO.ENOSYS || confinement.seccomp.includes("perf_event_open"))
			return forbiddenError({ call: "perf_event_open", wanted: `to attach uprobes to ${path}`, found, confinement });
	}
	return new GomapgrowError("E-HOST-UPROBE", {
		wanted: `to attach uprobes to ${path}`,
		found: errnoName(code),
		mend: "gomapgrow doctor",
	});
}

/** A loaded BPF object. */
export interface LoadedPrograms {
	readonly mode: AttachMode;
	program(name: string): Pointer;
}

/** One program on a set of sites of one process. All threads of the process are seen, other processes are not touched, unless it is for EVERY_PROCESS. */
export class UprobeLink {
	readonly #lib: Libbpf = libbpf();
	readonly #mode: AttachMode;
	#links: Pointer[] = [];

	/** `path`: the executable as we can open it (usually /proc/PID/exe). Throws E-HOST-CAPS, E-HOST-UPROBE or E-TARGET-GONE; nothing stays attached then. */
	constructor(object: LoadedPrograms, program: string, pid: number, path: string, sites: readonly AttachSite[]) {
		const handle = object.program(program);
		this.#mode = object.mode;
		const cpath = cstring(path);
		try {
			if (object.mode === "multi") this.#attachMulti(handle, pid, cpath, path, sites);
			else for (const site of sites) this.#attachPerf(handle, pid, cpath, path, site, object.mode === "perf-cookie");
		} catch (error) {
			this.destroy();
			throw error;
		}
	}

	/** struct bpf_uprobe_multi_opts (libbpf.h 1.5). */
	#attachMulti(program: Pointer, pid: number, cpath: Buffer, path: string, sites: readonly AttachSite[]): void {
		const offsets = new BigUint64Array(new ArrayBuffer(8 * sites.length));
		const cookies = new BigUint64Array(new ArrayBuffer(8 * sites.length));
		sites.forEach((site, i) => {
			offsets[i] = BigInt(site.fileOffset);
			cookies[i] = BigInt(site.index);
		});
		const options = new Uint8Array(new ArrayBuffer(56));
		const view = new DataView(options.buffer);
		view.setBigUint64(0, 56n, true);
		view.setBigUint64(16, BigInt(ptr(offsets)), true);
		view.setBigUint64(32, BigInt(ptr(cookies)), true);
		view.setBigUint64(40, BigInt(sites.length), true);
		const link = pointerOrNull(this.#lib.bpf_program__attach_uprobe_multi(program, pid, cpath, null, options));
		if (link === null) throw attachError(path, errno());
		this.#links.push(link);
	}

	/** struct bpf_uprobe_opts (libbpf.h 1.5). */
	#attachPerf(program: Pointer, pid: number, cpath: Buffer, path: string, site: AttachSite, cookie: boolean): void {
		const options = new Uint8Array(new ArrayBuffer(24));
		const view = new DataView(options.buffer);
		view.setBigUint64(0, 24n, true);
		if (cookie) view.setBigUint64(16, BigInt(site.index), true);
		const link = pointerOrNull(
			this.#lib.bpf_program__attach_uprobe_opts(program, pid, cpath, site.fileOffset, options),
		);
		if (link === null) throw attachError(path, errno());
		this.#links.push(link);
	}

	/** Detaches and waits until no program of this link runs any more. */
	destroy(): void {
		for (const link of this.#links) this.#lib.bpf_link__destroy(link);
		this.#links = [];
	}

	/**
	 * Detaches: no hit comes any more. The wait until no program runs any more, tens of milliseconds, is left to `closings`, where the kernel has one link
	 * for all probes.
	 */
	destroyLater(closings: Closings): void {
		if (this.#mode !== "multi") {
			this.destroy();
			return;
		}
		for (const link of this.#links) {
			const fd = this.#lib.bpf_link__fd(link);
			this.#lib.bpf_link__disconnect(link);
			this.#lib.bpf_link__destroy(link);
			closings.add(fd);
		}
		this.#links = [];
	}
}

/** Descriptors that are being closed (native/close-later.c). */
export class Closings {
	readonly #lib: Libbpf = libbpf();
	/** struct closing */
	#open: Uint8Array[] = [];

	add(fd: number): void {
		const closing = new Uint8Array(new ArrayBuffer(16));
		// Without a process for it we wait ourselves.
		if (this.#lib.gmg_close_later(fd, closing) === 0) this.#open.push(closing);
		else closeSync(fd);
	}

	/** Lets go of those that are closed; `wait`: of all. Returns how many are left. */
	reap(wait = false): number {
		this.#open = this.#open.filter((closing) => this.#lib.gmg_closed(closing, wait ? 1 : 0) === 0);
		return this.#open.length;
	}
}

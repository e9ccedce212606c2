/** Follows what processes start (bpf/follow.h): who executes what, who is stopped until its probes are attached, who ends. */
import type { Pointer } from "bun:ffi";
import { closeSync, read } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { type BpfObject, type FollowProgram, type MapName, TRACEPOINTS } from "./bpf-object.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { cstring, executableLibrary, type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import { errno } from "./libc.ts";
import { FOLLOW_COUNT, FOLLOW_RING_BYTES, FOLLOWED, FOLLOWED_KIND, MEMBER, readU64 } from "./wire.ts";

/** A file as the kernel knows it (struct gmg_file): opaque. */
export type FileKey = Uint8Array;

export type Followed =
	/** `pid`: 0 where the kernel numbers it in another PID namespace than ours. */
	| { kind: "fork"; pid: number; parent: number }
	/**
	 * `tree`: number in the first PID namespace. `held`: stopped until `resume`. `other`: the file is known not to be
	 * for us. `timeNs`: monotonic clock.
	 */
	| { kind: "exec"; pid: number; tree: number; held: boolean; other: boolean; file: FileKey; timeNs: number }
	/** `status`: as of wait(2); undefined where it is not known. */
	| { kind: "exit"; pid: number; status: number | undefined };

/** Where the sites of a process begin, and of which file. */
export interface MemberSites {
	base: number;
	file: number;
	/** Of the file that it is about to execute. */
	expected?: boolean;
}

const BATCH_BYTES = 16 << 10;
/** Before each record in a batch stands its length in bytes, in eight bytes (native/ring.c). */
const LENGTH_BYTES = 8;
const NO_FILE: MemberSites = { base: 0, file: 0 };

export class Follower {
	readonly #lib: Libbpf = libbpf();
	readonly #object: BpfObject;
	readonly #links: Pointer[] = [];
	readonly #buffer = new ArrayBuffer(BATCH_BYTES);
	readonly #bytes = new Uint8Array(this.#buffer);
	readonly #view = new DataView(this.#buffer);
	readonly #holds: boolean;
	#ring: Pointer | null;
	#watchman: { pid: number; wake: number } | undefined;

	/**
	 * `holds`: processes are stopped when they execute a file. Throws E-HOST-BPF, E-HOST-RINGBUF; nothing stays
	 * attached then.
	 */
	constructor(object: BpfObject, holds: boolean) {
		this.#object = object;
		this.#holds = holds;
		this.#ring = pointerOrNull(this.#lib.gmg_ring_open(object.mapFd("follow_events"), FOLLOW_RING_BYTES));
		if (this.#ring === null)
			throw new GomapgrowError("E-HOST-RINGBUF", { wanted: "to map the BPF ring buffer", found: errnoName(errno()) });
		try {
			this.#startWatchman();
			this.#setHolding(holds);
			for (const [program, tracepoint] of Object.entries(TRACEPOINTS))
				this.#attach(program as FollowProgram, tracepoint);
		} catch (error) {
			this.close();
			throw error;
		}
	}

	#attach(program: FollowProgram, tracepoint: string): void {
		const link = pointerOrNull(
			this.#lib.bpf_program__attach_raw_tracepoint(this.#object.program(program), cstring(tracepoint)),
		);
		if (link === null) {
			throw new GomapgrowError("E-HOST-BPF", {
				wanted: `to attach to the tracepoint sched:${tracepoint}`,
				found: errnoName(errno()),
			});
		}
		this.#links.push(link);
	}

	#startWatchman(): void {
		const program = executableLibrary();
		if (program < 0) throw noWatchman(errnoName(program));
		/** struct watchman of native/watchman.c */
		const man = new Int32Array(new ArrayBuffer(28));
		man.set([this.#object.mapFd("held"), this.#object.mapFd("follow_events"), -1, -1]);
		man.set([this.#object.mapFd("holding"), program, -1], 4);
		const pid = this.#lib.gmg_watchman(man);
		closeSync(program);
		if (pid < 0) throw noWatchman(errnoName(pid));
		this.#watchman = { pid, wake: man[6] ?? -1 };
		if (this.#ended()) throw noWatchman("a file in memory may not be executed (vm.memfd_noexec)");
	}

	/** Whether the watchman has ended: then nobody may be stopped. */
	#ended(): boolean {
		if (this.#watchman === undefined) return true;
		return this.#lib.gmg_wait(this.#watchman.pid, new Int32Array(new ArrayBuffer(4))) !== 0;
	}

	/** Calls back whenever there is something to `drain`, until `close`. */
	onNews(callback: () => void): void {
		const wake = this.#watchman?.wake;
		if (wake === undefined) return;
		const bytes = new Uint8Array(64);
		const next = (): void =>
			read(wake, bytes, 0, bytes.length, null, (error, length) => {
				if (error !== null || length === 0 || this.#watchman === undefined) {
					closeSync(wake);
					return;
				}
				callback();
				next();
			});
		next();
	}

	#setHolding(on: boolean): void {
		this.#update("holding", u32(0), u32(on ? 1 : 0));
	}

	/** Gives what has happened, in order. Throws E-HOST-RINGBUF. */
	drain(visit: (followed: Followed) => void): void {
		if (this.#ring === null) return;
		for (;;) {
			const length = this.#lib.gmg_ring_drain(this.#ring, this.#bytes, BATCH_BYTES);
			if (length < 0)
				throw new GomapgrowError("E-HOST-RINGBUF", {
					wanted: "to read the BPF ring buffer",
					found: errnoName(length),
				});
			if (length === 0) return;
			for (let at = 0; at < length; ) {
				const size = this.#view.getUint32(at, true);
				const followed = decode(new DataView(this.#buffer, at + LENGTH_BYTES, size));
				if (followed !== undefined) visit(followed);
				at += LENGTH_BYTES + Math.ceil(size / 8) * 8;
			}
		}
	}

	/** We are there again: processes are stopped again, where the watchman had to let some go. */
	attend(): void {
		if (this.#holds) this.#setHolding(!this.#ended());
	}

	/** The tree begins with this process, by our numbers. */
	addRoot(pid: number, sites: MemberSites = NO_FILE): void {
		this.#update("roots", u32(pid), member(sites));
	}

	/** A process that has executed a file has sites. `tree`: as of its exec. */
	setSites(tree: number, sites: MemberSites): void {
		this.#update("tree", u32(tree), member(sites));
	}

	/** This file is not for us: who executes it is not stopped. */
	ignore(file: FileKey): void {
		this.#update("other_files", file, u32(1));
	}

	/** Lets a stopped process go. Returns whether it was stopped until now: another one may have let it go. */
	resume(pid: number): boolean {
		const code = this.#lib.bpf_map_delete_elem(this.#object.mapFd("held"), u32(pid));
		if (code !== 0) return false;
		try {
			process.kill(pid, "SIGCONT");
		} catch (error) {
			// It has been killed meanwhile.
			if ((error as { code?: unknown }).code !== "ESRCH") throw error;
		}
		return true;
	}

	/** What was counted on the way. */
	counts(): Record<keyof typeof FOLLOW_COUNT, number> {
		const value = new Uint8Array(new ArrayBuffer(8));
		const fd = this.#object.mapFd("follow_counts");
		const count = (key: number): number => {
			const code = this.#lib.bpf_map_lookup_elem(fd, u32(key), value);
			if (code !== 0)
				throw new GomapgrowError("E-HOST-BPF", { wanted: "to read follow_counts", found: errnoName(code) });
			return readU64(new DataView(value.buffer), 0);
		};
		const { executed, lost, untracked } = FOLLOW_COUNT;
		return { executed: count(executed), lost: count(lost), untracked: count(untracked) };
	}

	#update(map: MapName, key: Uint8Array, value: Uint8Array): void {
		const code = this.#lib.bpf_map_update_elem(this.#object.mapFd(map), key, value, 0);
		if (code !== 0 && code !== -ERRNO.ENOENT)
			throw new GomapgrowError("E-HOST-BPF", { wanted: `to write the BPF map "${map}"`, found: errnoName(code) });
	}

	/** Nobody is stopped any more. Can be called twice. */
	close(): void {
		for (const link of this.#links.splice(0)) this.#lib.bpf_link__destroy(link);
		if (this.#ring !== null) {
			this.drain((followed) => {
				if (followed.kind === "exec" && followed.held) this.resume(followed.pid);
			});
			this.#lib.gmg_ring_close(this.#ring);
			this.#ring = null;
		}
		const watchman = this.#watchman;
		this.#watchman = undefined;
		if (watchman === undefined) return;
		process.kill(watchman.pid, "SIGKILL");
		while (this.#lib.gmg_wait(watchman.pid, new Int32Array(new ArrayBuffer(4))) === 0) Bun.sleepSync(1);
	}
}

function noWatchman(found: string): GomapgrowError {
	return new GomapgrowError("E-HOST-BPF", { wanted: "to start a process that lets stopped ones go", found });
}

function u32(value: number): Uint8Array {
	const bytes = new Uint8Array(new ArrayBuffer(4));
	new DataView(bytes.buffer).setUint32(0, value, true);
	return bytes;
}

function member({ base, file, expected }: MemberSites): Uint8Array {
	const bytes = new Uint8Array(new ArrayBuffer(MEMBER.size));
	const view = new DataView(bytes.buffer);
	view.setUint32(MEMBER.base, base, true);
	view.setUint32(MEMBER.file, file, true);
	view.setUint32(MEMBER.flags, expected === true ? MEMBER.expected : MEMBER.reported, true);
	return bytes;
}

/** Undefined for a record of a kind that is not known. */
function decode(view: DataView): Followed | undefined {
	if (view.byteLength < FOLLOWED.size) return undefined;
	const pid = view.getUint32(FOLLOWED.tgid, true);
	switch (view.getUint32(FOLLOWED.kind, true)) {
		case FOLLOWED_KIND.fork:
			return { kind: "fork", pid, parent: view.getUint32(FOLLOWED.parent, true) };
		case FOLLOWED_KIND.exec: {
			const file = new Uint8Array(new ArrayBuffer(FOLLOWED.fileBytes));
			file.set(new Uint8Array(view.buffer, view.byteOffset + FOLLOWED.file, FOLLOWED.fileBytes));
			const held = view.getUint8(FOLLOWED.held) === 1;
			const other = view.getUint8(FOLLOWED.other) === 1;
			const timeNs = readU64(view, FOLLOWED.timeNs);
			return { kind: "exec", pid, tree: view.getUint32(FOLLOWED.tree, true), held, other, file, timeNs };
		}
		case FOLLOWED_KIND.exit: {
			const known = view.getUint8(FOLLOWED.hasStatus) === 1;
			return { kind: "exit", pid, status: known ? view.getUint32(FOLLOWED.status, true) : undefined };
		}
	}
	return undefined;
}

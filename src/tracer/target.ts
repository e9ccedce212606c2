/** One process under observation: what it executes and where that was loaded. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import type { KnownMap, MapState } from "../gomap/map-state.ts";
import type { CodeRange } from "../gomap/wrappers.ts";
import { type MemoryRange, ProcessMemory } from "../kernel/process-memory.ts";
import type { PlannedProbe, ProbePlan } from "../plan/probe-plan.ts";
import type { Container } from "../process/containers.ts";
import { openFileBytes } from "../process/file-bytes.ts";
import { readLoadBias } from "../process/load-bias.ts";
import { exeInode, exePath } from "../process/procfs.ts";
import type { StackDecoder } from "./decode/stacks.ts";
import type { MapTypes } from "./decode/type-names.ts";
import type { Executable } from "./executable.ts";
import { readLiveMaps } from "./live-maps.ts";
import { proveProbes } from "./prove-probes.ts";

export interface TargetIdentity {
	pid: number;
	/** Short name: the process's comm, or the base name of the command. */
	name: string;
	/** Path of the executable as the user knows it. */
	exe: string;
	/** Path under which we open it and the kernel attaches to it: /proc/PID/exe of a running process. */
	openPath: string;
	/** Absent outside of containers. */
	container?: Container;
	/** Argument list; absent where it is not known. */
	command?: readonly string[];
	/** Of a process that is followed: its number in the first PID namespace, or "root" for one that the tree begins with. */
	member?: number | "root";
}

/** Looks at a command whose code cannot be read: its file may be on its way into memory. */
const MAX_LOOKS = 10;
/** How many process images there have been. */
let images = 0;

export class Target {
	readonly identity: TargetIdentity;
	readonly #executable: Executable;
	#closed = false;
	#bias: number | undefined;
	#image = ++images;
	#unproven: string | undefined;
	/** What remains of the looks at a command that has not been executed yet, or cannot be read. */
	#looks = 0;

	/** Takes over one use of the executable. */
	constructor(identity: TargetIdentity, executable: Executable) {
		this.identity = identity;
		this.#executable = executable;
		// Linked to a fixed address: nothing to learn.
		if (!this.binary.pie) this.#bias = 0;
		// A command that has not been executed yet is opened by its path.
		if (identity.openPath !== exePath(identity.pid)) this.#looks = MAX_LOOKS;
	}

	get binary(): GoBinary {
		return this.#executable.binary;
	}

	get executable(): Executable {
		return this.#executable;
	}

	get plan(): ProbePlan {
		return this.#executable.plan;
	}

	get types(): MapTypes {
		return this.#executable.types;
	}

	/** Code through which others use maps; addresses in the file. */
	get wrappers(): readonly CodeRange[] {
		return this.#executable.wrappers();
	}

	get stacks(): StackDecoder {
		return this.#executable.stacks;
	}

	/**
	 * Number of the process image: no two have the same, whichever their PIDs are. A process that executes the same file
	 * once more has another one, as soon as that is noticed.
	 */
	get image(): number {
		return this.#image;
	}

	/**
	 * Compares the bytes at every site with the file as it is now: the plan may have been made before the file was rewritten in
	 * place. Throws E-BIN-CHANGED.
	 */
	checkSites(): void {
		const now = openFileBytes(this.identity.openPath);
		try {
			const planned = this.#executable.file.identity;
			if (now.identity.dev !== planned.dev || now.identity.ino !== planned.ino)
				throw this.#changed("another file in its place");
			for (const { fn, site, exits } of this.plan.probes) {
				for (const { fileOffset, bytes } of [site, ...exits]) {
					if (!Buffer.from(now.read(fileOffset, bytes.length)).equals(Buffer.from(bytes))) {
						throw this.#changed(`other bytes at ${fn}`);
					}
				}
			}
		} finally {
			now.close();
		}
	}

	#changed(found: string): GomapgrowError {
		return new GomapgrowError("E-BIN-CHANGED", {
			wanted: `the executable ${this.identity.exe} as it was when its probes were planned`,
			found,
			advice: "run the command again",
		});
	}

	/** Load bias: run-time address minus address in the file. Undefined for a position-independent command that has not been executed yet. */
	get bias(): number | undefined {
		return this.#bias;
	}

	/** Reads the load bias of a running process from its mappings. Throws E-TARGET-GONE, E-TARGET-DENIED. */
	readBias(): void {
		this.#bias ??= readLoadBias(this.identity.pid, this.#executable.file.identity.ino, this.binary.elf);
	}

	/**
	 * A hit of `probe` at run-time address `ip` tells the load bias. Another one than before: the process has executed
	 * its file again.
	 */
	learnBias(probe: PlannedProbe, ip: number): number {
		if (!this.binary.pie) return 0;
		const bias = ip - probe.site.address;
		if (this.#bias !== undefined && this.#bias !== bias) this.#image = ++images;
		this.#bias = bias;
		return bias;
	}

	/** Why it is not certain that its probes are in its code; undefined when it is, or when it does not run yet. */
	get unproven(): string | undefined {
		return this.#unproven;
	}

	/** Whether that is still to be seen: a command has not been executed yet. */
	get awaitsProof(): boolean {
		return this.#looks > 0;
	}

	/**
	 * Makes sure that these probes, which have been attached, are in the code of a process that runs. Throws
	 * E-BIN-CHANGED, E-TARGET-GONE.
	 */
	proveProbes(probes: readonly PlannedProbe[]): void {
		try {
			if (this.awaitsProof && !this.#hasStarted()) return;
			this.#prove(probes);
		} catch (error) {
			if (!(error instanceof GomapgrowError && /^E-(TARGET-DENIED|IO)$/.test(error.code))) throw error;
			this.#unproven = "not proven that all calls are seen: the memory of the process may not be read";
			this.#looks = 0;
		}
	}

	/** Whether a command has been executed by now. */
	#hasStarted(): boolean {
		const now = exeInode(this.identity.pid);
		const { dev, ino } = this.#executable.file.identity;
		if (now.dev !== dev || now.ino !== ino) return false;
		this.#looks--;
		this.readBias();
		return true;
	}

	#prove(probes: readonly PlannedProbe[]): void {
		const { pid, exe } = this.identity;
		const { bias, binary } = this;
		if (bias === undefined) return;
		const memory = new ProcessMemory(pid);
		const read = (ranges: readonly MemoryRange[]): (Uint8Array | undefined)[] => memory.read(ranges);
		this.#unproven = proveProbes({ pid, exe, probes, bias, arch: binary.arch, read });
		if (this.#unproven === undefined) this.#looks = 0;
	}

	/** What these maps of its are now; undefined where one is not there any more, or cannot be read. */
	readMaps(maps: readonly KnownMap[]): (MapState | undefined)[] {
		const memory = new ProcessMemory(this.identity.pid);
		return readLiveMaps({ binary: this.binary, types: this.types, read: (ranges) => memory.read(ranges) }, maps);
	}

	/** Can be called twice. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#executable.release();
	}
}

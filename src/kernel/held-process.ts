/** A command that has been started but waits before its execve, so that probes are in place before its first instruction. */
import { GomapgrowError } from "../errors/error.ts";
import { errnoName } from "./errno.ts";
import { cstring, type Libbpf, libbpf } from "./libbpf.ts";

export interface HeldCommand {
	/** Executable file. */
	path: string;
	argv: readonly string[];
	env: Readonly<Record<string, string | undefined>>;
	/** Descriptor that becomes the command's standard output: 1, or 2 when the records own standard output. */
	stdoutFd: number;
	/** Soft RLIMIT_NOFILE to give the command; 0 leaves ours. */
	nofileSoft: number;
}

/** How a process ended: its exit code, or the signal that killed it. */
export type ExitStatus = { code: number } | { signal: number };

/** The exit code that a shell would report: 128 + n for signal n. */
export function shellExitCode(status: ExitStatus): number {
	return "code" in status ? status.code : 128 + status.signal;
}

export class HeldProcess {
	readonly pid: number;
	readonly #lib: Libbpf = libbpf();
	/** struct held of native/spawn.c */
	readonly #held = new Int32Array(new ArrayBuffer(12));
	readonly #status = new Int32Array(new ArrayBuffer(4));
	readonly #path: string;
	#ended: ExitStatus | undefined;

	constructor(command: HeldCommand) {
		this.#path = command.path;
		const env = Object.entries(command.env).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
		const block = Buffer.from([...command.argv, ...env].map((text) => `${text}\0`).join(""));
		const strings = new Uint8Array(new ArrayBuffer(block.length + 1));
		strings.set(block);
		const code = this.#lib.gmg_spawn_held(
			cstring(command.path),
			strings,
			command.argv.length,
			env.length,
			command.stdoutFd,
			command.nofileSoft,
			this.#held,
		);
		if (code !== 0) {
			throw new GomapgrowError("E-TARGET-EXEC", { wanted: `to start ${command.path}`, found: errnoName(code) });
		}
		this.pid = this.#held[0] ?? 0;
	}

	/** Lets the command run. Throws E-TARGET-EXEC when the kernel refuses to execute it. */
	release(): void {
		const code = this.#lib.gmg_spawn_release(this.#held);
		if (code === 0) return;
		throw new GomapgrowError("E-TARGET-EXEC", { wanted: `to execute ${this.#path}`, found: errnoName(code) });
	}

	/** Ends a command that was never released. */
	abandon(): void {
		this.#lib.gmg_spawn_abandon(this.#held);
	}

	/** How the command ended; undefined while it runs. Does not block. */
	poll(): ExitStatus | undefined {
		if (this.#ended) return this.#ended;
		const code = this.#lib.gmg_wait(this.pid, this.#status);
		if (code < 0)
			throw new GomapgrowError("E-INTERNAL", {
				wanted: `the exit status of process ${this.pid}`,
				found: errnoName(code),
			});
		if (code === 0) return undefined;
		const raw = this.#status[0] ?? 0;
		const signal = raw & 0x7f; // WTERMSIG
		this.#ended = signal === 0 ? { code: (raw >> 8) & 0xff } : { signal };
		return this.#ended;
	}
}

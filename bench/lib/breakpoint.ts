/** Whether a probe is in a process: asked of the process's memory, so that no tracer has to be believed. */
import { ProcessMemory } from "../../src/kernel/process-memory.ts";

const INT3 = 0xcc;
const POLL_MS = 1;
const PATIENCE_MS = 30_000;

export class Breakpoint {
	readonly address: number;
	readonly #memory: ProcessMemory;

	/** `address`: run-time address of the probed instruction. */
	constructor(pid: number, address: number) {
		this.address = address;
		this.#memory = new ProcessMemory(pid);
	}

	isIn(): boolean {
		return this.#memory.read([{ address: this.address, length: 1 }])[0]?.[0] === INT3;
	}

	/** Waits until it is in, or out. */
	async wait(wanted: boolean): Promise<void> {
		const start = performance.now();
		while (this.isIn() !== wanted) {
			if (performance.now() - start > PATIENCE_MS)
				throw new Error(`no probe was put ${wanted ? "in" : "out"} at 0x${this.address.toString(16)}`);
			await Bun.sleep(POLL_MS);
		}
	}
}

/** gomapgrow or bpftrace in a process of its own, and how long it takes to begin and to end. */
import type { Breakpoint } from "./breakpoint.ts";

export interface Ending {
	/** From the signal until the probe is out, and until the tracer has ended. */
	detachedMs: number;
	endedMs: number;
}

export class Tracer {
	readonly #name: string;
	readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
	readonly #probe: Breakpoint;
	readonly #started = performance.now();
	readonly #waiting: { part: string; found: (ms: number) => void }[] = [];
	readonly #errors: Promise<string>;
	#output = "";

	constructor(command: readonly string[], probe: Breakpoint) {
		this.#name = command[0] ?? "";
		this.#probe = probe;
		this.#process = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
		this.#errors = new Response(this.#process.stderr).text();
		process.on("exit", () => this.#process.kill("SIGKILL"));
		void this.#read();
	}

	/** What it prints is only looked for what is waited for. */
	async #read(): Promise<void> {
		const decoder = new TextDecoder();
		for await (const chunk of this.#process.stdout) {
			this.#output = this.#output.slice(-200) + decoder.decode(chunk, { stream: true });
			for (const waiting of this.#waiting.splice(0)) {
				if (this.#output.includes(waiting.part)) waiting.found(performance.now() - this.#started);
				else this.#waiting.push(waiting);
			}
		}
	}

	/** Milliseconds from its start until the probe is in. */
	async attached(): Promise<number> {
		await this.#or(this.#probe.wait(true));
		return performance.now() - this.#started;
	}

	/** Milliseconds from its start until it prints this. */
	async prints(part: string): Promise<number> {
		return await this.#or(new Promise<number>((found) => this.#waiting.push({ part, found })));
	}

	async #or<T>(event: Promise<T>): Promise<T> {
		const ended = this.#process.exited.then(async (code) => {
			throw new Error(`${this.#name} ended with ${code}: ${await this.#errors}`);
		});
		return await Promise.race([event, ended]);
	}

	async end(): Promise<Ending> {
		const signalled = performance.now();
		this.#process.kill("SIGINT");
		await this.#probe.wait(false);
		const detachedMs = performance.now() - signalled;
		await this.#process.exited;
		return { detachedMs, endedMs: performance.now() - signalled };
	}
}

/** An HTTP server with map-heavy handlers (test/programs/served) and a client that asks it as fast as it answers. */
import { join } from "node:path";
import { goRoot, goTool } from "./go-binaries.ts";
import { writeCountingOverlay } from "./overlay.ts";
import { Program } from "./processes.ts";

/** Compiles it with counters in its runtime. */
export function buildServed(version: string, folder: string): string {
	const overlay = writeCountingOverlay(goRoot(version), join(folder, `served-${version}`));
	const path = join(folder, `served-${version}`, "served");
	goTool(version, ["build", "-overlay", overlay, "-o", path, "./served"]);
	return path;
}

export class Server {
	readonly #path: string;
	readonly program: Program;
	#url = "";

	constructor(path: string) {
		this.#path = path;
		this.program = new Program([path, "serve"]);
	}

	get pid(): number {
		return this.program.pid;
	}

	async ready(): Promise<void> {
		this.#url = (await this.program.untilOutput(/"url":"([^"]+)"/, 60_000))[1] ?? "";
	}

	/** Calls of the growth functions so far, by the program's own counters. */
	async counts(): Promise<Record<string, number>> {
		return (await (await fetch(`${this.#url}/counts`)).json()) as Record<string, number>;
	}

	/** Requests a second that it answered. */
	async load(clients: number, seconds: number): Promise<number> {
		const client = new Program([this.#path, "load", this.#url, String(clients), `${seconds}s`]);
		const exit = await client.finish((seconds + 60) * 1000);
		const result = JSON.parse(client.stdout || "{}") as { requests?: number; failed?: number; seconds?: number };
		if (exit.code !== 0 || result.failed !== 0) throw new Error(`the client failed: ${client.stdout}${client.stderr}`);
		return (result.requests ?? 0) / (result.seconds ?? 1);
	}

	async stop(): Promise<void> {
		await this.program.stop();
	}
}

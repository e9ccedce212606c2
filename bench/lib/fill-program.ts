/** The map-filling program (bench/programs/fill): builds it, runs it and reads how fast it is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const TOP = resolve(import.meta.dir, "../..");

/** Since the start of the program; the time is that of the day. */
export interface Progress {
	fills: number;
	wallNs: number;
	/** User and system time of all its threads. */
	cpuNs: number;
}

/** Compiles the program with that Go release into a folder that is removed at the end; returns the path of the executable. */
export function buildFill(version: string): string {
	const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
	process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
	const path = join(folder, "fill");
	const built = Bun.spawnSync(["build/go.sh", version, "build", "-o", path, "./bench/programs/fill"], {
		cwd: TOP,
		stderr: "inherit",
	});
	if (!built.success) throw new Error(`build/go.sh ${version} build ended with ${built.exitCode}`);
	return path;
}

export class FillProgram {
	readonly pid: number;
	readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
	#latest: Progress | undefined;
	#waiting: ((progress: Progress) => void)[] = [];

	/** It runs on one CPU, unless it is `shared` before everything else of the machine, so that other load does not disturb (chrt, of util-linux). */
	constructor(path: string, shared = false) {
		this.#process = Bun.spawn([...(shared ? [] : ["chrt", "--rr", "1"]), path, "20ms"], {
			env: { ...process.env, GOMAXPROCS: "1" },
			stdin: "ignore",
			stdout: "pipe",
			stderr: "inherit",
		});
		this.pid = this.#process.pid;
		process.on("exit", () => this.#process.kill("SIGKILL"));
		void this.#read();
	}

	async #read(): Promise<void> {
		const decoder = new TextDecoder();
		let rest = "";
		for await (const chunk of this.#process.stdout) {
			const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) this.#take(line);
		}
	}

	#take(line: string): void {
		const [fills = Number.NaN, wallNs = Number.NaN, cpuNs = Number.NaN] = line.split(" ").map(Number);
		this.#latest = { fills, wallNs, cpuNs };
		for (const wake of this.#waiting.splice(0)) wake(this.#latest);
	}

	/** The next report. */
	async next(): Promise<Progress> {
		if (this.#process.exitCode !== null) throw new Error(`the program has ended with ${this.#process.exitCode}`);
		return await new Promise((wake) => this.#waiting.push(wake));
	}

	/** The first report that is made from now on: those on their way to us are older. */
	async fresh(): Promise<Progress> {
		const now = Date.now() * 1e6;
		for (;;) {
			const report = await this.next();
			if (report.wallNs > now) return report;
		}
	}

	/** What happens in the next `ms` or a little more. */
	async measure(ms: number): Promise<Progress> {
		const first = await this.fresh();
		for (;;) {
			const last = await this.next();
			if (last.wallNs - first.wallNs < ms * 1e6) continue;
			return {
				fills: last.fills - first.fills,
				wallNs: last.wallNs - first.wallNs,
				cpuNs: last.cpuNs - first.cpuNs,
			};
		}
	}

	async stop(): Promise<void> {
		this.#process.kill("SIGKILL");
		await this.#process.exited;
	}
}

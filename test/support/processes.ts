/** Programs that tests start: their output by line, their end, and that nothing of them stays behind. */
import { afterAll } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh folder, removed after the tests of the file that asked for it. */
export function temporaryFolder(name: string): string {
	const folder = mkdtempSync(join(tmpdir(), `gomapgrow-test-${name}-`));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** A copy of /bin/sleep under another name: a process with a name and an executable that nothing else has. */
export function copyOfSleep(folder: string, name: string): string {
	const path = join(folder, name);
	// A file that is being executed cannot be written.
	if (!existsSync(path)) copyFileSync("/bin/sleep", path);
	return path;
}

export interface StartOptions {
	cwd?: string;
	/** The whole environment; the test's own when absent. */
	env?: Record<string, string | undefined>;
	/** "pipe": write with writeLine. Default: nothing to read. */
	stdin?: "pipe" | "ignore";
}

export interface Exit {
	/** As a shell would report it: 128 + n for a process ended by signal n. */
	code: number;
	signal: string | undefined;
}

const SIGNALS: Record<string, number> = {
	SIGHUP: 1,
	SIGINT: 2,
	SIGABRT: 6,
	SIGKILL: 9,
	SIGUSR1: 10,
	SIGSEGV: 11,
	SIGPIPE: 13,
	SIGTERM: 15,
};

/** A running process whose output is collected as it comes. */
export class Program {
	readonly pid: number;
	readonly exited: Promise<Exit>;
	stdout = "";
	stderr = "";
	private ended = false;
	private readonly process: Bun.Subprocess<"pipe" | "ignore", "pipe", "pipe">;
	private readonly drained: Promise<unknown>;
	private listeners: (() => void)[] = [];

	constructor(
		readonly argv: string[],
		options: StartOptions = {},
	) {
		this.process = Bun.spawn(argv, {
			...(options.cwd === undefined ? {} : { cwd: options.cwd }),
			env: options.env ?? process.env,
			stdin: options.stdin ?? "ignore",
			stdout: "pipe",
			stderr: "pipe",
		});
		this.pid = this.process.pid;
		this.drained = Promise.all([
			this.collect(this.process.stdout, (text) => {
				this.stdout += text;
			}),
			this.collect(this.process.stderr, (text) => {
				this.stderr += text;
			}),
		]);
		this.exited = this.process.exited.then(async () => {
			this.ended = true;
			// A child that outlives it can hold its output open.
			await Promise.race([this.drained, Bun.sleep(1000)]);
			this.notify();
			const signal = this.process.signalCode;
			if (typeof signal !== "string") return { code: this.process.exitCode ?? -1, signal: undefined };
			return { code: 128 + (SIGNALS[signal] ?? 0), signal };
		});
	}

	get running(): boolean {
		return !this.ended;
	}

	signal(signal: NodeJS.Signals): void {
		this.process.kill(signal);
	}

	writeLine(line: string): void {
		const stdin = this.process.stdin;
		if (stdin === undefined) throw new Error("the program was started without a standard input");
		stdin.write(`${line}\n`);
		stdin.flush();
	}

	/** Ends its standard input. */
	closeInput(): void {
		const stdin = this.process.stdin;
		if (stdin === undefined) throw new Error("the program was started without a standard input");
		stdin.end();
	}

	/** Waits until `seen` returns something other than undefined for the output so far. Fails when the process ends or time is up first. */
	async until<T>(what: string, seen: (program: Program) => T | undefined, timeoutMs = 15_000): Promise<T> {
		const deadline = performance.now() + timeoutMs;
		for (;;) {
			const result = seen(this);
			if (result !== undefined) return result;
			const left = deadline - performance.now();
			if (!this.running) await this.exited;
			if (!this.running || left <= 0) {
				const last = seen(this);
				if (last !== undefined) return last;
				throw new Error(
					`${this.argv.join(" ")}: no ${what} ${this.running ? `within ${timeoutMs} ms` : "before it ended"}\n` +
						`stdout: ${this.stdout.slice(-2000)}\nstderr: ${this.stderr.slice(-2000)}`,
				);
			}
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, Math.min(left, 25));
				this.listeners.push(() => {
					clearTimeout(timer);
					resolve();
				});
			});
		}
	}

	/** The first match of `pattern` in standard output. */
	async untilOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
		return this.until(`${pattern} on standard output`, () => pattern.exec(this.stdout) ?? undefined, timeoutMs);
	}

	/** Waits for the end, at most so long; then kills it and fails. */
	async finish(timeoutMs = 30_000): Promise<Exit> {
		const timer = Promise.withResolvers<"late">();
		const alarm = setTimeout(() => timer.resolve("late"), timeoutMs);
		const result = await Promise.race([this.exited, timer.promise]);
		clearTimeout(alarm);
		if (result !== "late") return result;
		this.signal("SIGKILL");
		await this.exited;
		throw new Error(
			`${this.argv.join(" ")}: still running after ${timeoutMs} ms\n` +
				`stdout: ${this.stdout.slice(-2000)}\nstderr: ${this.stderr.slice(-2000)}`,
		);
	}

	/** Ends it if it still runs. */
	async stop(): Promise<void> {
		if (this.running) this.signal("SIGKILL");
		await this.exited;
	}

	private async collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
		const decoder = new TextDecoder();
		for await (const chunk of stream) {
			take(decoder.decode(chunk, { stream: true }));
			this.notify();
		}
	}

	private notify(): void {
		const waiting = this.listeners;
		this.listeners = [];
		for (const wake of waiting) wake();
	}
}

const started: Program[] = [];

/** Starts a program that is ended, if it has not ended itself, after the tests of the file. */
export function start(argv: string[], options?: StartOptions): Program {
	const program = new Program(argv, options);
	if (started.push(program) === 1) {
		afterAll(async () => {
			await Promise.all(started.map((each) => each.stop()));
			started.length = 0;
		});
	}
	return program;
}

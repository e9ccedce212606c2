/** Programs on a pseudo-terminal whose screen is a headless emulator: what a user would see and type. */
import { afterAll } from "bun:test";
import { Terminal as Emulator } from "@xterm/headless";
import type { Exit } from "./processes.ts";

/** Local modes of a terminal (asm-generic/termbits.h): keys make signals, come line by line, and are echoed. */
const ISIG = 0x1;
const ICANON = 0x2;
const ECHO = 0x8;

export interface PtyOptions {
	columns?: number;
	rows?: number;
	cwd?: string;
	env?: Record<string, string | undefined>;
}

const ENTER_ALTERNATE = "\x1b[?1049h";
const LEAVE_ALTERNATE = "\x1b[?1049l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

export class PtyProgram {
	/** Everything that was written to the terminal. */
	output = "";
	readonly pid: number;
	readonly #argv: readonly string[];
	readonly #emulator: Emulator;
	readonly #process: Bun.Subprocess;
	readonly #terminal: Bun.Terminal;
	#ended = false;

	constructor(argv: string[], options: PtyOptions = {}) {
		const { columns: cols = 80, rows = 24 } = options;
		this.#argv = argv;
		this.#emulator = new Emulator({ cols, rows, allowProposedApi: true, scrollback: 500 });
		const decoder = new TextDecoder();
		this.#process = Bun.spawn(argv, {
			...(options.cwd === undefined ? {} : { cwd: options.cwd }),
			env: options.env ?? { ...process.env, TERM: "xterm-256color", NO_COLOR: undefined },
			// Made by spawn, it is the controlling terminal of a session of the program's own.
			terminal: {
				cols,
				rows,
				data: (_, bytes) => {
					const text = decoder.decode(bytes, { stream: true });
					this.output += text;
					this.#emulator.write(text);
				},
			},
		});
		const { terminal } = this.#process;
		if (terminal === undefined) throw new Error("this Bun has no pseudo-terminals");
		this.#terminal = terminal;
		this.pid = this.#process.pid;
		this.#process.exited.then(() => {
			this.#ended = true;
		});
	}

	get running(): boolean {
		return !this.#ended;
	}

	/** The lines of the screen, without blanks at their ends. */
	lines(): string[] {
		const buffer = this.#emulator.buffer.active;
		return Array.from({ length: this.#emulator.rows }, (_, row) => {
			return buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? "";
		});
	}

	/** The screen as one text. */
	get screen(): string {
		return this.lines().join("\n");
	}

	/** The program draws on a screen of its own. */
	get alternate(): boolean {
		return this.#emulator.buffer.active.type === "alternate";
	}

	get cursorVisible(): boolean {
		return this.output.lastIndexOf(SHOW_CURSOR) >= this.output.lastIndexOf(HIDE_CURSOR);
	}

	get wraps(): boolean {
		return this.#emulator.modes.wraparoundMode;
	}

	/** Keys come line by line, are echoed and make signals, as before the program. */
	get cooked(): boolean {
		const flags = this.#terminal.localFlags;
		return (flags & ISIG) !== 0 && (flags & ICANON) !== 0 && (flags & ECHO) !== 0;
	}

	/** How often the program has taken and given back the alternate screen. */
	get switches(): { entered: number; left: number } {
		const count = (sequence: string) => this.output.split(sequence).length - 1;
		return { entered: count(ENTER_ALTERNATE), left: count(LEAVE_ALTERNATE) };
	}

	/** Types keys as a terminal sends them. */
	type(text: string): void {
		this.#terminal.write(text);
	}

	resize(columns: number, rows: number): void {
		this.#emulator.resize(columns, rows);
		this.#terminal.resize(columns, rows);
	}

	signal(signal: NodeJS.Signals): void {
		this.#process.kill(signal);
	}

	/** The terminal goes away, as when its window is closed. */
	hangUp(): void {
		this.#terminal.close();
	}

	/** Waits until the screen fulfils `seen`. Fails when the time is up or the program has ended without it. */
	async until(what: string, seen: (program: PtyProgram) => unknown, timeoutMs = 30_000): Promise<void> {
		for (const deadline = performance.now() + timeoutMs; ; ) {
			if (seen(this)) return;
			const over = performance.now() >= deadline;
			if (over || this.#ended) {
				// What was written last may still be on its way through the emulator.
				await Bun.sleep(100);
				if (seen(this)) return;
				const why = over ? `within ${timeoutMs} ms` : "before it ended";
				throw new Error(`${this.#argv.join(" ")}: no ${what} ${why}; the screen:\n${this.screen}`);
			}
			await Bun.sleep(20);
		}
	}

	async untilShown(pattern: RegExp, timeoutMs?: number): Promise<void> {
		await this.until(`${pattern} on the screen`, () => pattern.test(this.screen), timeoutMs);
	}

	/** Waits for the end; fails, and kills it, when it takes longer. */
	async finish(timeoutMs = 30_000): Promise<Exit> {
		const late = Bun.sleep(timeoutMs).then(() => "late" as const);
		if ((await Promise.race([this.#process.exited, late])) === "late") {
			const { screen } = this;
			await this.stop();
			throw new Error(`${this.#argv.join(" ")}: still running after ${timeoutMs} ms; the screen:\n${screen}`);
		}
		// The last output is read behind the end of the process.
		await Bun.sleep(150);
		const signal = this.#process.signalCode?.toString();
		return { code: this.#process.exitCode ?? -1, signal };
	}

	async stop(): Promise<void> {
		if (this.running) this.#process.kill("SIGKILL");
		await this.#process.exited;
		if (!this.#terminal.closed) this.#terminal.close();
	}
}

const started: PtyProgram[] = [];

/** Starts a program on a terminal; it is ended after the tests of the file. */
export function startOnTerminal(argv: string[], options?: PtyOptions): PtyProgram {
	const program = new PtyProgram(argv, options);
	if (started.push(program) === 1) {
		afterAll(async () => {
			await Promise.all(started.map((each) => each.stop()));
			started.length = 0;
		});
	}
	return program;
}

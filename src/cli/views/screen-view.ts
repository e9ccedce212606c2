/** The live screen of a terminal; the summary stays on the normal screen afterwards. */
import { OutputFd } from "../../kernel/output-fd.ts";
import type { EndRecord, TargetRecord, WindowRecord } from "../../model/records.ts";
import { actionOf } from "../../tui/keys.ts";
import { renderScreen } from "../../tui/screen.ts";
import { Terminal } from "../../tui/terminal.ts";
import type { EndState, LiveState, LiveView } from "../live-view.ts";
import { writeSummary } from "./summary-writer.ts";

export class ScreenView implements LiveView {
	readonly #terminal: Terminal;
	readonly #color: boolean;
	readonly #out: OutputFd;
	#last: LiveState | undefined;
	readonly #redraw = (): void => this.#draw();

	/** `onQuit` is called for q and Ctrl-C, which arrives as a key while the terminal is raw. */
	constructor(stream: NodeJS.WriteStream & { fd: number }, color: boolean, onQuit: () => void) {
		this.#color = color;
		this.#out = new OutputFd(stream.fd);
		const input = process.stdin;
		this.#terminal = new Terminal({
			write: (text) => this.#out.write(text),
			size: () => ({ columns: stream.columns, rows: stream.rows }),
			...(input.isTTY ? { setRawMode: (on: boolean) => void input.setRawMode(on) } : {}),
		});
		if (input.isTTY) {
			input.on("data", (bytes) => {
				if (actionOf(bytes.toString()) === "quit") onQuit();
			});
		}
		stream.on("resize", this.#redraw);
		process.on("exit", () => this.restore());
	}

	ready(): boolean {
		return true;
	}

	closed(): boolean {
		return this.#out.closed;
	}

	failure(): string | undefined {
		return this.#out.failure;
	}

	start(): void {
		this.#terminal.enter();
	}

	target(_record: TargetRecord): void {}
	growth(): void {}
	loss(): void {}

	window(_record: WindowRecord, state: LiveState): void {
		this.#last = state;
		this.#draw();
	}

	#draw(): void {
		const state = this.#last;
		// A terminal that is stopped (Ctrl-S) misses frames; it does not hold up the observation.
		if (state === undefined || this.#out.queued > 0) return;
		this.#terminal.draw((size) => renderScreen(state, { ...size, color: this.#color }));
	}

	end(record: EndRecord, state: EndState): void {
		this.restore();
		writeSummary(this.#out, record, state);
	}

	flush(): void {
		this.#out.flush();
	}

	queued(): number {
		return this.#out.queued;
	}

	restore(): void {
		this.#terminal.leave();
		process.stdin.pause();
	}
}

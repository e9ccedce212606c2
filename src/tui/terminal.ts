import { displayWidth } from "../text/width.ts";
import type { ScreenSize } from "./layout.ts";

export interface TerminalOptions {
	/** Writes to the terminal; must be synchronous, so that `leave` works in an exit handler. */
	write: (text: string) => void;
	/** The size now; a terminal that does not tell (0) is taken for 80x24. */
	size: () => { columns?: number | undefined; rows?: number | undefined };
	/** Turns raw mode of the keyboard on and off; absent when standard input is no terminal. */
	setRawMode?: (on: boolean) => void;
}

const ESC = "\x1b[";
/** Alternate screen, hidden cursor, no automatic wrap: a character wider than expected must not push lines down. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const LEAVE = `${ESC}0m${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** Synchronised update (mode 2026): terminals that know it show a frame at once, the others ignore it. */
const BEGIN_FRAME = `${ESC}?2026h`;
const END_FRAME = `${ESC}?2026l`;

/** The single owner of the terminal: what it changes it restores, once, on whatever way out calls `leave`. */
export class Terminal {
	readonly #options: TerminalOptions;
	#active = false;
	#shown: string[] = [];
	#shownSize: ScreenSize = { columns: 0, rows: 0 };

	constructor(options: TerminalOptions) {
		this.#options = options;
	}

	/** The terminal is taken over. */
	get entered(): boolean {
		return this.#active;
	}

	/** The size to draw for. */
	size(): ScreenSize {
		const { columns, rows } = this.#options.size();
		return { columns: columns || 80, rows: rows || 24 };
	}

	/** Takes the terminal over. Does nothing when it is taken already. */
	enter(): void {
		if (this.#active) return;
		this.#active = true;
		this.#shownSize = { columns: 0, rows: 0 };
		this.#options.setRawMode?.(true);
		this.#options.write(ENTER);
	}

	/** Draws what `render` makes for the present size; only lines that changed are written. */
	draw(render: (size: ScreenSize) => string[]): void {
		if (!this.#active) return;
		const size = this.size();
		const resized = size.columns !== this.#shownSize.columns || size.rows !== this.#shownSize.rows;
		const lines = render(size).slice(0, size.rows);
		const before = resized ? [] : this.#shown;
		const changes = lines.map((line, index) => (line === before[index] ? "" : lineUpdate(index, line, size.columns)));
		this.#shown = lines;
		this.#shownSize = size;
		this.#options.write(`${BEGIN_FRAME}${resized ? `${ESC}2J` : ""}${changes.join("")}${END_FRAME}`);
	}

	/** The next frame is drawn in full: something else has written to the screen. */
	forget(): void {
		this.#shownSize = { columns: 0, rows: 0 };
	}

	/** Gives the terminal back as it was. Any number of calls; the keyboard is restored even when writing fails. */
	leave(): void {
		if (!this.#active) return;
		this.#active = false;
		try {
			this.#options.write(LEAVE);
		} finally {
			this.#options.setRawMode?.(false);
		}
	}
}

/** A full line must not be followed by "erase to the end": the cursor still stands on its last character. */
function lineUpdate(index: number, line: string, columns: number): string {
	const erase = displayWidth(line) < columns ? `${ESC}K` : "";
	return `${ESC}${index + 1};1H${line}${erase}`;
}

/** The live screen of a terminal. */

import { FlameGraphBuilder } from "../export/flame/tree.ts";
import { writeFlameFile } from "../export/flame-file.ts";
import type { BackPressure, Sink, TextOutput, WindowState } from "../observe/sink.ts";
import { emptyLedger } from "../records/ledger.ts";
import type { GomapgrowRecord, StartRecord, TargetRecord, WindowRecord } from "../records/records.ts";
import { errorText } from "../report/error-text.ts";
import type { HeapMaps } from "../report/heap-maps.ts";
import { Aggregator } from "../stats/aggregator.ts";
import { JobControl } from "./job-control.ts";
import { Keyboard } from "./keyboard.ts";
import type { Key } from "./keys.ts";
import { composeScreen, lastRows, type Screen, type ScreenState } from "./screen.ts";
import { Tables } from "./table-rows.ts";
import { Terminal } from "./terminal.ts";
import { pressKey } from "./ui-keys.ts";
import { initialUi, type UiState } from "./ui-state.ts";

const CLEAR_LINE = "\r\x1b[K";
/** How long a notice stays when no key is pressed. */
const NOTICE_NS = 15e9;
/** So many rows stay on the terminal at the end. */
const LAST_ROWS = 10;
/** Processes that have ended are remembered up to this many. */
const MAX_TARGETS = 1000;

/** What the screen shows of the end of a window. */
type Live = Omit<WindowState, "closed" | "total">;

/** What is known before the first window has ended. */
function firstState(): Live {
	return {
		...{ targets: [], ended: new Set(), elapsedNs: 0, view: new Aggregator().view() },
		...{ ledger: emptyLedger(), losses: [], overhead: [] },
	};
}

/** What keys ask of others. */
export interface ScreenActions {
	/** q */
	onQuit(): void;
	/** c: the maps in the heaps of these processes are to be read. Absent: nothing is looked for there. */
	onCensus?(pids: readonly number[]): void;
}

export class ScreenSink implements Sink {
	readonly #terminal: Terminal;
	readonly #color: boolean;
	readonly #out: TextOutput;
	readonly #actions: ScreenActions;
	readonly #keyboard: Keyboard | undefined;
	readonly #jobs: JobControl;
	readonly reader: BackPressure;
	readonly details = true;
	readonly #flames = new FlameGraphBuilder("growths");
	/** By PID, in the order in which they came. */
	readonly #targets = new Map<number, TargetRecord>();
	/** By PID. */
	readonly #heaps = new Map<number, HeapMaps>();
	#kernel: string | undefined;
	#live: Live = firstState();
	#state: ScreenState;
	#ui: UiState = initialUi();
	#noticeUntilNs = 0;
	/** As it was drawn last. */
	#screen: Screen | undefined;
	/** Something has changed since it was drawn. */
	#stale = false;
	#over = false;

	/** `stream`: the terminal; `out`: the way there. */
	constructor(stream: NodeJS.WriteStream, out: TextOutput, color: boolean, actions: ScreenActions) {
		this.#color = color;
		this.#actions = actions;
		this.#out = out;
		this.reader = {
			ready: true,
			get queued() {
				return out.queued;
			},
			get closed() {
				return out.closed;
			},
			/** A terminal that has gone is no failure: it was closed. */
			get failure() {
				return out.failure === "EIO" ? undefined : out.failure;
			},
		};
		if (process.stdin.isTTY) this.#keyboard = new Keyboard(process.stdin, (keys) => this.#press(keys));
		this.#terminal = new Terminal({
			write: (text) => this.#out.write(text),
			size: () => ({ columns: stream.columns, rows: stream.rows }),
			...(this.#keyboard === undefined ? {} : { setRawMode: (on: boolean) => this.#keyboard?.setRawMode(on) }),
		});
		this.#state = this.#newState();
		this.#jobs = new JobControl({ leave: () => this.#leave(), enter: () => this.#renew() });
		stream.on("resize", () => this.#draw());
		process.on("exit", () => this.close());
	}

	/**
	 * Probes are about to be attached to so many processes, which can take some seconds. On the normal screen, where
	 * errors are shown, too.
	 */
	attaching(processes: number): void {
		if (processes < 2) return;
		this.#out.write(`attaching to ${processes} processes …`);
		this.#out.flush();
	}

	write(record: GomapgrowRecord): void {
		switch (record.type) {
			case "start":
				this.#start(record);
				break;
			case "target":
				this.#target(record);
				break;
			case "growth":
				this.#flames.add(record);
				break;
			case "end":
				// The summary stays on the normal screen.
				this.close();
		}
	}

	/** What is known of the heap of a process. */
	heap(maps: HeapMaps): void {
		// While it is read again what was read before stays.
		if (maps.state !== "reading" || this.#heaps.get(maps.pid)?.state !== "read") this.#heaps.set(maps.pid, maps);
		if (!this.#ui.paused) this.#state = this.#newState();
		this.#screen = undefined;
		this.#stale = true;
	}

	#start(record: StartRecord): void {
		this.#kernel = record.kernel;
		this.#out.write(CLEAR_LINE);
		this.#terminal.enter();
		this.#stale = true;
	}

	#target(record: TargetRecord): void {
		this.#targets.delete(record.pid);
		this.#targets.set(record.pid, record);
		this.#flames.addProcess(record.pid, record.name);
		this.#forgetTargets();
		// Before the first window it is all there is to show.
		if (this.#live.elapsedNs > 0) return;
		this.#live = { ...this.#live, targets: [...this.#targets.values()] };
		this.#state = this.#newState();
		this.#stale = true;
	}

	#forgetTargets(): void {
		for (const pid of this.#targets.keys()) {
			if (this.#targets.size <= MAX_TARGETS) return;
			if (this.#live.ended.has(pid)) this.#targets.delete(pid);
		}
	}

	window(_record: WindowRecord, state: WindowState): void {
		const { targets, ended, elapsedNs, view, ledger, losses, overhead } = state;
		// Also while the screen is paused: the view is of this moment.
		this.#live = { targets, ended, elapsedNs, view, ledger, losses, overhead };
		if (this.#ui.notice !== undefined && state.elapsedNs > this.#noticeUntilNs) {
			this.#ui = { ...this.#ui, notice: undefined };
		}
		this.#state = this.#ui.paused ? { ...this.#state, nowNs: state.elapsedNs } : this.#newState();
		this.#draw();
	}

	#newState(): ScreenState {
		const { targets, ended, elapsedNs, view, ledger, losses, overhead } = this.#live;
		const all = [...this.#targets.values()];
		const known = [...this.#heaps.values()].filter(({ pid }) => !ended.has(pid));
		const heaps = this.#actions.onCensus === undefined ? undefined : known;
		return {
			heaps,
			...{ targets, elapsedNs, view, ledger, losses, overhead, kernel: this.#kernel },
			ended: targets.length > 0 && targets.every(({ pid }) => ended.has(pid)),
			tables: new Tables({ view, ledger, targets: all, ended, heaps }),
			keys: this.#keyboard !== undefined,
		};
	}

	#draw(): void {
		this.#stale = true;
		// A terminal that is stopped (Ctrl-S) misses frames; it does not hold up the observation.
		if (this.#over || this.#out.queued > 0) return;
		this.#stale = false;
		this.#terminal.draw((size) => {
			this.#screen = composeScreen(this.#state, this.#ui, { ...size, color: this.#color });
			return this.#screen.lines;
		});
		this.#out.flush();
	}

	#press(keys: readonly Key[]): void {
		for (const key of keys) {
			if (this.#over) return;
			const size = this.#terminal.size();
			// Rows depend on what the key before has changed.
			const screen = this.#screen ?? composeScreen(this.#state, this.#ui, { ...size, color: false });
			const { rows, tableColumns: columns, page, scrollEnd } = screen;
			const { elapsedNs } = this.#state;
			const { ui, effect } = pressKey(this.#ui, key, { rows, columns, page, scrollEnd, elapsedNs });
			this.#ui = ui;
			this.#screen = undefined;
			switch (effect) {
				case "quit":
					this.#actions.onQuit();
					break;
				case "interrupt":
					this.#jobs.interrupt();
					break;
				case "suspend":
					this.#jobs.suspend();
					break;
				case "pause":
					this.#pause();
					break;
				case "census":
					this.#actions.onCensus?.(this.#observedPids());
					break;
				case "flame":
					this.#writeFlames();
					break;
				case "redraw":
					this.#terminal.forget();
			}
		}
		this.#draw();
	}

	#observedPids(): number[] {
		const { targets, ended } = this.#live;
		return targets.map(({ pid }) => pid).filter((pid) => !ended.has(pid));
	}

	#pause(): void {
		if (this.#ui.paused) this.#state.tables.freeze();
		else this.#state = this.#newState();
	}

	#writeFlames(): void {
		this.#noticeUntilNs = this.#live.elapsedNs + NOTICE_NS;
		try {
			const graph = this.#flames.build();
			const path = writeFlameFile(graph, [...this.#targets.values()], new Date());
			this.#ui = { ...this.#ui, notice: { text: `flame graph written: ${path}`, failed: false } };
		} catch (error) {
			// Observing goes on; the user sees why and may go to another folder.
			const [text = ""] = errorText(error).split("\n");
			this.#ui = { ...this.#ui, notice: { text, failed: true } };
		}
	}

	flush(): void {
		this.#out.flush();
		if (this.#stale) this.#draw();
	}

	#leave(): void {
		this.#terminal.leave();
		this.#out.flush();
	}

	/** After the shell had the terminal: it may have changed everything. */
	#renew(): void {
		if (this.#over) return;
		this.#terminal.leave();
		this.#terminal.enter();
		this.#draw();
	}

	close(): void {
		if (this.#over) return;
		this.#over = true;
		this.#jobs.close();
		const drawn = this.#terminal.entered;
		this.#leave();
		this.#keyboard?.close();
		if (drawn) this.#leaveRows();
	}

	#leaveRows(): void {
		const lines = lastRows(this.#state, this.#ui, { ...this.#terminal.size(), color: this.#color }, LAST_ROWS);
		this.#out.write(lines.map((line) => `${line}\r\n`).join(""));
		this.#out.flush();
	}
}

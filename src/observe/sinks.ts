/** All sinks of an observation: each gets every record, and the slowest reader sets the pace. */
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import type { BackPressure, Sink, WindowState } from "./sink.ts";

/** The back-pressure of several readers as that of one. */
export function combined(readers: readonly BackPressure[]): BackPressure {
	return {
		get ready() {
			return readers.every(({ ready }) => ready);
		},
		get queued() {
			return readers.reduce((sum, { queued }) => sum + queued, 0);
		},
		/** Who misses one of the outputs has no use for the rest. */
		get closed() {
			return readers.some(({ closed }) => closed);
		},
		get failure() {
			return readers.map(({ failure }) => failure).find((failure) => failure !== undefined);
		},
	};
}

export class Sinks {
	readonly #sinks: readonly Sink[];
	/** Of all sinks that have a reader. */
	readonly reader: BackPressure;
	/** One of them shows the details of rows. */
	readonly details: boolean;

	constructor(sinks: readonly Sink[]) {
		this.#sinks = sinks;
		this.details = sinks.some(({ details }) => details === true);
		this.reader = combined(sinks.flatMap(({ reader }) => (reader === undefined ? [] : [reader])));
	}

	/** Gives each sink the record, in the order of the list. */
	write(record: GomapgrowRecord): void {
		for (const sink of this.#sinks) sink.write(record);
	}

	/** The record of a window, and what is known then. */
	window(record: WindowRecord, state: WindowState): void {
		this.write(record);
		for (const sink of this.#sinks) sink.window?.(record, state);
	}

	flush(): void {
		for (const sink of this.#sinks) sink.flush();
	}

	/**
	 * The last of the list first: the terminal is given back before files are closed. One that fails leaves none open.
	 */
	close(): void {
		closeFrom(this.#sinks, this.#sinks.length - 1);
	}
}

function closeFrom(sinks: readonly Sink[], last: number): void {
	const sink = sinks[last];
	if (sink === undefined) return;
	try {
		sink.close();
	} finally {
		closeFrom(sinks, last - 1);
	}
}

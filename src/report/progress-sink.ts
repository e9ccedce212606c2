/** One line that says how far a recording is, redrawn in place on a terminal. */
import { type BackPressure, neverBehind, type Sink, type TextOutput, type WindowState } from "../observe/sink.ts";
import type { RecordFile } from "../recording/write.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import { progressLine } from "./progress-line.ts";

const CLEAR_LINE = "\r\u001b[K";

export class ProgressSink implements Sink {
	readonly #file: Pick<RecordFile, "path" | "bytes">;
	readonly #out: TextOutput;
	/** Columns of the terminal; undefined where there is none. */
	readonly #columns: () => number | undefined;
	readonly reader: BackPressure;
	#drawn = false;

	constructor(file: Pick<RecordFile, "path" | "bytes">, out: TextOutput, columns: () => number | undefined) {
		this.#file = file;
		this.#out = out;
		this.#columns = columns;
		this.reader = neverBehind(out);
	}

	write(record: GomapgrowRecord): void {
		// The summary comes in its place.
		if (record.type === "end") this.close();
	}

	window(record: WindowRecord, state: WindowState): void {
		const columns = this.#columns();
		if (columns === undefined || this.#out.queued > 0) return;
		const line = progressLine(
			{
				path: this.#file.path,
				elapsedNs: record.elapsed_ns,
				intervalNs: state.closed.interval_ns,
				growths: state.closed.growths,
				total: state.total.growths,
				bytes: this.#file.bytes,
			},
			columns - 1,
		);
		this.#out.write(CLEAR_LINE + line);
		this.#drawn = true;
	}

	flush(): void {
		this.#out.flush();
	}

	/** Clears the line. */
	close(): void {
		if (!this.#drawn) return;
		this.#drawn = false;
		this.#out.write(CLEAR_LINE);
		this.#out.flush();
	}
}

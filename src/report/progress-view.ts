/** One line that says how far a recording is, redrawn in place on a terminal; the summary goes to standard error. */
import { OutputFd } from "../kernel/output-fd.ts";
import type { EndState, LiveState, LiveView } from "../observe/sink.ts";
import type { RecordFile } from "../recording/write.ts";
import type { EndRecord, WindowRecord } from "../records/records.ts";
import { progressLine } from "./progress-line.ts";
import { writeSummary } from "./summary-writer.ts";

const CLEAR_LINE = "\r\u001b[K";

export class ProgressView implements LiveView {
	readonly #file: RecordFile;
	readonly #out = new OutputFd(2);
	/** Columns of the terminal; undefined where there is none. */
	readonly #columns: () => number | undefined;
	#drawn = false;

	constructor(file: RecordFile, columns: () => number | undefined) {
		this.#file = file;
		this.#columns = columns;
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

	start(): void {}
	target(): void {}
	growth(): void {}
	work(): void {}
	overlap(): void {}
	loss(): void {}
	throttle(): void {}

	window(record: WindowRecord, state: LiveState): void {
		const columns = this.#columns();
		if (columns === undefined || this.#out.queued > 0) return;
		const line = progressLine(
			{
				path: this.#file.path,
				elapsedNs: record.elapsed_ns,
				intervalNs: record.interval_ns,
				growths: record.growths,
				total: state.view.total.growths,
				bytes: this.#file.bytes,
			},
			columns - 1,
		);
		this.#out.write(CLEAR_LINE + line);
		this.#drawn = true;
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

	/** Takes the line away. */
	restore(): void {
		if (!this.#drawn) return;
		this.#drawn = false;
		this.#out.write(CLEAR_LINE);
		this.#out.flush();
	}
}

/** Every record as one line of NDJSON on an output that may have a slow reader: standard output. */
import { type BackPressure, behindAbove, type Sink, type TextOutput } from "../observe/sink.ts";
import type { GomapgrowRecord } from "../records/records.ts";
import { ndjsonLine } from "./ndjson.ts";

/** Above this the ring, which holds more in less, is left alone until the reader has caught up. */
const MAX_QUEUED_BYTES = 1 << 20;

export class NdjsonSink implements Sink {
	readonly #out: TextOutput;
	readonly reader: BackPressure;

	constructor(out: TextOutput) {
		this.#out = out;
		this.reader = behindAbove(out, MAX_QUEUED_BYTES);
	}

	write(record: GomapgrowRecord): void {
		this.#out.write(ndjsonLine(record));
	}

	flush(): void {
		this.#out.flush();
	}

	/** The output is the process's own. */
	close(): void {}
}

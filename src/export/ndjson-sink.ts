/** Every record as one line of NDJSON on standard output; the summary goes to standard error. */
import { OutputFd } from "../kernel/output-fd.ts";
import type { EndState, LiveView } from "../observe/sink.ts";
import type { EndRecord, GomapgrowRecord } from "../records/records.ts";
import { writeSummary } from "../report/summary-writer.ts";
import { ndjsonLine } from "./ndjson.ts";

/** Above this the ring, which holds more in less, is left alone until the reader has caught up. */
const MAX_QUEUED_BYTES = 1 << 20;

export class JsonView implements LiveView {
	readonly #out: OutputFd;

	constructor(fd = 1) {
		this.#out = new OutputFd(fd);
	}

	ready(): boolean {
		return this.#out.queued < MAX_QUEUED_BYTES;
	}

	closed(): boolean {
		return this.#out.closed;
	}

	failure(): string | undefined {
		return this.#out.failure;
	}

	#write(record: GomapgrowRecord): void {
		this.#out.write(ndjsonLine(record));
	}

	start = this.#write;
	target = this.#write;
	growth = this.#write;
	work = this.#write;
	overlap = this.#write;
	window = this.#write;
	loss = this.#write;
	throttle = this.#write;

	end(record: EndRecord, state: EndState): void {
		this.#write(record);
		writeSummary(new OutputFd(2), record, state);
	}

	flush(): void {
		this.#out.flush();
	}

	queued(): number {
		return this.#out.queued;
	}

	restore(): void {}
}

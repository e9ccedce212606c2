/** Writes every record to a file. One that cannot be written any more ends the observation, as a closed pipe does. */
import type { BackPressure, Sink } from "../observe/sink.ts";
import type { RecordFile } from "../recording/write.ts";
import type { GomapgrowRecord } from "../records/records.ts";
import { ndjsonLine } from "./ndjson.ts";

export class RecordingSink implements Sink {
	readonly #file: RecordFile;
	readonly reader: BackPressure;

	constructor(file: RecordFile) {
		this.#file = file;
		this.reader = file;
	}

	write(record: GomapgrowRecord): void {
		this.#file.write(ndjsonLine(record));
		if (record.type === "end") this.#file.finish();
	}

	flush(): void {
		this.#file.flush(false);
	}

	close(): void {
		this.#file.close();
	}
}

/** Collects growths and writes profiles at the end of an observation. */
import type { BackPressure, Sink } from "../../observe/sink.ts";
import type { GomapgrowRecord, StartRecord } from "../../records/records.ts";
import { profileComments } from "./comments.ts";
import type { ProfileFiles } from "./profile-files.ts";

export class ProfileSink implements Sink {
	readonly #files: ProfileFiles;
	#start: StartRecord | undefined;
	#failure: string | undefined;
	readonly reader: BackPressure;

	constructor(files: ProfileFiles) {
		this.#files = files;
		const failure = () => this.#failure;
		// All of it is written at once, at the end.
		this.reader = {
			...{ ready: true, queued: 0, closed: false },
			get failure() {
				return failure();
			},
		};
	}

	write(record: GomapgrowRecord): void {
		if (record.type === "start") this.#start = record;
		this.#files.add(record);
		if (record.type !== "end") return;
		const start = this.#start;
		try {
			this.#files.write({
				timeNs: BigInt(Date.parse(start?.time ?? record.time)) * 1_000_000n,
				durationNs: record.elapsed_ns,
				comments: profileComments(start === undefined ? [] : [start], record.ledger),
			});
		} catch (error) {
			// The other outputs are written to their end; the command fails with this.
			this.#failure = error instanceof Error ? error.message : String(error);
		}
	}

	/** Nothing waits. */
	flush(): void {}

	close(): void {}
}

/** One stable line per window, without escape codes, for pipes and files. */
import { type BackPressure, neverBehind, type Sink, type TextOutput, type WindowState } from "../observe/sink.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import { measuredTiers } from "./measured.ts";
import { windowLine } from "./window-line.ts";

/** Lines for a reader that has stopped reading are left out beyond this; each line stands for itself. */
const MAX_QUEUED_BYTES = 1 << 20;

export class LineSink implements Sink {
	readonly #out: TextOutput;
	/** Lines are few: a reader that is behind does not hold up the ring. */
	readonly reader: BackPressure;

	constructor(out: TextOutput) {
		this.#out = out;
		this.reader = neverBehind(out);
	}

	write(record: GomapgrowRecord): void {
		// The summary may go to the same file: the last line comes first.
		if (record.type === "end") this.#out.flush();
	}

	window(record: WindowRecord, { targets, closed }: WindowState): void {
		if (this.#out.queued > MAX_QUEUED_BYTES) return;
		const tiers = measuredTiers(targets);
		const measured = { growth: tiers.includes("growth"), work: tiers.includes("work") };
		const { time, targets: named } = record;
		this.#out.write(windowLine({ ...closed, time, targets: named, measured }));
	}

	flush(): void {
		this.#out.flush();
	}

	/** The output is the process's own. */
	close(): void {}
}

/** One stable line per window, without escape codes, for pipes and files; the summary goes to standard error. */
import { OutputFd } from "../kernel/output-fd.ts";
import type { EndState, LiveState, LiveView } from "../observe/sink.ts";
import type { EndRecord, TargetRecord, WindowRecord } from "../records/records.ts";
import { bytesMeasured, measuredTiers, movedMeasured } from "./measured.ts";
import { writeSummary } from "./summary-writer.ts";
import { windowLine } from "./window-line.ts";

export class LineView implements LiveView {
	readonly #out: OutputFd;

	/** `fd`: standard output, or standard error when an observed command owns standard output. */
	constructor(fd: number) {
		this.#out = new OutputFd(fd);
	}

	/** Lines are few: a reader that is behind does not hold up the ring. */
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
	growth(): void {}
	work(): void {}
	overlap(): void {}
	loss(): void {}
	throttle(): void {}

	target(_record: TargetRecord): void {}

	window(record: WindowRecord, state: LiveState): void {
		if (this.#out.queued > MAX_QUEUED_BYTES) return;
		const tiers = measuredTiers(state.targets);
		const { bytes_moved, latency } = state.closed;
		const measured = {
			growth: tiers.includes("growth"),
			work: tiers.includes("work"),
			bytes: bytesMeasured(state.closed),
			moved: movedMeasured(state.closed),
		};
		this.#out.write(windowLine({ ...record, bytes_moved, latency, measured }));
	}

	end(record: EndRecord, state: EndState): void {
		// Both may be the same file: the last line comes first.
		this.#out.flush();
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

/** Lines for a reader that has stopped reading are left out beyond this; each line stands for itself. */
const MAX_QUEUED_BYTES = 1 << 20;

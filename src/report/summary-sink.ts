/** The summary of an observation, as text, at its end; behind the sink that shows the observation itself. */
import type { Sink, TextOutput, WindowState } from "../observe/sink.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import { OverheadSum } from "../stats/overhead-sum.ts";
import { measuredTiers } from "./measured.ts";
import { summaryText } from "./summary.ts";

export class SummarySink implements Sink {
	readonly #out: TextOutput;
	#latest: WindowState | undefined;
	readonly #overhead = new OverheadSum();

	/** It is not waited for who reads this; one that also takes what else is shown has its reader there. */
	constructor(out: TextOutput) {
		this.#out = out;
	}

	window({ interval_ns }: WindowRecord, state: WindowState): void {
		this.#latest = state;
		this.#overhead.add(state.overhead, interval_ns);
	}

	write(record: GomapgrowRecord): void {
		if (record.type !== "end" || this.#latest === undefined) return;
		const { targets, total, losses } = this.#latest;
		this.#out.write(
			summaryText({
				elapsedNs: record.elapsed_ns,
				total,
				ledger: record.ledger,
				measured: measuredTiers(targets),
				tiers: record.measured,
				losses,
				overhead: this.#overhead.result(),
			}),
		);
		this.#out.flush();
	}

	flush(): void {
		if (this.#out.queued > 0) this.#out.flush();
	}

	/** The output is the process's own. */
	close(): void {}
}

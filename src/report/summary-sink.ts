/** The summary of an observation, as text, at its end; behind the sink that shows the observation itself. */
import { Adviser } from "../advise/advise.ts";
import { SHOWN_ADVICE, topAdvice } from "../advise/text.ts";
import type { Sink, TextOutput, WindowState } from "../observe/sink.ts";
import { amountOf } from "../records/figure.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import { OverheadSum } from "../stats/overhead-sum.ts";
import { type HeapMaps, heapTexts, UNSEEN } from "./heap-maps.ts";
import { measuredTiers } from "./measured.ts";
import { summaryText } from "./summary.ts";

export class SummarySink implements Sink {
	readonly #out: TextOutput;
	#latest: WindowState | undefined;
	readonly #overhead = new OverheadSum();
	#explained = false;
	readonly #adviser = new Adviser();

	/** It is not waited for who reads this; one that also takes what else is shown has its reader there. */
	constructor(out: TextOutput) {
		this.#out = out;
	}

	/** Nothing has grown so far: what is there. */
	heap(maps: HeapMaps): void {
		if (maps.state === "reading" || amountOf(this.#latest?.total.growths) > 0) return;
		const several = (this.#latest?.targets.length ?? 1) > 1;
		const [text = ""] = heapTexts([maps], several);
		this.#out.write(`no map has grown so far: ${text}\n`);
		if (!this.#explained) this.#out.write(`  note:  ${UNSEEN}\n`);
		this.#explained = true;
		this.#out.flush();
	}

	window({ interval_ns }: WindowRecord, state: WindowState): void {
		this.#latest = state;
		this.#overhead.add(state.overhead, interval_ns);
	}

	write(record: GomapgrowRecord): void {
		this.#adviser.add(record);
		if (record.type !== "end" || this.#latest === undefined) return;
		const { targets, total, losses } = this.#latest;
		this.#out.write(
			summaryText({
				elapsedNs: record.elapsed_ns,
				total,
				ledger: record.ledger,
				measured: measuredTiers(targets),
				tiers: record.measured,
				children: record.children,
				losses,
				overhead: this.#overhead.result(),
				advice: topAdvice(this.#adviser.result(), SHOWN_ADVICE),
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

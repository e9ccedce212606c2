/** Collects stacks and writes a flame graph at the end. */
import type { BackPressure, Sink } from "../observe/sink.ts";
import type { GomapgrowRecord } from "../records/records.ts";
import type { FlameMetric } from "./flame/metric.ts";
import { flameSvg } from "./flame/svg.ts";
import { FlameGraphBuilder } from "./flame/tree.ts";
import { FlameSubject } from "./flame-subject.ts";
import type { NewFile } from "./new-file.ts";

export class FlameSink implements Sink {
	readonly #file: NewFile;
	readonly #builder: FlameGraphBuilder;
	readonly #subject = new FlameSubject();
	readonly reader: BackPressure;

	constructor(file: NewFile, metric: FlameMetric) {
		this.#file = file;
		this.#builder = new FlameGraphBuilder(metric);
		// All of it is written at once, at the end.
		this.reader = {
			...{ ready: true, queued: 0, closed: false },
			get failure() {
				return file.failure;
			},
		};
	}

	write(record: GomapgrowRecord): void {
		switch (record.type) {
			case "target":
				this.#builder.addProcess(record.pid, record.name);
				this.#subject.add(record);
				break;
			case "growth":
			case "work":
				this.#builder.add(record);
				break;
			case "end": {
				const subject = this.#subject.text(record.ledger.growth);
				this.#file.write(flameSvg(this.#builder.build(), { subject }));
			}
		}
	}

	/** Nothing waits. */
	flush(): void {}

	close(): void {
		this.#file.close();
	}
}

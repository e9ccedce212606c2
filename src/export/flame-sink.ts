/** Collects stacks and writes a flame graph at the end. */
import type { BackPressure, Sink } from "../observe/sink.ts";
import type { GomapgrowRecord, TargetRecord } from "../records/records.ts";
import type { FlameMetric } from "./flame/metric.ts";
import { flameSvg } from "./flame/svg.ts";
import { FlameGraphBuilder } from "./flame/tree.ts";
import { flameSubject } from "./flame-subject.ts";
import type { NewFile } from "./new-file.ts";

export class FlameSink implements Sink {
	readonly #file: NewFile;
	readonly #builder: FlameGraphBuilder;
	readonly #targets: TargetRecord[] = [];
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
				this.#targets.push(record);
				break;
			case "growth":
			case "work":
				this.#builder.add(record);
				break;
			case "end": {
				const subject = flameSubject(this.#targets, record.ledger.growth.lost);
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

/** Collects stacks and writes a flame graph at the end, beside another view. */

import type { EndState, LiveView } from "../observe/sink.ts";
import { WrappedView } from "../observe/wrapped-view.ts";
import type { EndRecord, GrowthRecord, TargetRecord, WorkRecord } from "../records/records.ts";
import type { FlameMetric } from "./flame/metric.ts";
import { flameSvg } from "./flame/svg.ts";
import { FlameGraphBuilder } from "./flame/tree.ts";
import { FlameSubject } from "./flame-subject.ts";
import type { NewFile } from "./new-file.ts";

export class FlameView extends WrappedView {
	readonly #file: NewFile;
	readonly #builder: FlameGraphBuilder;
	readonly #subject = new FlameSubject();

	constructor(inner: LiveView, file: NewFile, metric: FlameMetric) {
		super(inner);
		this.#file = file;
		this.#builder = new FlameGraphBuilder(metric);
	}

	override failure(): string | undefined {
		return this.#file.failure ?? super.failure();
	}

	override target(record: TargetRecord): void {
		this.#builder.addProcess(record.pid, record.name);
		this.#subject.add(record);
		super.target(record);
	}

	override growth(record: GrowthRecord): void {
		this.#builder.add(record);
		super.growth(record);
	}

	override work(record: WorkRecord): void {
		this.#builder.add(record);
		super.work(record);
	}

	override end(record: EndRecord, state: EndState): void {
		const graph = this.#builder.build();
		const lost = record.ledger.growth.lost;
		this.#file.write(flameSvg(graph, { subject: this.#subject.text(lost) }));
		super.end(record, state);
	}

	override restore(): void {
		super.restore();
		this.#file.close();
	}
}

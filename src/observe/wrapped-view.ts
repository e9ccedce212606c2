/** A view that passes everything on to another one: what is written to files beside it does so. */
import type {
	EndRecord,
	GrowthRecord,
	LossRecord,
	OverlapRecord,
	StartRecord,
	TargetRecord,
	ThrottleRecord,
	WindowRecord,
	WorkRecord,
} from "../records/records.ts";
import type { EndState, LiveState, LiveView } from "./sink.ts";

export abstract class WrappedView implements LiveView {
	readonly #inner: LiveView;

	constructor(inner: LiveView) {
		this.#inner = inner;
	}

	ready(): boolean {
		return this.#inner.ready();
	}

	closed(): boolean {
		return this.#inner.closed();
	}

	failure(): string | undefined {
		return this.#inner.failure();
	}

	start(record: StartRecord): void {
		this.#inner.start(record);
	}

	target(record: TargetRecord): void {
		this.#inner.target(record);
	}

	growth(record: GrowthRecord): void {
		this.#inner.growth(record);
	}

	work(record: WorkRecord): void {
		this.#inner.work(record);
	}

	overlap(record: OverlapRecord): void {
		this.#inner.overlap(record);
	}

	window(record: WindowRecord, state: LiveState): void {
		this.#inner.window(record, state);
	}

	loss(record: LossRecord): void {
		this.#inner.loss(record);
	}

	throttle(record: ThrottleRecord): void {
		this.#inner.throttle(record);
	}

	end(record: EndRecord, state: EndState): void {
		this.#inner.end(record, state);
	}

	flush(): void {
		this.#inner.flush();
	}

	queued(): number {
		return this.#inner.queued();
	}

	restore(): void {
		this.#inner.restore();
	}
}

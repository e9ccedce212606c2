/** Writes every record to a file, beside another view. */

import type { EndState, LiveState, LiveView } from "../observe/sink.ts";
import { WrappedView } from "../observe/wrapped-view.ts";
import type { RecordFile } from "../recording/write.ts";
import type {
	EndRecord,
	GomapgrowRecord,
	GrowthRecord,
	LossRecord,
	OverlapRecord,
	StartRecord,
	TargetRecord,
	ThrottleRecord,
	WindowRecord,
	WorkRecord,
} from "../records/records.ts";
import { ndjsonLine } from "./ndjson.ts";

export class RecordView extends WrappedView {
	readonly #file: RecordFile;

	constructor(inner: LiveView, file: RecordFile) {
		super(inner);
		this.#file = file;
	}

	override ready(): boolean {
		return this.#file.ready && super.ready();
	}

	/** A file that cannot be written any more ends the observation, as a closed pipe does. */
	override closed(): boolean {
		return this.#file.closed || super.closed();
	}

	override failure(): string | undefined {
		return this.#file.failure ?? super.failure();
	}

	#write(record: GomapgrowRecord): void {
		this.#file.write(ndjsonLine(record));
	}

	override start(record: StartRecord): void {
		this.#write(record);
		super.start(record);
	}

	override target(record: TargetRecord): void {
		this.#write(record);
		super.target(record);
	}

	override growth(record: GrowthRecord): void {
		this.#write(record);
		super.growth(record);
	}

	override work(record: WorkRecord): void {
		this.#write(record);
		super.work(record);
	}

	override overlap(record: OverlapRecord): void {
		this.#write(record);
		super.overlap(record);
	}

	override window(record: WindowRecord, state: LiveState): void {
		this.#write(record);
		super.window(record, state);
	}

	override loss(record: LossRecord): void {
		this.#write(record);
		super.loss(record);
	}

	override throttle(record: ThrottleRecord): void {
		this.#write(record);
		super.throttle(record);
	}

	override end(record: EndRecord, state: EndState): void {
		this.#write(record);
		this.#file.finish();
		super.end(record, state);
	}

	override flush(): void {
		this.#file.flush(false);
		super.flush();
	}

	override queued(): number {
		return this.#file.queued + super.queued();
	}

	override restore(): void {
		super.restore();
		this.#file.close();
	}
}

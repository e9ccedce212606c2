import { GomapgrowError } from "../../errors/error.ts";
import type { TableBytes } from "./table-bytes.ts";

const WINDOW_BYTES = 64 << 10;
/** Linkers write what belongs to the functions in their order. Each step back may cost a page of the file. */
const MAX_STEPS_BACK = 4096;

/** Small reads at ascending offsets of a table of any size: one buffer, and no byte is read twice. */
export class ForwardWindow {
	readonly #table: TableBytes;
	readonly #buffer: Uint8Array;
	#window: Uint8Array;
	#start = 0;
	#stepsBack = 0;
	/** The bytes that the last `seek` made available, until the next one. */
	bytes: Uint8Array;

	constructor(table: TableBytes) {
		this.#table = table;
		this.#buffer = new Uint8Array(Math.min(WINDOW_BYTES, table.size));
		this.#window = this.#buffer.subarray(0, 0);
		this.bytes = this.#window;
	}

	/**
	 * Makes `length` bytes, some dozens, from the offset on available; returns the index of the first in `bytes`. Throws E-BIN-MALFORMED
	 * outside the table and when the offsets are in no order.
	 */
	seek(offset: number, length: number): number {
		const index = offset - this.#start;
		if (index >= 0 && index + length <= this.#window.length) {
			this.bytes = this.#window;
			return index;
		}
		if (index < 0) {
			if (this.#stepsBack++ === MAX_STEPS_BACK) {
				throw new GomapgrowError("E-BIN-MALFORMED", {
					wanted: "function records in the order of the functions",
					found: `more than ${MAX_STEPS_BACK} that stand before their forerunner`,
				});
			}
			this.bytes = this.#table.read(offset, length);
			return 0;
		}
		const window = this.#buffer.subarray(0, Math.max(length, Math.min(this.#buffer.length, this.#table.size - offset)));
		this.#table.readInto(offset, window);
		this.#window = window;
		this.#start = offset;
		this.bytes = window;
		return 0;
	}
}

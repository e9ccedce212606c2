/** Drains records from the BPF ring buffer, in batches and without callbacks. */
import type { Pointer } from "bun:ffi";
import { GomapgrowError } from "../errors/error.ts";
import { errnoName } from "./errno.ts";
import { decodeRecord, type RawRecord } from "./events.ts";
import { type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import { errno } from "./libc.ts";

// A deep stack is twenty times as long in JSON, and a batch is taken as a whole.
const BATCH_BYTES = 32 << 10;
/** Before each record in a batch stands its length in bytes, in eight bytes (native/ring.c). */
const LENGTH_BYTES = 8;

export class EventRing {
	readonly #lib: Libbpf;
	readonly #buffer = new ArrayBuffer(BATCH_BYTES);
	readonly #bytes = new Uint8Array(this.#buffer);
	readonly #view = new DataView(this.#buffer);
	#ring: Pointer | null;

	/** `fd`: the ring buffer map; `size`: its bytes. */
	constructor(fd: number, size: number) {
		this.#lib = libbpf();
		this.#ring = pointerOrNull(this.#lib.gmg_ring_open(fd, size));
		if (this.#ring === null) {
			throw new GomapgrowError("E-HOST-RINGBUF", { wanted: "to map the BPF ring buffer", found: errnoName(errno()) });
		}
	}

	/** Calls `visit` for up to one batch of records and returns how many there were. A record is valid only during the call. Throws E-HOST-RINGBUF. */
	drain(visit: (record: RawRecord) => void): number {
		if (this.#ring === null) return 0;
		const length = this.#lib.gmg_ring_drain(this.#ring, this.#bytes, BATCH_BYTES);
		if (length < 0) {
			throw new GomapgrowError("E-HOST-RINGBUF", { wanted: "to read the BPF ring buffer", found: errnoName(length) });
		}
		let count = 0;
		for (let at = 0; at < length; count++) {
			const size = this.#view.getUint32(at, true);
			visit(decodeRecord(new DataView(this.#buffer, at + LENGTH_BYTES, size)));
			at += LENGTH_BYTES + Math.ceil(size / 8) * 8;
		}
		return count;
	}

	close(): void {
		if (this.#ring === null) return;
		this.#lib.gmg_ring_close(this.#ring);
		this.#ring = null;
	}
}

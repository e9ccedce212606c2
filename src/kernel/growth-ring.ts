/** Drains growth records from the BPF ring buffer, in batches and without callbacks. */
import type { Pointer } from "bun:ffi";
import { GomapgrowError } from "../errors/error.ts";
import { errnoName } from "./errno.ts";
import { type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import { errno } from "./libc.ts";
import { decodeGrowth, GROWTH, type RawGrowth, RING_BYTES } from "./wire.ts";

const BATCH = 256;

export class GrowthRing {
	readonly #lib: Libbpf;
	readonly #buffer = new ArrayBuffer(BATCH * GROWTH.size);
	readonly #bytes = new Uint8Array(this.#buffer);
	readonly #odd = new Uint32Array(new ArrayBuffer(4));
	#ring: Pointer | null;

	/** `fd`: the ring buffer map. */
	constructor(fd: number) {
		this.#lib = libbpf();
		this.#ring = pointerOrNull(this.#lib.gmg_ring_open(fd, RING_BYTES));
		if (this.#ring === null) {
			throw new GomapgrowError("E-HOST-RINGBUF", { wanted: "to map the BPF ring buffer", found: errnoName(errno()) });
		}
	}

	/** Records of an unexpected length, which would mean that program and decoder do not belong together. */
	get odd(): number {
		return this.#odd[0] ?? 0;
	}

	/** Calls `visit` for up to one batch of growths and returns how many there were. A RawGrowth is valid only during the call. */
	drain(visit: (growth: RawGrowth) => void): number {
		if (this.#ring === null) return 0;
		const count = this.#lib.gmg_ring_drain(this.#ring, this.#bytes, GROWTH.size, BATCH, this.#odd);
		for (let i = 0; i < count; i++) visit(decodeGrowth(this.#buffer, i));
		return count;
	}

	close(): void {
		if (this.#ring === null) return;
		this.#lib.gmg_ring_close(this.#ring);
		this.#ring = null;
	}
}

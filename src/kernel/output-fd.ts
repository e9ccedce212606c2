/** Writing to a descriptor without ever blocking on a reader that does not read. */
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf } from "./libbpf.ts";

export class OutputFd {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	#queue: Uint8Array[] = [];
	#queued = 0;
	#closed = false;
	#failure: string | undefined;

	constructor(fd: number) {
		this.#fd = fd;
	}

	/** Bytes that wait for the reader. The producer stops producing above a bound of its own. */
	get queued(): number {
		return this.#queued;
	}

	/** Nothing more can be written: the reader has gone (closed pipe), or `failure` says what happened. */
	get closed(): boolean {
		return this.#closed;
	}

	/** Name of the errno that ended writing, e.g. ENOSPC; absent for a closed pipe. */
	get failure(): string | undefined {
		return this.#failure;
	}

	write(text: string): void {
		if (this.#closed || text === "") return;
		// Copied into a buffer of its own: pooled Node buffers must not reach FFI.
		const encoded = Buffer.from(text);
		const bytes = new Uint8Array(new ArrayBuffer(encoded.length));
		bytes.set(encoded);
		this.#queue.push(bytes);
		this.#queued += bytes.length;
		this.flush();
	}

	/** Writes what the reader takes now; also finds out whether the reader has gone. */
	flush(): void {
		while (!this.#closed) {
			const head = this.#queue[0];
			if (head === undefined) {
				const state = Number(this.#lib.gmg_write_some(this.#fd, PROBE, 0));
				if (state < 0) this.#close(state);
				return;
			}
			const count = Number(this.#lib.gmg_write_some(this.#fd, head, head.length));
			if (count < 0) {
				this.#close(count);
				return;
			}
			this.#queued -= count;
			if (count < head.length) {
				if (count > 0) this.#queue[0] = head.slice(count);
				return;
			}
			this.#queue.shift();
		}
	}

	#close(code: number): void {
		this.#closed = true;
		if (code !== -ERRNO.EPIPE) this.#failure = errnoName(code);
		this.#queue = [];
		this.#queued = 0;
	}
}

const PROBE = new Uint8Array(new ArrayBuffer(1));

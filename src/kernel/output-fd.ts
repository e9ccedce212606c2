/** Writing to a descriptor without ever blocking on a reader that does not read. */
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf } from "./libbpf.ts";

/** As much as an unprivileged process may have (fs.pipe-max-size). */
const PIPE_BYTES = 1 << 20;
const NOTHING = new Uint8Array(new ArrayBuffer(1));

export class OutputFd {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	/** Text that has not been encoded yet, and its length in UTF-16 units. */
	#texts: string[] = [];
	#textLength = 0;
	/** Bytes being written; in a buffer of their own, because pooled Node buffers must not reach FFI. */
	#bytes: Uint8Array | undefined;
	#closed = false;
	#failure: string | undefined;

	constructor(fd: number) {
		this.#fd = fd;
		this.#lib.gmg_widen_pipe(fd, PIPE_BYTES);
	}

	/** About how many bytes wait for the reader. The producer stops producing above a bound of its own. */
	get queued(): number {
		return this.#textLength + (this.#bytes?.length ?? 0);
	}

	/** Nothing more can be written: the reader has gone (closed pipe), or `failure` says what happened. */
	get closed(): boolean {
		return this.#closed;
	}

	/** Name of the errno that ended writing, e.g. ENOSPC; absent for a closed pipe. */
	get failure(): string | undefined {
		return this.#failure;
	}

	/** Queues text; `flush` writes it. */
	write(text: string): void {
		if (this.#closed) return;
		this.#texts.push(text);
		this.#textLength += text.length;
	}

	/** Writes what the reader takes now; also finds out whether the reader has gone. */
	flush(): void {
		while (!this.#closed) {
			this.#bytes ??= this.#encode();
			const bytes = this.#bytes;
			const length = bytes?.length ?? 0;
			const count = Number(this.#lib.gmg_write_some(this.#fd, bytes ?? NOTHING, length));
			if (count < 0) {
				this.#close(count);
				return;
			}
			if (bytes === undefined) return;
			this.#bytes = count === length ? undefined : bytes.slice(count);
			if (count < length) return;
		}
	}

	#encode(): Uint8Array | undefined {
		if (this.#texts.length === 0) return undefined;
		const encoded = Buffer.from(this.#texts.join(""));
		const bytes = new Uint8Array(new ArrayBuffer(encoded.length));
		bytes.set(encoded);
		this.#texts = [];
		this.#textLength = 0;
		return bytes;
	}

	#close(code: number): void {
		this.#closed = true;
		if (code !== -ERRNO.EPIPE) this.#failure = errnoName(code);
		this.#texts = [];
		this.#textLength = 0;
		this.#bytes = undefined;
	}
}

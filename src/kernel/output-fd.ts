/** Writing to a descriptor without ever blocking on a reader that does not read. */
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf } from "./libbpf.ts";

/** As much as an unprivileged process may have (fs.pipe-max-size). */
const PIPE_BYTES = 1 << 20;
/** Text becomes bytes in parts of this length, always in the same place: new memory each time would stay with us. */
const PART_BYTES = 128 << 10;
const NOTHING = new Uint8Array(new ArrayBuffer(1));

export class OutputFd {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #encoder = new TextEncoder();
	/** Text that waits, and what of it is being encoded, from `#from` on. */
	#texts: string[] = [];
	#text = "";
	#from = 0;
	/** UTF-16 units that have not been encoded yet. */
	#textLength = 0;
	/** Bytes being written, from `#start` to `#end`; in a buffer of their own, because pooled Node buffers must not reach FFI. */
	#bytes: Uint8Array<ArrayBuffer> | undefined;
	#start = 0;
	#end = 0;
	#closed = false;
	#failure: string | undefined;

	constructor(fd: number) {
		this.#fd = fd;
		this.#lib.gmg_widen_pipe(fd, PIPE_BYTES);
	}

	/** About how many bytes wait for the reader. The producer stops producing above a bound of its own. */
	get queued(): number {
		return this.#textLength + this.#end - this.#start;
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
			const bytes = this.#start < this.#end ? this.#bytes : this.#encode();
			const length = this.#end - this.#start;
			const part = bytes === undefined ? NOTHING : bytes.subarray(this.#start, this.#end);
			const count = Number(this.#lib.gmg_write_some(this.#fd, part, length));
			if (count < 0) {
				this.#close(count);
				return;
			}
			this.#start += count;
			if (length === 0 || count < length) return;
		}
	}

	/** The next part as bytes; undefined when no text waits. */
	#encode(): Uint8Array | undefined {
		this.#start = 0;
		this.#end = 0;
		if (this.#textLength === 0) return undefined;
		if (this.#from === this.#text.length) {
			this.#text = this.#texts.join("");
			this.#texts = [];
			this.#from = 0;
		}
		this.#bytes ??= new Uint8Array(new ArrayBuffer(PART_BYTES));
		const { read, written } = this.#encoder.encodeInto(this.#text.slice(this.#from), this.#bytes);
		this.#from += read;
		this.#end = written;
		this.#textLength -= read;
		if (this.#from === this.#text.length) {
			this.#text = "";
			this.#from = 0;
		}
		return this.#bytes;
	}

	#close(code: number): void {
		this.#closed = true;
		if (code !== -ERRNO.EPIPE) this.#failure = errnoName(code);
		this.#texts = [];
		this.#text = "";
		this.#from = 0;
		this.#textLength = 0;
		this.#bytes = undefined;
		this.#start = 0;
		this.#end = 0;
	}
}

/** A file that records are written to. It ends with a whole record at any time, also when writing fails in the middle of one. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { OutputFd } from "../kernel/output-fd.ts";
import { errnoCode } from "../process/procfs-file.ts";

/** Records wait for each other this long at most before they are compressed together: what a crash can cost. */
const MAX_WAIT_MS = 2000;
/** As much text makes a member of a compressed file. */
const MEMBER_LENGTH = 1 << 20;
const LINE_FEED = 10;
/** Above this a pipe's reader is behind, and the ring is left alone. */
const MAX_QUEUED_BYTES = 1 << 20;
/** Half a gigabyte a second and a thirtieth of the size; higher levels cost three times as much for a sixth. */
const GZIP_LEVEL = 3;

export interface RecordFile {
	readonly path: string;
	/** Of the file so far. */
	readonly bytes: number;
	/** Bytes that wait for the reader of a pipe. */
	readonly queued: number;
	/** False while the reader of a pipe is behind. */
	readonly ready: boolean;
	/** Nothing more can be written: `failure` says why, unless the reader of a pipe has gone. */
	readonly closed: boolean;
	readonly failure: string | undefined;
	/** Whole lines. */
	write(lines: string): void;
	/** Writes what waits; a compressed file waits for more unless `all` is asked for. */
	flush(all: boolean): void;
	/** After the last record: a regular file is complete then, or `failure` says why not. */
	finish(): void;
	/** Gives the descriptor back; safe to call more than once. */
	close(): void;
}

class RegularFile implements RecordFile {
	readonly path: string;
	readonly #fd: number;
	readonly #compress: boolean;
	#texts: string[] = [];
	#length = 0;
	#waitingSince = 0;
	#bytes = 0;
	#open = true;
	#failure: string | undefined;

	constructor(path: string, fd: number, compress: boolean) {
		this.path = path;
		this.#fd = fd;
		this.#compress = compress;
	}

	readonly queued = 0;
	readonly ready = true;

	get bytes(): number {
		return this.#bytes;
	}

	get failure(): string | undefined {
		return this.#failure;
	}

	get closed(): boolean {
		return this.#failure !== undefined;
	}

	write(lines: string): void {
		if (this.#failure !== undefined) return;
		if (this.#length === 0) this.#waitingSince = performance.now();
		this.#texts.push(lines);
		this.#length += lines.length;
	}

	flush(all: boolean): void {
		if (this.#length === 0 || this.#failure !== undefined) return;
		const full = this.#length >= MEMBER_LENGTH || performance.now() - this.#waitingSince >= MAX_WAIT_MS;
		if (this.#compress && !all && !full) return;
		const text = encoded(this.#texts.join(""));
		this.#texts = [];
		this.#length = 0;
		// Members one after the other are a gzip file (RFC 1952, section 2.2): one that is cut off does not harm those before.
		this.#append(this.#compress ? Bun.gzipSync(text, { level: GZIP_LEVEL }) : text);
	}

	#append(data: Uint8Array): void {
		let done = 0;
		try {
			while (done < data.length) done += writeSync(this.#fd, data, done);
			this.#bytes += data.length;
		} catch (error) {
			// Of a member that is cut off the reader could use less than it has room for, so that it goes as a whole.
			if (!this.#compress) this.#bytes += data.subarray(0, done).lastIndexOf(LINE_FEED) + 1;
			this.#failure = `${errnoCode(error) ?? String(error)} writing ${this.path}`;
			try {
				ftruncateSync(this.#fd, this.#bytes);
			} catch (inner) {
				// A device has no length. What was cut off is said by `report`.
				if (errnoCode(inner) !== "EINVAL")
					this.#failure += `, and ${errnoCode(inner)} cutting off what was half written`;
			}
		}
	}

	finish(): void {
		this.close();
	}

	close(): void {
		if (!this.#open) return;
		this.flush(true);
		this.#open = false;
		try {
			closeSync(this.#fd);
		} catch (error) {
			// Network file systems tell of a full disk only now.
			this.#failure ??= `${errnoCode(error) ?? String(error)} closing ${this.path}`;
		}
	}
}

/** One for all texts: memory that is new each time costs a fault a page. */
let room: Buffer<ArrayBuffer> = Buffer.alloc(0);

/** Valid until the next call. */
function encoded(text: string): Buffer<ArrayBuffer> {
	// No unit of UTF-16 takes more.
	if (room.length < 3 * text.length) room = Buffer.alloc(3 * text.length);
	return room.subarray(0, room.write(text));
}

/** A pipe, like that of `-o >(zstd >run.ndjson.zst)`: its reader is never waited for. */
class Pipe implements RecordFile {
	readonly path: string;
	readonly #fd: number;
	readonly #out: OutputFd;
	#bytes = 0;
	#open = true;

	constructor(path: string, fd: number) {
		this.path = path;
		this.#fd = fd;
		this.#out = new OutputFd(fd);
	}

	get bytes(): number {
		return this.#bytes;
	}

	get queued(): number {
		return this.#out.queued;
	}

	get ready(): boolean {
		return this.#out.queued < MAX_QUEUED_BYTES;
	}

	get closed(): boolean {
		return this.#out.closed;
	}

	get failure(): string | undefined {
		return this.#out.failure === undefined ? undefined : `${this.#out.failure} writing ${this.path}`;
	}

	write(lines: string): void {
		this.#out.write(lines);
		this.#bytes += Buffer.byteLength(lines);
	}

	flush(): void {
		this.#out.flush();
	}

	finish(): void {
		this.#out.flush();
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#out.flush();
		closeSync(this.#fd);
	}
}

/** Creates the file, or empties it. Throws E-IO when it cannot be written, E-USAGE for a compressed pipe. */
export function openRecordFile(path: string): RecordFile {
	const compress = path.endsWith(".gz");
	let fd: number;
	try {
		fd = openSync(path, "w", 0o644);
	} catch (error) {
		throw new GomapgrowError("E-IO", {
			wanted: `to write ${path}`,
			found: errnoCode(error) ?? String(error),
			cause: error,
		});
	}
	const status = fstatSync(fd);
	if (!status.isFIFO() && !status.isSocket()) return new RegularFile(path, fd, compress);
	if (!compress) return new Pipe(path, fd);
	closeSync(fd);
	throw new GomapgrowError("E-USAGE", {
		wanted: "a regular file to write compressed records to",
		found: `the pipe ${path}`,
		advice: "compress them behind the pipe: -o >(gzip > run.ndjson.gz)",
	});
}

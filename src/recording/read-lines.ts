/** Reads the lines of a recording: a file or standard input, plain or compressed with gzip, in bounded memory. */
import { createReadStream, openSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";

const CHUNK = 1 << 20;
/** No record is as long: a window with 4096 call sites is some megabytes. */
const MAX_LINE = 64 << 20;
const LINE_FEED = 10;

/** What was wrong with the file as a file; absent fields were right. */
export interface SourceFaults {
	/** The last line has no line feed: it is what was being written when the file was cut off. */
	lastLine?: string;
	/** The compressed data end too early, or are damaged: what came before was read. */
	gzip?: "cut off" | "damaged";
	/** Lines that were longer than any record, and left out. */
	tooLong: number;
}

/** Cuts chunks into lines; a line's text is valid only as long as what `take` makes of it. */
class LineSplitter {
	readonly #take: (line: string) => void;
	readonly #decoder = new TextDecoder();
	#rest: Uint8Array[] = [];
	#restLength = 0;
	#skipping = false;
	tooLong = 0;

	constructor(take: (line: string) => void) {
		this.#take = take;
	}

	push(chunk: Uint8Array): void {
		const end = chunk.lastIndexOf(LINE_FEED);
		if (end < 0) {
			this.#keep(chunk);
			return;
		}
		let from = 0;
		if (this.#skipping) {
			this.#skipping = false;
			from = chunk.indexOf(LINE_FEED) + 1;
		}
		if (from <= end) {
			const lines = this.#decode(chunk.subarray(from, end)).split("\n");
			for (const line of lines) this.#take(line);
		}
		this.#keep(chunk.subarray(end + 1));
	}

	#decode(last: Uint8Array): string {
		if (this.#restLength === 0) return this.#decoder.decode(last);
		const parts = [...this.#rest, last];
		this.#rest = [];
		this.#restLength = 0;
		return this.#decoder.decode(Buffer.concat(parts));
	}

	#keep(part: Uint8Array): void {
		if (part.length === 0 || this.#skipping) return;
		this.#restLength += part.length;
		if (this.#restLength > MAX_LINE) {
			this.#rest = [];
			this.#restLength = 0;
			this.#skipping = true;
			this.tooLong++;
			return;
		}
		// A copy: the chunk's buffer may be used again.
		this.#rest.push(Uint8Array.prototype.slice.call(part));
	}

	/** What follows the last line feed. */
	end(): string {
		return this.#restLength === 0 ? "" : this.#decode(new Uint8Array(0));
	}
}

function ioError(name: string, error: unknown): GomapgrowError {
	const code = errnoCode(error);
	return new GomapgrowError("E-IO", { wanted: `to read ${name}`, found: code ?? String(error), cause: error });
}

function openSource(path: string): NodeJS.ReadableStream {
	if (path === "-") return process.stdin;
	// Opened here, so that a missing file is found before anything is read.
	return createReadStream(path, { fd: openSync(path, "r"), highWaterMark: CHUNK });
}

/** Feeds compressed data to `push` as it is expanded. Where they are damaged, the piece that is just being expanded is lost: 16 KiB at most. */
class Gunzip {
	// Loaded when it is needed: it brings all of node:stream, and every command would start slower by that.
	readonly #stream = process.getBuiltinModule("node:zlib").createGunzip({ chunkSize: 16 << 10 });
	#fault: "cut off" | "damaged" | undefined;
	#failure: unknown;
	#wake: (() => void) | undefined;

	constructor(push: (chunk: Uint8Array) => void) {
		this.#stream.on("data", (chunk: Uint8Array) => {
			try {
				push(chunk);
			} catch (error) {
				this.#failure ??= error;
			}
		});
		this.#stream.on("error", (error: unknown) => {
			this.#fault = errnoCode(error) === "Z_BUF_ERROR" ? "cut off" : "damaged";
			this.#wake?.();
		});
	}

	/** Waits until it is expanded. Returns false when nothing more can be. */
	async write(chunk: Uint8Array): Promise<boolean> {
		if (this.#fault === undefined) await this.#wait((done) => this.#stream.write(chunk, done));
		if (this.#failure !== undefined) throw this.#failure;
		return this.#fault === undefined;
	}

	async end(): Promise<"cut off" | "damaged" | undefined> {
		if (this.#fault === undefined) {
			await this.#wait((done) => {
				this.#stream.once("end", done);
				this.#stream.end();
			});
		}
		if (this.#failure !== undefined) throw this.#failure;
		return this.#fault;
	}

	async #wait(start: (done: () => void) => void): Promise<void> {
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			start(resolve);
		});
		this.#wake = undefined;
	}
}

/** The first two bytes of a gzip member (RFC 1952, section 2.3.1). */
function isGzip(head: Uint8Array): boolean {
	return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Calls `take` with every whole line of the file (`-`: standard input) and returns what was wrong with it. What `take` throws ends the
 * reading. Throws E-IO.
 */
export async function readLines(path: string, take: (line: string) => void): Promise<SourceFaults> {
	const name = path === "-" ? "standard input" : path;
	const splitter = new LineSplitter(take);
	let gunzip: Gunzip | undefined;
	let head: Uint8Array | undefined = new Uint8Array(0);
	const feed = async (chunk: Uint8Array): Promise<boolean> => {
		if (gunzip !== undefined) return await gunzip.write(chunk);
		splitter.push(chunk);
		return true;
	};
	const decide = async (bytes: Uint8Array): Promise<boolean> => {
		head = undefined;
		if (isGzip(bytes)) gunzip = new Gunzip((chunk) => splitter.push(chunk));
		return await feed(bytes);
	};
	for await (const chunk of chunksOf(path, name)) {
		if (head === undefined) {
			if (!(await feed(chunk))) break;
			continue;
		}
		// A pipe may give one byte at a time.
		head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
		if (head.length >= 2 && !(await decide(head))) break;
	}
	if (head !== undefined && head.length > 0) await decide(head);
	const faults: SourceFaults = { tooLong: 0 };
	const gzip = await gunzip?.end();
	if (gzip !== undefined) faults.gzip = gzip;
	const rest = splitter.end();
	if (rest !== "") faults.lastLine = rest;
	faults.tooLong = splitter.tooLong;
	return faults;
}

async function* chunksOf(path: string, name: string): AsyncGenerator<Uint8Array> {
	try {
		for await (const chunk of openSource(path)) yield chunk as unknown as Uint8Array;
	} catch (error) {
		if (error instanceof GomapgrowError || errnoCode(error) === undefined) throw error;
		throw ioError(name, error);
	}
}

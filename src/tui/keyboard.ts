/** Keys from standard input while it is a terminal in raw mode. */
import { StringDecoder } from "node:string_decoder";
import { type Key, KeyReader } from "./keys.ts";

/**
 * The pieces of one key come together, also over slow connections; an escape that stands alone for longer is the
 * escape key.
 */
const ESCAPE_MS = 60;

export class Keyboard {
	readonly #input: NodeJS.ReadStream;
	readonly #take: (keys: Key[]) => void;
	readonly #decoder = new StringDecoder("utf8");
	readonly #reader = new KeyReader();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(input: NodeJS.ReadStream, take: (keys: Key[]) => void) {
		this.#input = input;
		this.#take = take;
		input.on("data", this.#read);
		// A terminal that has gone: SIGHUP says so, too, and so does writing to it.
		input.on("error", () => this.close());
	}

	setRawMode(on: boolean): void {
		this.#input.setRawMode(on);
	}

	readonly #read = (bytes: Buffer): void => {
		clearTimeout(this.#timer);
		const keys = this.#reader.feed(this.#decoder.write(bytes));
		if (this.#reader.waiting) this.#timer = setTimeout(() => this.#take(this.#reader.flush()), ESCAPE_MS);
		if (keys.length > 0) this.#take(keys);
	};

	/** No more keys; standard input no longer keeps the process alive. */
	close(): void {
		clearTimeout(this.#timer);
		this.#input.off("data", this.#read);
		this.#input.pause();
	}
}

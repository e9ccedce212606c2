/**
 * Reads the text of `perf script` line by line: samples of a profile with their stacks. What it looks like is up to perf's version and to -F; what is not
 * understood is counted and left out.
 */

export interface PerfFrame {
	/** Address as perf prints it: of the process, or, in older versions, the offset in the file. */
	address: number;
	/** Absent where perf knows none. */
	fn?: string;
	/** Bytes from the function's beginning. */
	offset?: number;
	/** File of the code; absent in the frames of inlined functions. */
	dso?: string;
	file?: string;
	line?: number;
}

export interface PerfSample {
	comm: string;
	tid: number;
	/** Seconds of perf's clock. */
	time?: number;
	event: string;
	/** What the sample stands for, in units of the event: nanoseconds of cpu-clock. */
	period?: number;
	/** Innermost first. */
	frames: PerfFrame[];
}

/** perf itself records 127 unless told otherwise. */
const MAX_FRAMES = 1024;
/** Longer lines are no line of perf. */
const MAX_LINE = 1 << 16;

/** `comm tid [cpu] time: period event:`, where the name may have spaces, and the frame follows on the same line without -g. */
const HEAD =
	/^(\S.{0,63}?)\s{1,24}(?:-?\d+\/)?(-?\d+)\s{1,24}(?:\[\d+\]\s{1,24})?(?:(\d+\.\d+):\s{1,24})?(?:(\d+)\s{1,24})?([^\s:]{1,200}(?::[\w-]{1,20})?):\s*(.*)$/;
/** `address symbol+0xoffset (file)` */
const FRAME = /^([0-9a-f]{1,16}) (.+)$/;
const SYMBOL = /^(.*?)(?:\+0x([0-9a-f]{1,12}))?$/;
/** Of -F srcline, below the frame. */
const SOURCE_LINE = /^(\S.*):(\d{1,9})$/;
const UNKNOWN = "[unknown]";

/** The symbol and the file in parentheses behind it: both may have parentheses in them. */
function splitFile(text: string): [symbol: string, file: string | undefined] {
	if (!text.endsWith(")")) return [text, undefined];
	const at = Math.max(text.lastIndexOf(" (/"), text.lastIndexOf(" (["));
	const from = at >= 0 ? at : text.lastIndexOf(" (");
	if (from < 0) return text.startsWith("(") ? ["", text.slice(1, -1)] : [text, undefined];
	return [text.slice(0, from), text.slice(from + 2, -1)];
}

function parseFrame(text: string): PerfFrame | undefined {
	const match = FRAME.exec(text);
	if (match === null) return undefined;
	const [symbolText, file] = splitFile(match[2] ?? "");
	const [, fn = "", offset] = SYMBOL.exec(symbolText) ?? [];
	const address = Number.parseInt(match[1] ?? "", 16);
	return {
		address,
		...(fn === "" || fn === UNKNOWN ? {} : { fn }),
		...(offset === undefined ? {} : { offset: Number.parseInt(offset, 16) }),
		...(file === undefined || file === "inlined" ? {} : { dso: file }),
	};
}

export class PerfScriptReader {
	readonly #take: (sample: PerfSample) => void;
	#sample: PerfSample | undefined;
	#line = 0;
	#malformed = 0;
	#first: string | undefined;

	/** `take` gets each sample once it is complete. */
	constructor(take: (sample: PerfSample) => void) {
		this.#take = take;
	}

	/** Lines that are nothing that perf prints of a sample; `first` tells which is the first. */
	get malformed(): { count: number; first?: string } {
		return this.#first === undefined ? { count: this.#malformed } : { count: this.#malformed, first: this.#first };
	}

	line(text: string): void {
		this.#line++;
		if (text === "" || text === "\r") {
			this.end();
			return;
		}
		// The header of --header, and the events of --show-…-events.
		if (text.startsWith("#") || / PERF_RECORD_[A-Z]/.test(text)) return;
		if (text.length > MAX_LINE || !this.#understands(text.trimEnd())) this.#reject();
	}

	/** The last sample is complete. */
	end(): void {
		if (this.#sample !== undefined) this.#take(this.#sample);
		this.#sample = undefined;
	}

	#understands(text: string): boolean {
		const indented = /^\s/.test(text);
		if (indented && this.#sample !== undefined && this.#addFrame(text.trim(), this.#sample)) return true;
		return this.#begin(text.trimStart());
	}

	#addFrame(text: string, { frames }: PerfSample): boolean {
		const frame = parseFrame(text);
		if (frame !== undefined) {
			if (frames.length < MAX_FRAMES) frames.push(frame);
			return true;
		}
		const place = SOURCE_LINE.exec(text);
		const last = frames.at(-1);
		if (place === null || last === undefined) return false;
		last.file = place[1] ?? "";
		last.line = Number(place[2]);
		return true;
	}

	#begin(text: string): boolean {
		const match = HEAD.exec(text);
		if (match === null) return false;
		this.end();
		const [, comm = "", tid, time, period, event = "", rest = ""] = match;
		const frame = parseFrame(rest);
		this.#sample = {
			comm,
			tid: Number(tid),
			...(time === undefined ? {} : { time: Number(time) }),
			event,
			...(period === undefined ? {} : { period: Number(period) }),
			frames: frame === undefined ? [] : [frame],
		};
		// Without -g there is no empty line behind it.
		if (frame !== undefined) this.end();
		return true;
	}

	#reject(): void {
		this.#malformed++;
		this.#first ??= `line ${this.#line}`;
	}
}

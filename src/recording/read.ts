/** Reads recordings: what is whole is used, what is missing is said. */

import { GomapgrowError } from "../errors/error.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { GomapgrowRecord } from "../records/records.ts";
import { SCHEMA_VERSION } from "../records/records.ts";
import { formatCount, plural } from "../text/units.ts";
import { type MergedRecordings, RecordingSum } from "./merge.ts";
import { type ParsedLine, RecordParser } from "./parse-record.ts";
import { readLines, type SourceFaults } from "./read-lines.ts";
import { RecordingReader } from "./summarize.ts";

/** After as many lines without a single record it is no recording. */
const MAX_FOREIGN_LINES = 1000;
/** Of a line that is no record, as much is shown. */
const SHOWN_LENGTH = 60;
/** Notes on the recordings of one file. */
const MAX_NOTES = 1000;
/** The beginning of a recording inside of a line: another one was cut off before it. */
const START = '{"type":"start"';

export interface ReadResult {
	merged: MergedRecordings;
	/** What is missing or wrong, as sentences. */
	notes: string[];
}

function displayName(path: string): string {
	return path === "-" ? "standard input" : sanitize(path);
}

/** One file, which holds one recording or several. */
class RecordingFile {
	readonly #path: string;
	readonly #sum: RecordingSum;
	readonly #watch: (record: GomapgrowRecord) => void;
	readonly #parser = new RecordParser();
	#reader: RecordingReader | undefined;
	readonly #missing: { recording: number; text: string }[] = [];
	#moreMissing = 0;
	#count = 0;
	#records = 0;
	#line = 0;
	#faults = 0;
	#cutOff = 0;
	#firstFault = "";
	#others = 0;

	constructor(path: string, sum: RecordingSum, watch: (record: GomapgrowRecord) => void) {
		this.#path = path;
		this.#sum = sum;
		this.#watch = watch;
	}

	async read(): Promise<string[]> {
		const faults = await readLines(this.#path, (line) => this.#take(line));
		const { lastLine } = faults;
		// A file that somebody wrote without a last line feed may end in a whole record.
		if (lastLine !== undefined && this.#parser.parse(lastLine).kind !== "fault") this.#take(lastLine);
		else if (lastLine !== undefined) this.#cutOff++;
		if (this.#records === 0) throw this.#foreign();
		this.#close();
		return this.#allNotes(faults);
	}

	#take(line: string): void {
		this.#line++;
		if (line === "" || line === "\r") return;
		const parsed = this.#parser.parse(line);
		if (parsed.kind !== "fault") {
			this.#use(parsed);
			return;
		}
		const start = line.lastIndexOf(START);
		if (start > 0) {
			this.#cutOff++;
			this.#use(this.#parser.parse(line.slice(start)));
			return;
		}
		if (this.#faults++ === 0) this.#firstFault = `line ${formatCount(this.#line)} ${parsed.fault}`;
		if (this.#records === 0 && this.#faults >= MAX_FOREIGN_LINES) throw this.#foreign(line);
	}

	#use(parsed: ParsedLine): void {
		if (parsed.kind === "record") {
			this.#records++;
			this.#add(parsed.record);
		} else if (parsed.kind === "newer") {
			throw new GomapgrowError("E-RECORD-SCHEMA", {
				wanted: `a recording of schema version ${SCHEMA_VERSION}`,
				found: `version ${parsed.schema} in ${displayName(this.#path)}, line ${this.#line}`,
				advice: `read it with gomapgrow ${sanitize(parsed.version)}, which has written it, or a newer one`,
			});
		} else if (parsed.kind === "other") {
			this.#others++;
			if (this.#records === 0 && this.#others >= MAX_FOREIGN_LINES) throw this.#foreign();
		}
	}

	#add(record: GomapgrowRecord): void {
		if (record.type === "start" || this.#reader?.ended === true) this.#close();
		if (record.type === "start") {
			this.#reader = new RecordingReader(record);
			return;
		}
		this.#reader ??= new RecordingReader(undefined);
		this.#reader.add(record);
		this.#watch(record);
	}

	#close(): void {
		if (this.#reader === undefined) return;
		const recording = this.#reader.finish();
		this.#reader = undefined;
		this.#count++;
		for (const text of recording.missing) {
			if (this.#missing.length < MAX_NOTES) this.#missing.push({ recording: this.#count, text });
			else this.#moreMissing++;
		}
		this.#sum.add(recording);
	}

	#allNotes(faults: SourceFaults): string[] {
		const name = displayName(this.#path);
		// Which of several recordings it is, is said only when there are several.
		const notes = this.#missing.map(({ recording, text }) =>
			this.#count === 1 ? text : `recording ${recording}: ${text}`,
		);
		if (this.#moreMissing > 0) notes.push(`${plural(this.#moreMissing, "more note")} on its recordings left out`);
		if (faults.gzip !== undefined) notes.push(`the compressed data are ${faults.gzip}: what came before was read`);
		if (this.#cutOff > 0)
			notes.push(
				`${plural(this.#cutOff, "record")} at the end of a recording ${this.#cutOff === 1 ? "is" : "are"} cut off`,
			);
		const foreign = this.#faults + faults.tooLong;
		if (foreign > 0)
			notes.push(`${plural(foreign, "line")} left out${this.#firstFault === "" ? "" : `: ${this.#firstFault}`}`);
		if (this.#others > 0)
			notes.push(`${plural(this.#others, "record")} of types that this version does not know left out`);
		return notes.map((note) => `${name}: ${note}`);
	}

	#foreign(line?: string): GomapgrowError {
		const sample = line === undefined ? "" : `: ${sanitize(line, SHOWN_LENGTH)}`;
		const why =
			this.#line === 0 && this.#cutOff === 0
				? "nothing"
				: this.#firstFault === ""
					? "no record"
					: `no record, ${this.#firstFault}`;
		return new GomapgrowError("E-RECORD-MALFORMED", {
			wanted: "records of gomapgrow, plain or compressed with gzip",
			found: `${why} in ${displayName(this.#path)}${sample}`,
			mend: "gomapgrow record -o run.ndjson.gz   # writes a recording",
		});
	}
}

/** `watch` gets every record but starts. Throws E-IO, E-RECORD-SCHEMA, E-RECORD-MALFORMED. */
export async function readRecordings(
	paths: readonly string[],
	watch: (record: GomapgrowRecord) => void,
): Promise<ReadResult> {
	const sum = new RecordingSum();
	const notes: string[] = [];
	for (const path of paths) notes.push(...(await new RecordingFile(path, sum, watch).read()));
	const merged = sum.result();
	if (merged === undefined) throw new Error("a file with records is a recording");
	return { merged, notes };
}

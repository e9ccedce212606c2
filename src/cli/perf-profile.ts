/** `gomapgrow report --from-perf`: what the output of `perf script` says of map growth, beside a recording of the same time. */

import { EXIT, GomapgrowError } from "../errors/error.ts";
import { sanitize } from "../lib/sanitize.ts";
import { compareProfile } from "../perf-profile/compare.ts";
import { type CpuProfile, CpuProfileBuilder } from "../perf-profile/cpu-profile.ts";
import { profileJson } from "../perf-profile/json.ts";
import { PerfScriptReader } from "../perf-profile/parse-script.ts";
import { PerfFrames } from "../perf-profile/symbolize.ts";
import { profileText } from "../perf-profile/text.ts";
import { readRecordings } from "../recording/read.ts";
import { readLines } from "../recording/read-lines.ts";
import { formatCount, plural } from "../text/units.ts";
import { writeAll } from "./write-all.ts";

export interface PerfProfileOptions {
	/** Output of perf script; "-" is standard input. */
	script: string;
	/** Recordings of the same time; none is fine. */
	recordings: readonly string[];
	json: boolean;
	rows: number;
}

/** Returns the exit code. Throws E-IO, E-RECORD-… */
export async function perfProfile({ script, recordings, json, rows }: PerfProfileOptions): Promise<number> {
	const { profile, notes } = await readProfile(script);
	let comparison: ReturnType<typeof compareProfile> | undefined;
	if (recordings.length > 0) {
		const result = await readRecordings(recordings, () => {});
		comparison = compareProfile(profile, result.merged);
		notes.push(...result.notes);
	}
	const { isTTY, columns = 80 } = process.stdout;
	const width = isTTY ? columns : Number.POSITIVE_INFINITY;
	const text = json
		? profileJson(profile, comparison, notes)
		: profileText(profile, comparison, { columns: width, rows, notes });
	writeAll(1, text);
	return EXIT.done;
}

async function readProfile(path: string): Promise<{ profile: CpuProfile; notes: string[] }> {
	const frames = new PerfFrames();
	try {
		const builder = new CpuProfileBuilder(frames.resolve);
		const reader = new PerfScriptReader((sample) => builder.add(sample));
		const faults = await readLines(path, (line) => reader.line(line));
		if (faults.lastLine !== undefined) reader.line(faults.lastLine);
		reader.end();
		const { count, first } = reader.malformed;
		const name = path === "-" ? "standard input" : sanitize(path);
		const profile = builder.result();
		if (profile === undefined) {
			throw new GomapgrowError("E-RECORD-MALFORMED", {
				wanted: "the output of perf script",
				found: `no sample in ${name}${first === undefined ? "" : `, ${plural(count, "line")} that ${count === 1 ? "is" : "are"} nothing of it`}`,
				mend: "perf record -g -e cpu-clock:u -p PID -- sleep 10; perf script > perf.data.txt",
			});
		}
		const notes: string[] = [];
		const foreign = count + faults.tooLong;
		if (foreign > 0)
			notes.push(
				`${name}: ${formatCount(foreign)} ${foreign === 1 ? "line" : "lines"} left out${first === undefined ? "" : `, the first is ${first}`}`,
			);
		if (faults.gzip !== undefined)
			notes.push(`${name}: the compressed data are ${faults.gzip}: what came before was read`);
		return { profile, notes };
	} finally {
		frames.close();
	}
}

/** `gomapgrow report --from-perf`: what the output of `perf script` says of map growth, beside a recording of the same time. */

import { EXIT } from "../errors/error.ts";
import { compareProfile } from "../perf-profile/compare.ts";
import { profileJson } from "../perf-profile/json.ts";
import { readProfile } from "../perf-profile/read.ts";
import { profileText } from "../perf-profile/text.ts";
import { readRecordings } from "../recording/read.ts";
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

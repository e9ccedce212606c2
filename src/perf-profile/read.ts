/** Reads the output of perf script, from a file or standard input, into a profile. */
import { GomapgrowError } from "../errors/error.ts";
import { sanitize } from "../lib/sanitize.ts";
import { readLines } from "../recording/read-lines.ts";
import { formatCount, plural } from "../text/units.ts";
import { type CpuProfile, CpuProfileBuilder } from "./cpu-profile.ts";
import { PerfScriptReader } from "./parse-script.ts";
import { PerfFrames } from "./symbolize.ts";

/** The profile, and what of the file is left out of it, as sentences. Throws E-IO and E-RECORD-MALFORMED. */
export async function readProfile(path: string): Promise<{ profile: CpuProfile; notes: string[] }> {
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

/** What a process uses, from /proc. */
import { readdirSync, readFileSync } from "node:fs";
import type { Program } from "./processes.ts";

/** Most memory that it ever had resident, and what it has now, in bytes (proc_pid_status(5)). */
export function memoryOf(pid: number): { peak: number; now: number } {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	const bytes = (field: string): number => 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(status)?.[1]);
	return { peak: bytes("VmHWM"), now: bytes("VmRSS") };
}

/**
 * The peak of a program that ends by itself, looked at until then. Not the one that wait4(2) tells: what the parent had before execve is in it, and that is the whole
 * of a test's memory.
 */
export async function peakUntilEnd(program: Program): Promise<number> {
	let peak = 0;
	while (program.running) {
		try {
			// A process that has ended has none (NaN).
			peak = Math.max(peak, memoryOf(program.pid).peak || 0);
		} catch (error) {
			// It has been waited for.
			if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")))
				throw error;
		}
		await Bun.sleep(10);
	}
	return peak;
}

export function descriptorsOf(pid: number): number {
	return readdirSync(`/proc/${pid}/fd`).length;
}

/** Two neighbouring times of /proc/PID/stat, from the field with this number behind the name on. */
function sumOfTimes(pid: number, field: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return (Number(fields[field]) + Number(fields[field + 1])) / 100;
}

/** Processor time in seconds. */
export function cpuSecondsOf(pid: number): number {
	return sumOfTimes(pid, 11);
}

/** Processor time in seconds of the children that a program has waited for until its end: it must live some milliseconds longer than they do. */
export async function cpuSecondsOfChildren(program: Program): Promise<number> {
	for (let seconds = 0; ; ) {
		try {
			// cutime and cstime; a program that has ended has none.
			seconds = Math.max(seconds, sumOfTimes(program.pid, 13));
		} catch {
			return seconds;
		}
		if (!program.running) return seconds;
		await Bun.sleep(5);
	}
}

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

/** Processor time in seconds. */
export function cpuSecondsOf(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Processor time of a process that ends by itself, in seconds; looked at until its end, so that at most some milliseconds are missing. */
export async function cpuSecondsToEnd(pid: number): Promise<number> {
	for (let seconds = 0; ; ) {
		try {
			seconds = cpuSecondsOf(pid);
		} catch {
			return seconds;
		}
		await Bun.sleep(3);
	}
}

/** The first process that this one starts. */
export async function firstChild(program: Program): Promise<number> {
	return await program.until("child", () => {
		for (const thread of readdirSync(`/proc/${program.pid}/task`)) {
			const [child] = readFileSync(`/proc/${program.pid}/task/${thread}/children`, "utf8").split(" ");
			if (child) return Number(child);
		}
		return undefined;
	});
}

/** What a process uses, from /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Most memory that it ever had resident, and what it has now, in bytes (proc_pid_status(5)). */
export function memoryOf(pid: number): { peak: number; now: number } {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	const bytes = (field: string): number => 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(status)?.[1]);
	return { peak: bytes("VmHWM"), now: bytes("VmRSS") };
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

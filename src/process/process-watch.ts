import { GomapgrowError } from "../errors/error.ts";
import { readStat } from "./procfs.ts";

/**
 * Whether the process that had this PID and start time still runs: a zombie has ended, and so has a process whose PID belongs to
 * another one now. Costs one small read of /proc.
 */
export function isRunning(pid: number, startTime: number): boolean {
	try {
		const stat = readStat(pid);
		return stat.startTime === startTime && !stat.ended;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return false;
		throw error;
	}
}

/** Whether a process with this PID runs, whichever it is. */
export function isThere(pid: number): boolean {
	try {
		return !readStat(pid).ended;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return false;
		throw error;
	}
}

/** Processor time of the machine as a whole, from /proc/stat (proc(5); Linux fs/proc/stat.c). */
import { closeSync, openSync, readSync } from "node:fs";

/** Nanoseconds since the start of the machine, over all processors. */
export interface MachineTime {
	allNs: number;
	idleNs: number;
}

/** USER_HZ is 100 on every architecture that Go runs on with 64 bits. */
const TICK_NS = 1e7;
const FIRST_LINE = 512;
const HIDDEN = new Set(["ENOENT", "EACCES", "EPERM"]);
/** In user and nice, guests are counted already. */
const FIELDS = 8;
const [IDLE, IOWAIT] = [3, 4];

/** What the line of all processors says; undefined when it is not one. */
export function parseMachineTime(text: string): MachineTime | undefined {
	const ticks = /^cpu +([\d ]+)\n/.exec(text)?.[1]?.split(" ").slice(0, FIELDS).map(Number);
	const [idle, iowait] = [ticks?.[IDLE], ticks?.[IOWAIT]];
	if (ticks === undefined || idle === undefined || iowait === undefined) return undefined;
	return { allNs: ticks.reduce((sum, each) => sum + each, 0) * TICK_NS, idleNs: (idle + iowait) * TICK_NS };
}

/** Undefined where the file is hidden (systemd's ProcSubset=pid). */
export function machineTime(path = "/proc/stat"): MachineTime | undefined {
	let fd: number;
	try {
		fd = openSync(path, "r");
	} catch (error) {
		if (HIDDEN.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
		throw error;
	}
	try {
		const buffer = Buffer.alloc(FIRST_LINE);
		return parseMachineTime(buffer.toString("latin1", 0, readSync(fd, buffer, 0, FIRST_LINE, 0)));
	} finally {
		closeSync(fd);
	}
}

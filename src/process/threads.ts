/** The threads of a process, and what those are at that are inside the kernel (proc_pid_syscall(5), proc_pid_status(5)). */
import { readdirSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { procfsError, readProcfs } from "./procfs-file.ts";

/** Where a thread that sleeps in the kernel left user space. */
export interface BlockedThread {
	/** Number of the system call; -1 when it is in the kernel for something else, a page fault for instance. */
	systemCall: number;
	sp: number;
	pc: number;
}

/**
 * "running" for a thread that is on a processor or waits for one; undefined when it has ended, or only its owner may know. Throws E-IO.
 */
export function readThread(pid: number, tid: number): BlockedThread | "running" | undefined {
	let text: string;
	try {
		text = readProcfs(pid, `task/${tid}/syscall`).toString("utf8");
	} catch (error) {
		if (error instanceof GomapgrowError && /^E-TARGET-(GONE|DENIED)$/.test(error.code)) return undefined;
		throw error;
	}
	return parseSyscall(text);
}

/** The text of a syscall file: "running", "NR arguments SP PC", or "-1 SP PC". */
export function parseSyscall(text: string): BlockedThread | "running" | undefined {
	if (text.trim() === "running") return "running";
	const words = text.trim().split(" ");
	const [systemCall, sp, pc] = [words[0], words.at(-2), words.at(-1)].map(Number) as [number, number, number];
	return words.length >= 3 && [systemCall, sp, pc].every(Number.isSafeInteger) ? { systemCall, sp, pc } : undefined;
}

/** How many threads are on a processor or wait for one. Those that have ended are none. Throws E-TARGET-DENIED, E-IO. */
export function countRunnable(pid: number, tids: readonly number[]): number {
	return tids.filter((tid) => threadState(pid, tid) === "R").length;
}

/** The state letter of proc_pid_stat(5); undefined for a thread that has ended. */
function threadState(pid: number, tid: number): string | undefined {
	try {
		const text = readProcfs(pid, `task/${tid}/stat`).toString("utf8");
		// The name before it may itself contain parentheses.
		return text[text.lastIndexOf(")") + 2];
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return undefined;
		throw error;
	}
}

/** Thread ids of a process. Throws E-TARGET-GONE, E-TARGET-DENIED, E-IO. */
export function listThreads(pid: number): number[] {
	try {
		return readdirSync(`/proc/${pid}/task`).map(Number);
	} catch (error) {
		throw procfsError(pid, "task", error);
	}
}

/**
 * From thread ids as a process in a PID namespace of its own sees them to ours; one that has ended meanwhile is left out. Throws
 * E-TARGET-GONE, E-TARGET-DENIED, E-IO.
 */
export function threadIdsByNamespace(pid: number): Map<number, number> {
	const ids = new Map<number, number>();
	for (const tid of listThreads(pid)) {
		try {
			const status = readProcfs(pid, `task/${tid}/status`).toString("utf8");
			ids.set(Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1] ?? tid), tid);
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code === "E-TARGET-GONE")) throw error;
		}
	}
	return ids;
}

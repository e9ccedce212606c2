/**
 * Compares two counters of the same passes of an instruction, that of our programs and that of perf, which no two of the kernel's readings see at the same
 * moment. What is compared is how far apart they are at the beginning and at the end: where nothing passes while both are read, that is exact.
 */
import type { Verdict } from "./record.ts";

/** Both counters of a site, read in this order: perf, bpf, perf, then the runnable threads, bpf, perf. */
export interface PairedSample {
	perf: readonly [number, number, number];
	bpf: readonly [number, number];
	/** Threads of the process that were on a processor or waited for one, and all of them. */
	runnable: number;
	threads: number;
}

/** How much more than ours perf's counter said at one moment; both included. */
export interface Offset {
	low: number;
	high: number;
}

/**
 * How far apart the counters are once no thread is between the one and the other. A thread that has passed one of them and is interrupted before it comes
 * to the other is runnable; as long as it is, neither of the two goes on because of it.
 */
export function offsetOf({ perf, bpf, runnable, threads }: PairedSample): Offset {
	const apart = perf[0] - bpf[0];
	if (perf[0] === perf[2] && bpf[0] === bpf[1]) return { low: apart - runnable, high: apart + runnable };
	return { low: apart - threads, high: perf[1] - bpf[0] + threads };
}

/** How uncertain an offset is; 0: it is exact. */
export function widthOf({ low, high }: Offset): number {
	return high - low;
}

/** What perf has counted more than we have from the first offset to the last one. */
export function differenceOf(first: Offset, last: Offset): Offset {
	// Not -0, which JSON and tests tell from 0.
	return { low: last.low - first.high || 0, high: last.high - first.low || 0 };
}

/** What can make two right counters differ. */
export interface Circumstances {
	scope: "processors" | "threads";
	/** Threads that started meanwhile. */
	threadsStarted: number;
	/** Other processes that began to execute the file meanwhile. */
	otherProcesses: number;
	/** How often threads have moved to another processor. */
	migrations: number;
}

function counted(count: number, one: string, many: string): string {
	return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

/** Whether a difference is none, has its reason, or has no reason. */
export function judge({ low, high }: Offset, circumstances: Circumstances): { verdict: Verdict; explanation?: string } {
	const { scope, threadsStarted, otherProcesses, migrations } = circumstances;
	if (low === 0 && high === 0) return { verdict: "equal" };
	if (low <= 0 && high >= 0) {
		const most = counted(Math.max(-low, high), "pass", "passes");
		return {
			verdict: "explained",
			explanation: `equal but for ${most} at most, which came, or were under way in a thread, while the counters were read`,
		};
	}
	if (high < 0 && scope === "threads" && threadsStarted > 0) {
		const threads = counted(threadsStarted, "thread has", "threads have");
		return {
			verdict: "explained",
			explanation: `${threads} started meanwhile, whose first passes perf has not counted`,
		};
	}
	if (low > 0 && scope === "processors" && otherProcesses > 0) {
		const others = counted(otherProcesses, "other process has", "other processes have");
		return {
			verdict: "explained",
			explanation: `${others} begun to execute the same file meanwhile, whose passes perf has counted too`,
		};
	}
	// On each processor perf counts by an event of its own, and a move in the middle of a pass can get past both, or be seen by both.
	if (scope === "processors" && Math.max(low, -high) <= migrations) {
		const moves = counted(migrations, "time", "times");
		return {
			verdict: "explained",
			explanation: `threads have moved to another processor ${moves} meanwhile: a pass in the middle of a move is counted by none or by two of perf's counters`,
		};
	}
	return { verdict: "unexplained" };
}

const WORSE: readonly Verdict[] = ["equal", "explained", "unexplained"];

/** The worst of them; equal for none. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
	return WORSE[Math.max(0, ...verdicts.map((verdict) => WORSE.indexOf(verdict)))] ?? "equal";
}

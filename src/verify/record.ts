/**
 * What `verify` says about one process, in the spelling of its JSON. The rules are those of the records: addresses are hex strings, nanoseconds end in `_ns`,
 * what is not known is absent, text from the process is sanitised.
 */
import type { EndReason, MapImpl, TierName } from "../records/records.ts";

/**
 * equal: to the last pass. explained: not told to the last one, or different, for a reason that is known. unexplained: one of the two has counted
 * wrongly.
 */
export type Verdict = "equal" | "explained" | "unexplained";

/** One function, whose site was counted twice at the same time. */
export interface VerifiedFunction {
	fn: string;
	tier: TierName;
	address: string;
	file_offset: number;
	instruction: string;
	cost: "emulated" | "stepped";
	/** By our programs: calls, and passes that were sent to morestack and came again. */
	calls: number;
	restarts: number;
	/** Passes of the instruction: by our programs (calls and restarts), and by perf events alone. */
	passes: { bpf: number; perf: number };
	/** What perf has counted more lies between these, both included. */
	difference: { low: number; high: number };
	verdict: Verdict;
	/** The reason for a verdict of explained. */
	explanation?: string;
}

export interface VerificationRecord {
	type: "verification";
	/** When counting began: RFC 3339, UTC, nanoseconds. */
	time: string;
	duration_ns: number;
	/** What ended it. */
	reason: EndReason;
	pid: number;
	name: string;
	exe: string;
	go_version: string;
	map_impl: MapImpl;
	/** Where perf has counted: on all processors, or in the threads of the process, one by one. */
	scope: "processors" | "threads";
	/** threads: how many have started meanwhile, and were counted only from when they were noticed. */
	threads_started?: number;
	/** processors: how many other processes have begun to execute the same file meanwhile. */
	other_processes?: number;
	/** processors: how often the threads have moved to another processor; each time a single pass may be counted by none or by two of perf's counters. */
	migrations?: number;
	functions: VerifiedFunction[];
	not_probed: { fn: string; reason: string }[];
	/** The worst of the functions'. */
	verdict: Verdict;
	/** Commands that count the same with other tools; absent when none of the sites is cheap. */
	by_hand?: { bpftrace: string; perf: string[] };
}

/**
 * What `verify` reports about one process, in the spelling of its JSON: schemas, and the types that follow from
 * them. The rules are those of the records: addresses are hex strings, nanoseconds end in `_ns`, what is not known
 * is absent, text from the process is sanitised.
 */
import { cost, endReason, impl, notProbed, tier } from "../records/parts.ts";
import {
	constant,
	described,
	hex,
	type Infer,
	list,
	moment,
	object,
	oneOf,
	optional,
	type Schema,
	text,
	whole,
} from "../records/schema-node.ts";

const integer: Schema<number> = { json: { type: "integer" } };

/**
 * equal: to the last pass. explained: not counted to the last one, or different, for a reason that is known.
 * unexplained: one of the two has counted wrongly.
 */
export type Verdict = Infer<typeof verdict>;
const verdict = described(
	oneOf("equal", "explained", "unexplained"),
	"equal: to the last pass; explained: the reason for the difference is known; unexplained: one of the two counted wrongly",
);

/** One function, whose site was counted twice at the same time. */
export type VerifiedFunction = Infer<typeof verifiedFunction>;
const verifiedFunction = object({
	fn: text,
	tier,
	address: hex,
	file_offset: whole,
	instruction: text,
	cost,
	/** By our programs. */
	calls: whole,
	restarts: described(whole, "passes that were sent to morestack and came again"),
	/** Passes of the instruction: by our programs (calls and restarts), and by perf events alone. */
	passes: object({ bpf: whole, perf: whole }),
	difference: described(
		object({ low: integer, high: integer }),
		"what perf has counted more lies between these, both included",
	),
	verdict,
	/** The reason for a verdict of explained. */
	explanation: optional(text),
});

export type VerificationRecord = Infer<typeof verificationSchema>;
export const verificationSchema = described(
	object({
		type: constant("verification"),
		/** When counting began. */
		time: moment,
		duration_ns: whole,
		/** What ended it. */
		reason: endReason,
		pid: whole,
		name: text,
		exe: text,
		go_version: text,
		map_impl: impl,
		/** Where perf has counted: on all processors, or in the threads of the process, one by one. */
		scope: oneOf("processors", "threads"),
		/** threads: how many have started meanwhile, and were counted only from when they were noticed. */
		threads_started: optional(whole),
		/** processors: how many other processes have begun to execute the same file meanwhile. */
		other_processes: optional(whole),
		/**
		 * processors: how often the threads have moved to another processor; each time a single pass may be counted
		 * by none or by two of perf's counters.
		 */
		migrations: optional(whole),
		functions: list(verifiedFunction),
		not_probed: list(notProbed),
		/** The worst of the functions'. */
		verdict,
		/** Absent when no site is emulated. */
		by_hand: optional(object({ bpftrace: text, perf: list(text) }), "commands that count the same with other tools"),
	}),
	"the same calls, counted twice: verify --json",
);

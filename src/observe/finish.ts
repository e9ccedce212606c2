/**
 * The end of an observation: probes out first, then the ring, then the counters, then the end record, then the rest of
 * the output.
 */
import { GomapgrowError } from "../errors/error.ts";
import type { EndReason } from "../records/records.ts";
import type { AttachedTargets } from "./attached-targets.ts";
import { type Clock, milliseconds } from "./clock.ts";
import { type Drain, FLUSH_MS } from "./drain.ts";
import type { Sinks } from "./sinks.ts";
import type { Governing, Tracer } from "./tracer.ts";
import type { WindowReports } from "./windows.ts";

/** How long a slow reader may hold up the exit: when the user asked for it, and otherwise, as long as it reads. */
const PATIENCE_MS = { user: 250, other: 10_000 };
/**
 * A reader that takes nothing for this long does not read; on a busy machine one may not get its turn for some hundred
 * milliseconds.
 */
const STALL_MS = 3000;
/** Time for what is left at the very end: the end record is in it. */
const LAST_WORDS_MS = 500;

export interface Finishing {
	tracer: Tracer;
	sinks: Sinks;
	clock: Clock;
	drain: Drain;
	targets: AttachedTargets;
	reports: WindowReports;
	governor: Governing;
}

/** Ends the observation. Throws E-IO when the output could not be written. */
export async function finish(parts: Finishing, reason: EndReason): Promise<void> {
	const { tracer, sinks, clock, drain, targets, reports, governor } = parts;
	const { reader } = sinks;
	const byUser = reason !== "duration" && reason !== "target-exit";
	// Takes a second and more with one perf event per probe: the patience below is with the reader.
	governor.finish(Number(clock.monotonicNs()));
	tracer.detach();
	const deadline = milliseconds(clock) + (byUser ? PATIENCE_MS.user : PATIENCE_MS.other);
	// Nothing is added to the ring any more, so this ends; what a slow reader has no room for is lost, and counted as
	// lost.
	do await writeUntil(() => reader.ready, parts, deadline);
	while (reader.ready && !drain.empty());
	if (reader.ready) drain.flush();
	else tracer.discard();
	targets.writeExits();
	const counters = tracer.readFinalCounters();
	reports.close(counters, targets.watched, true);
	reports.end(counters, targets.watched, reason);
	await writeUntil(() => reader.queued === 0, parts, Math.max(deadline, milliseconds(clock) + LAST_WORDS_MS));
	const failure = reader.failure ?? (reader.queued > 0 ? "a reader that does not read" : undefined);
	if (failure !== undefined) throw new GomapgrowError("E-IO", { wanted: "to write the output", found: failure });
}

/** Writes until `enough`, as long as the reader reads and until `deadline`. */
async function writeUntil(enough: () => boolean, { sinks, clock }: Finishing, deadline: number): Promise<void> {
	const { reader } = sinks;
	let { queued } = reader;
	for (let progress = milliseconds(clock); !enough() && !reader.closed; ) {
		const now = milliseconds(clock);
		if (now >= deadline || now - progress >= STALL_MS) return;
		await clock.sleep(FLUSH_MS);
		sinks.flush();
		if (reader.queued < queued) progress = now;
		queued = reader.queued;
	}
}

/** The streams of a target as the governor has them: probes to attach and detach, gates, and what hits have cost. */
import type { SiteReading } from "../budget/stream-load.ts";
import type { GateNs } from "../budget/stream-probes.ts";
import type { StreamControl } from "../budget/target-budget.ts";
import type { Gate } from "../kernel/bpf-object.ts";
import { noCounts, type SiteCounts } from "../kernel/counters.ts";
import type { Session } from "./session.ts";
import type { EntrySite, ExitSiteOf } from "./site-table.ts";
import { STREAMS, type Stream } from "./streams.ts";
import type { Target } from "./target.ts";

const gateOf = ({ from, to }: GateNs): Gate => ({ from: BigInt(Math.round(from)), to: BigInt(Math.round(to)) });

/** Those of the streams that its plan has functions of. */
export function streamControls(session: Session, target: Target): Map<Stream, StreamControl> {
	const controls = new Map<Stream, StreamControl>();
	for (const stream of STREAMS) {
		const entries = session.entriesOf(target, stream);
		if (entries.length > 0) controls.set(stream, controlOf(session, target, stream, entries));
	}
	return controls;
}

function controlOf(session: Session, target: Target, stream: Stream, entries: readonly EntrySite[]): StreamControl {
	const exits: readonly ExitSiteOf[] = session.exitsOf(target, stream);
	const timed = entries.filter((entry) => entry.timed);
	return {
		setAttached: (part, on) => session.setAttached(target, stream, part, on),
		setGates: (gates) => session.setWindows(target, stream, gates && [gateOf(gates[0]), gateOf(gates[1])]),
		underWay: () =>
			session
				.countsOfAll(timed)
				.reduce((sum, { begun, paired, left, withdrawn }) => sum + begun - paired - left - withdrawn, 0),
		entries: () => {
			const counts = session.countsOfAll(entries);
			return entries.map((site, at) => reading(counts[at], site.probe.site.cost));
		},
		exits: () => {
			const counts = session.countsOfAll(exits);
			return exits.map(({ exit }, at) => reading(counts[at], exit.cost));
		},
	};
}

function reading(counts: SiteCounts = noCounts(), cost: "emulated" | "stepped"): SiteReading {
	return { counts, stepped: cost === "stepped" };
}

/** The streams of a target as the governor has them: probes to attach and detach, gates, and what hits have cost. */
import type { SiteReading } from "../budget/stream-load.ts";
import type { GateNs } from "../budget/stream-probes.ts";
import type { StreamControl } from "../budget/target-budget.ts";
import type { Gate } from "../kernel/bpf-object.ts";
import { STREAMS, type Stream } from "./probes.ts";
import type { Session } from "./session.ts";
import type { EntrySite, ExitSiteOf } from "./site-table.ts";
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
			timed.reduce((sum, site) => {
				const { begun, paired, left, withdrawn } = session.countsOf(site);
				return sum + begun - paired - left - withdrawn;
			}, 0),
		entries: () =>
			entries.map(
				(site): SiteReading => ({
					counts: session.countsOf(site),
					stepped: site.probe.site.cost === "stepped",
				}),
			),
		exits: () =>
			exits.map((site): SiteReading => ({ counts: session.countsOf(site), stepped: site.exit.cost === "stepped" })),
	};
}

/** Turns the signals that ask us to leave into a stop request. */

import type { StopRequest } from "../observe/stop-request.ts";
import type { EndReason } from "../records/records.ts";

const REASONS: Partial<Record<NodeJS.Signals, EndReason>> = {
	SIGINT: "interrupt",
	SIGTERM: "terminate",
	SIGHUP: "hangup",
};

/** `onSignal` also gets the signal, to pass it on to a command. */
export function stopOnSignals(stop: StopRequest, onSignal?: (signal: NodeJS.Signals) => void): void {
	for (const [signal, reason] of Object.entries(REASONS)) {
		process.on(signal, () => {
			onSignal?.(signal as NodeJS.Signals);
			stop.request(reason);
		});
	}
}

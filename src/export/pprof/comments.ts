/** What a profile states of how it was made: sentences for its comments. */
import { sanitize } from "../../lib/sanitize.ts";
import type { Ledger, StartRecord } from "../../records/records.ts";
import { formatCount } from "../../text/units.ts";

/** `ledger`: undefined where the recording has neither an end nor a window. */
export function profileComments(
	starts: readonly Pick<StartRecord, "version" | "host">[],
	ledger: Ledger | undefined,
): string[] {
	const writers = new Set(starts.map(({ version, host }) => `gomapgrow ${sanitize(version)} on ${sanitize(host)}`));
	return [
		...writers,
		ledger === undefined ? "the end of the recording is missing: growths may be, too" : growths(ledger),
	];
}

function growths({ growth }: Ledger): string {
	const { hits, recorded, sampled_out, throttled, lost, pending = 0 } = growth;
	const parts = [`${formatCount(hits)} growths = ${formatCount(recorded)} recorded`];
	if (sampled_out + throttled > 0) parts.push(`${formatCount(sampled_out + throttled)} not picked as records`);
	if (pending > 0) parts.push(`${formatCount(pending)} still running`);
	if (lost > 0) parts.push(`${formatCount(lost)} lost`);
	return parts.join(" + ");
}

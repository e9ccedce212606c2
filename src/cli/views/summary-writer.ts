/** The summary of an observation, as text. */
import type { OutputFd } from "../../kernel/output-fd.ts";
import type { EndRecord } from "../../model/records.ts";
import { measuredTiers } from "../../output/measured.ts";
import { summaryText } from "../../output/summary.ts";
import type { EndState } from "../live-view.ts";

export function writeSummary(out: OutputFd, record: EndRecord, state: EndState): void {
	out.write(
		summaryText({
			elapsedNs: record.elapsed_ns,
			total: state.total,
			ledger: record.ledger,
			measured: measuredTiers(state.targets),
			losses: state.losses,
		}),
	);
	out.flush();
}

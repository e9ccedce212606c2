/** The summary of an observation, as text. */
import type { OutputFd } from "../kernel/output-fd.ts";
import type { EndState } from "../observe/sink.ts";
import type { EndRecord } from "../records/records.ts";
import { measuredTiers } from "./measured.ts";
import { summaryText } from "./summary.ts";

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

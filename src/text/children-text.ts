import { sanitize } from "../lib/sanitize.ts";
import type { Children } from "../records/records.ts";
import { plural } from "./units.ts";

/** What was missed of the programs that targets have started, as sentences. */
export function missedTexts({ late, missed }: Children): string[] {
	return [
		...(late === 0
			? []
			: [`${plural(late, "program")} had begun to run when ${late === 1 ? "its" : "their"} probes were attached`]),
		...missed.map(({ reason, count }) => `${plural(count, "program")} not observed: ${sanitize(reason)}`),
	];
}

/** What is known of the programs that targets have started, and what was missed of them. */
import type { Children } from "../records/records.ts";

export type { Children };

/** Whether maps may have grown in some of them that no probe has seen. */
export function hasMissed({ late, missed }: Children): boolean {
	return late > 0 || missed.length > 0;
}

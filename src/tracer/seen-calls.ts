/** What the rows of the kernel's table of calls held when they were taken last. */
import type { CallRow, CallSums } from "../kernel/counters.ts";
import { NumberTable } from "../lib/number-table.ts";

/** Site, process, type, caller and shape; then the sums. */
const KEY_LENGTH = 5;
const SUMS_LENGTH = 6;

/** Bounded by the kernel's table: rows that leave that one are forgotten here, too. */
export class SeenCalls {
	readonly #rows = new NumberTable(KEY_LENGTH, SUMS_LENGTH);

	/** How many rows there are. */
	get size(): number {
		return this.#rows.size;
	}

	/** Remembers the row and sets `since` to what has been added to it since the last time; false when that is no call. */
	take(row: Readonly<CallRow>, since: CallSums): boolean {
		const at = this.#find(row);
		const sums = this.#rows.numbers;
		since.calls = row.calls - (sums[at] ?? 0);
		since.timed = row.timed - (sums[at + 2] ?? 0);
		if (since.calls === 0 && since.timed === 0) return false;
		since.entries = row.entries - (sums[at + 1] ?? 0);
		since.elapsedNs = row.elapsedNs - (sums[at + 3] ?? 0);
		since.onCpu = row.onCpu - (sums[at + 4] ?? 0);
		since.cpuNs = row.cpuNs - (sums[at + 5] ?? 0);
		sums[at] = row.calls;
		sums[at + 1] = row.entries;
		sums[at + 2] = row.timed;
		sums[at + 3] = row.elapsedNs;
		sums[at + 4] = row.onCpu;
		sums[at + 5] = row.cpuNs;
		return true;
	}

	#find({ site, tgid, mapType, caller, shape }: Readonly<CallRow>): number {
		const { key } = this.#rows;
		key[0] = site;
		key[1] = tgid;
		key[2] = mapType;
		key[3] = caller;
		key[4] = shape;
		return this.#rows.findOrAdd();
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		this.#rows.keep((at) => !sites.has(this.#rows.numbers[at] ?? 0));
	}
}

/**
 * What the rows of the kernel's table of calls held when they were taken last. There can be ten thousands of rows, and
 * all are looked up many times a second: they are numbers in one array, found by a hash of the key, and not objects.
 */
import type { CallRow, CallSums } from "../kernel/counters.ts";

const FIRST_ROWS = 256;
/** Numbers of a row: site, process, type, caller and shape, then the sums. */
const KEY_LENGTH = 5;
const ROW_LENGTH = KEY_LENGTH + 6;

/** Adds a whole number below 2^53 to a hash (constants of murmur3). */
function mix(hash: number, value: number): number {
	const low = Math.imul(hash ^ (value >>> 0), 0xcc9e2d51);
	const both = Math.imul((low ^ (low >>> 15)) + Math.floor(value / 2 ** 32), 0x1b873593);
	return both ^ (both >>> 13);
}

function hashOf(site: number, tgid: number, mapType: number, caller: number, shape: number): number {
	return mix(mix(mix(mix(mix(0, site), tgid), mapType), caller), shape);
}

/** Rows are bounded by the kernel's table: those that leave it are forgotten here, too. */
export class SeenCalls {
	#rows = new Float64Array(FIRST_ROWS * ROW_LENGTH);
	#count = 0;
	/** At the hash of a row or behind it: the row's number, from 1 on. A power of two, at most half of which is taken. */
	#slots = new Int32Array(2 * FIRST_ROWS);

	/** How many rows there are. */
	get size(): number {
		return this.#count;
	}

	/** Remembers the row and sets `since` to what has been added to it since the last time; false when that is no call. */
	take(row: Readonly<CallRow>, since: CallSums): boolean {
		const at = this.#find(row);
		const rows = this.#rows;
		since.calls = row.calls - (rows[at] ?? 0);
		since.timed = row.timed - (rows[at + 2] ?? 0);
		if (since.calls === 0 && since.timed === 0) return false;
		since.entries = row.entries - (rows[at + 1] ?? 0);
		since.elapsedNs = row.elapsedNs - (rows[at + 3] ?? 0);
		since.onCpu = row.onCpu - (rows[at + 4] ?? 0);
		since.cpuNs = row.cpuNs - (rows[at + 5] ?? 0);
		rows[at] = row.calls;
		rows[at + 1] = row.entries;
		rows[at + 2] = row.timed;
		rows[at + 3] = row.elapsedNs;
		rows[at + 4] = row.onCpu;
		rows[at + 5] = row.cpuNs;
		return true;
	}

	/** Where the sums of a row are in `#rows`; a new row is added. */
	#find({ site, tgid, mapType, caller, shape }: Readonly<CallRow>): number {
		const rows = this.#rows;
		const last = this.#slots.length - 1;
		let slot = hashOf(site, tgid, mapType, caller, shape) & last;
		for (;;) {
			const number = this.#slots[slot] ?? 0;
			if (number === 0) break;
			const at = (number - 1) * ROW_LENGTH;
			const same =
				rows[at + 3] === caller &&
				rows[at] === site &&
				rows[at + 4] === shape &&
				rows[at + 2] === mapType &&
				rows[at + 1] === tgid;
			if (same) return at + KEY_LENGTH;
			slot = (slot + 1) & last;
		}
		if (2 * (this.#count + 1) > this.#slots.length) this.#resize(2 * this.#slots.length);
		const at = this.#count * ROW_LENGTH;
		this.#rows.set([site, tgid, mapType, caller, shape], at);
		this.#count++;
		this.#index(this.#count - 1);
		return at + KEY_LENGTH;
	}

	/** Lets the row be found. */
	#index(row: number): void {
		const [site = 0, tgid = 0, mapType = 0, caller = 0, shape = 0] = this.#rows.subarray(row * ROW_LENGTH);
		const last = this.#slots.length - 1;
		let slot = hashOf(site, tgid, mapType, caller, shape) & last;
		while (this.#slots[slot] !== 0) slot = (slot + 1) & last;
		this.#slots[slot] = row + 1;
	}

	#resize(slots: number): void {
		const rows = new Float64Array((slots / 2) * ROW_LENGTH);
		rows.set(this.#rows.subarray(0, this.#count * ROW_LENGTH));
		this.#rows = rows;
		this.#slots = new Int32Array(slots);
		for (let row = 0; row < this.#count; row++) this.#index(row);
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		const rows = this.#rows;
		let kept = 0;
		for (let row = 0; row < this.#count; row++) {
			const at = row * ROW_LENGTH;
			if (sites.has(rows[at] ?? 0)) continue;
			rows.copyWithin(kept * ROW_LENGTH, at, at + ROW_LENGTH);
			kept++;
		}
		rows.fill(0, kept * ROW_LENGTH, this.#count * ROW_LENGTH);
		this.#count = kept;
		let slots = this.#slots.length;
		while (slots > 2 * FIRST_ROWS && 4 * kept <= slots / 2) slots /= 2;
		this.#resize(slots);
	}
}

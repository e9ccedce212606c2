import { GomapgrowError } from "../../errors/error.ts";
import type { TableBytes } from "./table-bytes.ts";

const FIRST_CHUNK = 256;
/** Tables of the largest functions have tens of KiB. */
const MAX_TABLE_BYTES = 1 << 20;
/** Two varints of 32 bits. */
const PAIR_BYTES = 10;

/**
 * The value that a pc-value table has for `targetPc`, or -1 when the table does not cover it: pairs of a zigzag value delta and
 * a pc delta as varints, ended by a zero value delta (runtime/symtab.go, pcvalue and step). `quantum` is the instruction
 * alignment that pc deltas count in. Throws E-BIN-MALFORMED when the table has no end.
 */
export function pcValue(table: TableBytes, offset: number, entry: number, targetPc: number, quantum: number): number {
	const steps = Math.max(0, targetPc - entry) / quantum;
	return read(table, offset, steps, (bytes) => {
		const value = walk(bytes, entry, targetPc, quantum);
		return Number.isNaN(value) ? undefined : value;
	});
}

/**
 * What `decode` makes of the table's bytes, of which it gets more as long as it says undefined. Every pair of numbers goes on by an
 * instruction at least: a table for `steps` of them is not longer than so many pairs.
 */
function read<T>(table: TableBytes, offset: number, steps: number, decode: (bytes: Uint8Array) => T | undefined): T {
	const most = Math.min(MAX_TABLE_BYTES, PAIR_BYTES * (Math.ceil(steps) + 2));
	for (let length = Math.min(FIRST_CHUNK, most); ; length = Math.min(16 * length, most)) {
		const bytes = table.readUpTo(offset, length);
		const decoded = decode(bytes);
		if (decoded !== undefined) {
			return decoded;
		}
		if (bytes.length < length || length >= most) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: "a terminated pc-value table",
				found: `no end in the table at offset ${offset}`,
			});
		}
	}
}

/** NaN when the bytes end before the answer is known. */
function walk(bytes: Uint8Array, entry: number, targetPc: number, quantum: number): number {
	let value = -1;
	let pc = entry;
	let at = 0;
	while (at < bytes.length) {
		let byte = bytes[at++] as number;
		if (byte === 0 && pc !== entry) {
			return -1;
		}
		let delta = byte & 0x7f;
		for (let shift = 7; byte >= 0x80; shift += 7) {
			if (at >= bytes.length) {
				return Number.NaN;
			}
			byte = bytes[at++] as number;
			delta |= (byte & 0x7f) << shift;
		}
		value = (value + ((delta & 1) === 0 ? delta >>> 1 : ~(delta >>> 1))) | 0;
		if (at >= bytes.length) {
			return Number.NaN;
		}
		byte = bytes[at++] as number;
		let pcDelta = byte & 0x7f;
		for (let shift = 7; byte >= 0x80; shift += 7) {
			if (at >= bytes.length) {
				return Number.NaN;
			}
			byte = bytes[at++] as number;
			pcDelta |= (byte & 0x7f) << shift;
		}
		pc += (pcDelta >>> 0) * quantum;
		if (targetPc < pc) {
			return value;
		}
	}
	return Number.NaN;
}

/** A pc-value table in full: `values[n]` holds up to, not including, the offset `ends[n]` from the function's entry. */
export interface PcRuns {
	ends: number[];
	values: number[];
}

/**
 * The runs of a pc-value table that begin below `limit`; behind the last the value is -1. Throws E-BIN-MALFORMED when the table has no end.
 */
export function pcRuns(table: TableBytes, offset: number, limit: number, quantum: number): PcRuns {
	return read(table, offset, limit / quantum, (bytes) => walkAll(bytes, limit, quantum));
}

/** Undefined when the bytes end before the table does. */
function walkAll(bytes: Uint8Array, limit: number, quantum: number): PcRuns | undefined {
	const runs: PcRuns = { ends: [], values: [] };
	let value = -1;
	let end = 0;
	for (let at = 0; ; ) {
		if (bytes[at] === 0 && end !== 0) {
			return runs;
		}
		let delta = 0;
		let byte = 0x80;
		for (let shift = 0; byte >= 0x80; shift += 7) {
			if (at >= bytes.length) {
				return undefined;
			}
			byte = bytes[at++] as number;
			delta |= (byte & 0x7f) << shift;
		}
		value = (value + ((delta & 1) === 0 ? delta >>> 1 : ~(delta >>> 1))) | 0;
		let length = 0;
		byte = 0x80;
		for (let shift = 0; byte >= 0x80; shift += 7) {
			if (at >= bytes.length) {
				return undefined;
			}
			byte = bytes[at++] as number;
			length |= (byte & 0x7f) << shift;
		}
		end += (length >>> 0) * quantum;
		if (length !== 0) {
			runs.ends.push(end);
			runs.values.push(value);
		}
		if (end >= limit) {
			return runs;
		}
	}
}

import { GomapgrowError } from "../errors/error.ts";
import type { TableBytes } from "./table-bytes.ts";

const FIRST_CHUNK = 256;
/** Tables of the largest functions have tens of KiB. */
const MAX_TABLE_BYTES = 1 << 20;

/**
 * The value that a pc-value table has for `targetPc`, or -1 when the table does not cover it: pairs of a zigzag value delta and
 * a pc delta as varints, ended by a zero value delta (runtime/symtab.go, pcvalue and step). `quantum` is the instruction
 * alignment that pc deltas count in. Throws E-BIN-MALFORMED when the table has no end.
 */
export function pcValue(table: TableBytes, offset: number, entry: number, targetPc: number, quantum: number): number {
	for (let length = FIRST_CHUNK; length <= MAX_TABLE_BYTES; length *= 16) {
		const bytes = table.readUpTo(offset, length);
		const value = walk(bytes, entry, targetPc, quantum);
		if (!Number.isNaN(value)) {
			return value;
		}
		if (bytes.length < length) {
			break;
		}
	}
	throw new GomapgrowError("E-BIN-MALFORMED", {
		wanted: "a terminated pc-value table",
		found: `no end in the table at offset ${offset}`,
	});
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

import { text, u32 } from "./little-endian.ts";

export interface ElfNote {
	/** Vendor, without the NULs: "Go", "GNU". */
	name: string;
	type: number;
	desc: Uint8Array;
}

/** Real executables have about five. */
const MAX_NOTES = 256;

/** Notes of one segment or section; stops at the first entry that does not fit. Entries are 4-byte aligned (gABI, "Note Section"). */
export function readNotes(bytes: Uint8Array): ElfNote[] {
	const notes: ElfNote[] = [];
	let at = 0;
	while (at + 12 <= bytes.length && notes.length < MAX_NOTES) {
		const nameSize = u32(bytes, at);
		const descSize = u32(bytes, at + 4);
		const descAt = at + 12 + align4(nameSize);
		if (descAt + descSize > bytes.length) {
			break;
		}
		notes.push({
			name: text(bytes.subarray(at + 12, at + 12 + nameSize)).replace(/\0+$/, ""),
			type: u32(bytes, at + 8),
			desc: bytes.subarray(descAt, descAt + descSize),
		});
		at = descAt + align4(descSize);
	}
	return notes;
}

function align4(size: number): number {
	return Math.ceil(size / 4) * 4;
}

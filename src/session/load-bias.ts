/** Where a position-independent executable was loaded. */

import { GomapgrowError } from "../errors/error.ts";
import type { MemoryMapping } from "../target/procfs.ts";

const PT_LOAD = 1;
const PAGE = 4096;

export interface LoadSegment {
	type: number;
	offset: number;
	vaddr: number;
}

/**
 * Load bias: start of a mapping of the executable minus the address that its segment asks for. An internally linked PIE asks for
 * 0x400000, so the mapping's start alone is not it. `inode`: of the executable. Throws E-TARGET-GONE when no mapping is of it.
 */
export function loadBias(mappings: readonly MemoryMapping[], inode: bigint, segments: readonly LoadSegment[]): number {
	for (const mapping of mappings) {
		if (BigInt(mapping.inode) !== inode) continue;
		for (const segment of segments) {
			if (segment.type !== PT_LOAD) continue;
			const inPage = segment.vaddr % PAGE;
			if (segment.offset - inPage === mapping.offset) return mapping.start - (segment.vaddr - inPage);
		}
	}
	throw new GomapgrowError("E-TARGET-GONE", {
		wanted: "the executable in the process's memory mappings",
		found: "no mapping of it",
	});
}

/** The sections that hold DWARF, by their uncompressed names. */
export type DwarfSectionName =
	| ".debug_info"
	| ".debug_abbrev"
	| ".debug_str"
	| ".debug_line"
	| ".debug_line_str"
	| ".debug_str_offsets"
	| ".debug_addr"
	| ".debug_ranges"
	| ".debug_rnglists";

/**
 * Where the reader gets its bytes: whoever has the ELF file implements this. A section is asked for only when it is
 * needed; the answer must be decompressed (`.zdebug_info` and SHF_COMPRESSED alike are ".debug_info" here) and may be
 * asked for again.
 */
export interface DwarfSections {
	section(name: DwarfSectionName): Uint8Array | undefined;
}

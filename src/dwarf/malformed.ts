import { GomapgrowError } from "../errors/error.ts";

/** The error for DWARF that contradicts itself or its sections: E-BIN-MALFORMED. */
export function malformed(wanted: string, found: string): GomapgrowError {
	return new GomapgrowError("E-BIN-MALFORMED", {
		wanted,
		found,
		advice: "check the executable (readelf --debug-dump=info) or strip its debug information",
	});
}

/** An offset as it is shown in messages: "0x1f0 of .debug_info". */
export function place(section: string, offset: number): string {
	return `0x${offset.toString(16)} of ${section}`;
}

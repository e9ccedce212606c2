/** Where offsets in the runtime's structures come from: a table, or the DWARF of the program itself. */
export interface LayoutSource {
	/** Whether the structure is described; its full name, such as "runtime.g". */
	has(struct: string): boolean;
	/**
	 * Bytes from the start of the structure to the field; undefined for a field that it does not have. A dot leads into a structure
	 * inside ("sched.sp"); the empty path stands for the structure's end, which is its size.
	 */
	at(struct: string, path: string): number | undefined;
}

/** `first` for the structures that it describes, `second` for the others. */
export function overlay(first: LayoutSource, second: LayoutSource): LayoutSource {
	const of = (struct: string): LayoutSource => (first.has(struct) ? first : second);
	return {
		has: (struct) => of(struct).has(struct),
		at: (struct, path) => of(struct).at(struct, path),
	};
}

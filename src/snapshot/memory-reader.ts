/** What a snapshot reads: the memory of the process, or in a test that of a pretended one. */
export interface MemoryRange {
	/** Run-time address. */
	readonly address: number;
	/** Bytes. */
	readonly length: number;
}

export interface MemoryReader {
	/**
	 * The bytes of each range, undefined for one that is not wholly mapped. The process goes on running meanwhile: two ranges may be
	 * from different moments, and so may be two words of one.
	 */
	read(ranges: readonly MemoryRange[]): readonly (Uint8Array | undefined)[];
}

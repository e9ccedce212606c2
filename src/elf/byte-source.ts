/**
 * Random access to the bytes of one file or memory image. The readers in `elf/`, `dwarf/` and `gobin/` do no I/O
 * themselves: a loader (`target/`) or a test gives them one of these.
 */
export interface ByteSource {
	/** Length in bytes. */
	readonly size: number;
	/**
	 * The bytes [offset, offset + length). The result may be a view of a cache: callers must not write to it, and it
	 * stays valid. Throws GomapgrowError E-BIN-TRUNCATED when the range is not wholly inside the file.
	 */
	read(offset: number, length: number): Uint8Array;
	/**
	 * Fills `target`, which stays the caller's, with the bytes from `offset` on: for a pass over much of a file, which would only push
	 * everything else out of a cache. Throws as `read`.
	 */
	readInto(offset: number, target: Uint8Array): void;
}

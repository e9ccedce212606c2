import type { GoFunction } from "./function-table.ts";
import type { GoBinary } from "./go-binary.ts";

/** An entry point for C: a Go function with an //export comment. */
export interface CgoExport {
	/** The name in C. */
	name: string;
	/** What C code arrives at (cmd/cgo/out.go, writeExports): _cgoexp_HASH_NAME, which calls the Go function. */
	entry: GoFunction;
}

const PREFIX = "_cgoexp_";

/** All entry points for C, in the order of addresses; 100,000 at most. */
export function cgoExports(binary: GoBinary): CgoExport[] {
	const names = binary.functionNamesWithPrefix(PREFIX);
	const functions = binary.functionsByName(names);
	return [...new Set(names)].flatMap((symbol) => {
		const entry = functions.get(symbol);
		const name = /^_cgoexp_[0-9a-f]+_(.+)$/.exec(symbol)?.[1];
		return entry === undefined || name === undefined ? [] : [{ name, entry }];
	});
}

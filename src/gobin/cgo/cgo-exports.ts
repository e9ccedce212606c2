import type { GoBinary } from "../go-binary.ts";
import type { GoFunction } from "../pclntab/function-table.ts";

/** An entry point for C: a Go function with an //export comment. */
export interface CgoExport {
	/** The name in C. */
	name: string;
	/** What C code arrives at (cmd/cgo/out.go, writeExports): _cgoexp_HASH_NAME, which calls the Go function. */
	entry: GoFunction;
}

const PREFIX = "_cgoexp_";

/** All entry points for C, in the order of addresses. Throws E-BIN-MALFORMED when there are more than 100,000. */
export function cgoExports(binary: GoBinary): CgoExport[] {
	return binary.functionsWithPrefix(PREFIX).flatMap((entry) => {
		const name = /^_cgoexp_[0-9a-f]+_(.+)$/.exec(entry.name)?.[1];
		return name === undefined ? [] : [{ name, entry }];
	});
}

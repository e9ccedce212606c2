import type { FuncRecord, FunctionTable } from "./function-table.ts";
import type { PcRuns } from "./pc-value.ts";

/** Number of the pcdata table that says which inlined call an address is in: PCDATA_InlTreeIndex (internal/abi/symtab.go), 2 since 1.12. */
export const INLINE_TREE_INDEX = 2;

/** A function cut into stretches of instructions that have the same position. */
export interface Stretches {
	/** Where each begins, as an offset from the function's entry; ascending, the first is 0. */
	starts: Uint32Array;
	/**
	 * Three for each: number of the file, as `FunctionTable.fileName` takes it, -1 for none; line, 0 or less for none; index in the inline
	 * tree, -1 where nothing is inlined.
	 */
	values: Int32Array;
}

/** Decodes all positions of a function. Throws E-BIN-MALFORMED. */
export function cutIntoStretches(functions: FunctionTable, record: FuncRecord): Stretches {
	const size = record.end - record.entry;
	const tables = [record.pcfile, record.pcln, functions.pcdataTable(record, INLINE_TREE_INDEX)];
	const [files, lines, inlined] = tables.map((offset) => functions.runs(offset, size)) as [PcRuns, PcRuns, PcRuns];
	return merge(files, lines, inlined, size);
}

/** Goes along all three tables at once, from one end of a run to the next. */
function merge(files: PcRuns, lines: PcRuns, inlined: PcRuns, size: number): Stretches {
	const most = files.ends.length + lines.ends.length + inlined.ends.length + 1;
	const starts = new Uint32Array(most);
	const values = new Int32Array(3 * most);
	let [file, line, call, count] = [0, 0, 0, 0];
	for (let start = 0; start < size; count++) {
		const fileEnd = files.ends[file] ?? size;
		const lineEnd = lines.ends[line] ?? size;
		const callEnd = inlined.ends[call] ?? size;
		starts[count] = start;
		values[3 * count] = files.values[file] ?? -1;
		values[3 * count + 1] = lines.values[line] ?? -1;
		values[3 * count + 2] = inlined.values[call] ?? -1;
		start = Math.min(fileEnd, lineEnd, callEnd);
		if (start === fileEnd) {
			file++;
		}
		if (start === lineEnd) {
			line++;
		}
		if (start === callEnd) {
			call++;
		}
	}
	return { starts: starts.slice(0, count), values: values.slice(0, 3 * count) };
}

/** The stretch that holds the offset from the function's entry. */
export function stretchAt({ starts }: Stretches, offset: number): number {
	let low = 0;
	let high = starts.length;
	while (high - low > 1) {
		const middle = (low + high) >>> 1;
		if ((starts[middle] as number) <= offset) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

import type { Frame, MadeAt } from "./records.ts";

/** The place that a frame is of. */
export function placeOf({ fn, file, line }: Frame): MadeAt {
	return { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

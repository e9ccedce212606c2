import type { GomapgrowRecord } from "../model/records.ts";

/** JSON has no NaN and no infinity: such a value was not measured, so its field is left out. */
function onlyFinite(_key: string, value: unknown): unknown {
	return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}

/** One record as one line of NDJSON, `type` first, with its line feed. */
export function ndjsonLine(record: GomapgrowRecord): string {
	const { type, ...rest } = record;
	return `${JSON.stringify({ type, ...rest }, onlyFinite)}\n`;
}

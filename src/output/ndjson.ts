import type { Frame, GomapgrowRecord, GrowthRecord } from "../model/records.ts";

/** JSON has no NaN and no infinity: such a value was not measured, so its field is left out. */
function onlyFinite(_key: string, value: unknown): unknown {
	return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}

/** As JSON.stringify with `onlyFinite`, which is several times slower: JavaScript spells what is not finite as null, and no record has a null of its own. */
function json(value: unknown): string {
	const text = JSON.stringify(value);
	return text.includes("null") ? JSON.stringify(value, onlyFinite) : text;
}

/** One record as one line of NDJSON, `type` first, with its line feed. */
export function ndjsonLine(record: GomapgrowRecord): string {
	if (record.type === "growth") return growthLine(record);
	const { type, ...rest } = record;
	return `${json({ type, ...rest })}\n`;
}

/** Text of stacks: growths from the same place share one array, and spelling it out is most of the work. */
const stackTexts = new WeakMap<readonly Frame[], string>();

function growthLine(record: GrowthRecord): string {
	const { type, stack, ...rest } = record;
	let text = stackTexts.get(stack);
	if (text === undefined) {
		text = json(stack);
		stackTexts.set(stack, text);
	}
	return `${json({ type, ...rest }).slice(0, -1)},"stack":${text}}\n`;
}

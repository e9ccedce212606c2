import type { Frame, GomapgrowRecord, GrowthRecord } from "../records/records.ts";

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
	if (record.type === "growth" && firstField(record) === "type") return growthLine(record);
	const { type, ...rest } = record;
	return `${json({ type, ...rest })}\n`;
}

function firstField(record: object): string | undefined {
	for (const name in record) return name;
	return undefined;
}

/** Text of stacks: growths from the same place share one array, and spelling it out is most of the work. */
let stackTexts = new WeakMap<readonly Frame[], string>();
/** UTF-16 units of all of them, and the most there may be: then they are spelled anew. Deep stacks have some ten thousand each. */
let textLength = 0;
const MAX_TEXT_LENGTH = 8 << 20;

function stackText(stack: readonly Frame[]): string {
	const known = stackTexts.get(stack);
	if (known !== undefined) return known;
	const text = json(stack);
	textLength += text.length;
	if (textLength > MAX_TEXT_LENGTH) {
		stackTexts = new WeakMap();
		textLength = text.length;
	}
	stackTexts.set(stack, text);
	return text;
}

const NO_FRAMES: Frame[] = [];
const NO_STACK = '"stack":[]';

function growthLine(record: GrowthRecord): string {
	const { stack } = record;
	const text = stackText(stack);
	// A copy without the stack would cost as much as spelling the rest.
	record.stack = NO_FRAMES;
	const whole = json(record);
	record.stack = stack;
	// Quotes in a value are escaped: only the field itself is spelled like this.
	const at = whole.indexOf(NO_STACK);
	return `${whole.slice(0, at)}"stack":${text}${whole.slice(at + NO_STACK.length)}\n`;
}

/** Lines of a recording as records, checked: a recording is a file that anybody can have written. */

import type { Frame, GomapgrowRecord } from "../records/records.ts";
import { SCHEMA_VERSION } from "../records/records.ts";
import { DEFINITIONS, RECORD_TYPES } from "../records/schema.ts";
import { type Check, compileCheck } from "./check.ts";

/**
 * record: with the types of the schema, and maybe with fields that it does not know. other: of a type that is not known. newer: the
 * start of a recording that only a later version of this program can read.
 */
export type ParsedLine =
	| { kind: "newer"; schema: number; version: string }
	| { kind: "record"; record: GomapgrowRecord }
	| { kind: "other"; type: string }
	| { kind: "fault"; fault: string };

/** Stacks are the last and longest part of their records, and mostly known: as many of them are kept. */
const KEPT_TAILS = 4096;
/** A longer one is not kept, so that odd recordings take no more memory than usual ones. */
const MAX_TAIL = 64 << 10;
const TAIL = ',"stack":[';

interface Tail {
	stack: Frame[];
	stack_truncated?: true;
}

function withoutStack(type: string): Check {
	const { properties = {}, required = [], ...rest } = DEFINITIONS[type] ?? {};
	const { stack: _, stack_truncated: __, ...others } = properties;
	return compileCheck(
		{ ...rest, properties: others, required: required.filter((name) => name !== "stack") },
		DEFINITIONS,
	);
}

const CHECKS = new Map(RECORD_TYPES.map((type) => [type, compileCheck(DEFINITIONS[type] ?? {}, DEFINITIONS)]));
const HEAD_CHECKS = new Map(["growth", "work"].map((type) => [type, withoutStack(type)]));

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Parses the lines of a recording, one after the other. */
export class RecordParser {
	readonly #tails = new Map<string, Tail>();

	parse(line: string): ParsedLine {
		return this.#parseKnownStack(line) ?? this.#parseWhole(line);
	}

	/** A growth or work record whose stack has been seen before; undefined when it must be parsed as a whole. */
	#parseKnownStack(line: string): ParsedLine | undefined {
		const check = HEAD_CHECKS.get(
			line.startsWith('{"type":"growth"') ? "growth" : line.startsWith('{"type":"work"') ? "work" : "",
		);
		const at = check === undefined ? -1 : line.indexOf(TAIL);
		if (check === undefined || at < 0) return undefined;
		const tail = this.#tails.get(line.slice(at));
		if (tail === undefined) return undefined;
		const head = parseJson(`${line.slice(0, at)}}`);
		if (head === undefined || check(head) !== undefined) return undefined;
		return { kind: "record", record: Object.assign(head as object, tail) as GomapgrowRecord };
	}

	#parseWhole(line: string): ParsedLine {
		const value = parseJson(line);
		if (typeof value !== "object" || value === null) return { kind: "fault", fault: "is no JSON object" };
		const type: unknown = (value as { type?: unknown }).type;
		if (typeof type !== "string") return { kind: "fault", fault: "has no type" };
		if (type === "start") {
			const { schema, version } = value as { schema?: unknown; version?: unknown };
			if (typeof schema === "number" && schema > SCHEMA_VERSION) {
				return { kind: "newer", schema, version: typeof version === "string" ? version : "unknown" };
			}
		}
		const check = CHECKS.get(type);
		if (check === undefined) return { kind: "other", type };
		const wrong = check(value);
		if (wrong !== undefined) return { kind: "fault", fault: `is no ${type} record: ${wrong}` };
		const record = value as GomapgrowRecord;
		if (record.type === "growth" || record.type === "work") this.#keep(line, record);
		return { kind: "record", record };
	}

	#keep(line: string, record: Tail): void {
		const at = line.indexOf(TAIL);
		if (at < 0 || line.length - at > MAX_TAIL) return;
		const text = line.slice(at);
		const fields = parseJson(`{${text.slice(1)}`);
		// Only a tail that is nothing but a stack stands for itself.
		if (
			fields === undefined ||
			Object.keys(fields as object).some((name) => name !== "stack" && name !== "stack_truncated")
		)
			return;
		if (this.#tails.size >= KEPT_TAILS) this.#tails.clear();
		const { stack, stack_truncated } = record;
		// A copy of the text: a slice would keep its whole chunk of the file alive.
		this.#tails.set(Buffer.from(text).toString(), stack_truncated === true ? { stack, stack_truncated } : { stack });
	}
}

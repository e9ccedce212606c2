/** Types follow from the schema; ajv and the reader's own check agree on it. */
import { describe, expect, test } from "bun:test";
import { recordSchema } from "../../../src/cli/schema-document.ts";
import { compileCheck } from "../../../src/recording/check.ts";
import type { GomapgrowRecord } from "../../../src/records/records.ts";
import { DEFINITIONS, RECORD_TYPES } from "../../../src/records/schema.ts";
import { type Infer, list, object, oneOf, only, optional, text, whole } from "../../../src/records/schema-node.ts";
import { compileSchema, validateRecords } from "../../support/schema.ts";
import { EXAMPLES } from "./example-records.ts";

/** Paths of everything inside a value that can be taken out or changed. */
function paths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
	if (typeof value !== "object" || value === null) return [path];
	return [path, ...Object.entries(value).flatMap(([key, item]) => paths(item, [...path, key]))];
}

/** A copy of the value with one place replaced; `undefined` takes it out. */
function changed(value: unknown, [key, ...rest]: (string | number)[], put: unknown): unknown {
	if (key === undefined) return put;
	const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
	const next = changed(copy[key], rest, put);
	if (next === undefined) delete copy[key];
	else copy[key] = next;
	return copy;
}

const lenient = compileSchema(recordSchema(), { strict: false });

function ajvAccepts(record: unknown, type: string): boolean {
	return lenient.get(type)?.(record) ?? false;
}

describe("the schema", () => {
	test("accepts one record of each type, strictly", () => {
		expect(EXAMPLES.map((record) => record.type).sort()).toEqual([...RECORD_TYPES].sort() as GomapgrowRecord["type"][]);
		expect(validateRecords(EXAMPLES)).toEqual([]);
		for (const record of EXAMPLES) expect(lenient.get("any")?.(record)).toBe(true);
	});

	test("strict validation catches a field that is not in it, anywhere; readers get it through", () => {
		for (const record of EXAMPLES) {
			const more = { ...record, added_later: 1 };
			expect(validateRecords([more])[0]).toContain("(added_later)");
			expect(lenient.get("any")?.(more)).toBe(true);
		}
		const growth = EXAMPLES.find((record) => record.type === "growth");
		if (growth === undefined) throw new Error("no growth");
		const frames = [{ ...growth.stack[0], odd: true }];
		expect(validateRecords([growth, { ...growth, stack: frames }])).toEqual([
			"record 1 (growth): /stack/0 must NOT have additional properties (odd)",
		]);
	});

	test("strict validation names what is wrong", () => {
		expect(validateRecords([{ type: "window" }])[0]).toBe("record 0 (window):  must have required property 'time'");
		expect(validateRecords([{ type: "nothing" }, 5]).length).toBe(2);
	});

	test("types follow from it", () => {
		const schema = object({ a: text, b: optional(whole), c: oneOf("x", "y"), d: list(object({ e: optional(only) })) });
		type Thing = Infer<typeof schema>;
		const things: Thing[] = [
			{ a: "", b: 1, c: "x", d: [{ e: true }, {}] },
			{ a: "", c: "y", d: [] },
			// @ts-expect-error a field is missing
			{ a: "", c: "x" },
			// @ts-expect-error a field has another type
			{ a: 1, c: "x", d: [] },
			// @ts-expect-error a word that is not in the list
			{ a: "", c: "z", d: [] },
			// @ts-expect-error what may be absent may not be undefined
			{ a: "", b: undefined, c: "x", d: [] },
			// @ts-expect-error a field that it has not
			{ a: "", c: "x", d: [], f: 1 },
		];
		expect(things.length).toBe(7);
		expect(schema.json.required).toEqual(["a", "c", "d"]);
	});
});

describe("the reader's check agrees with ajv", () => {
	for (const record of EXAMPLES) {
		test(`a ${record.type} record in which any one thing is taken out or of another type`, () => {
			const check = compileCheck(DEFINITIONS[record.type] ?? {}, DEFINITIONS);
			expect(check(record)).toBeUndefined();
			let refused = 0;
			for (const path of paths(record).slice(1)) {
				for (const put of [undefined, 7, -1, 1.5, "text", true, null, [], {}]) {
					const record_ = changed(record, path, put);
					const own = check(record_) === undefined;
					const ajv = ajvAccepts(record_, record.type);
					if (!own) refused++;
					// Looser by intention: other words in place of those of a list, other spellings of times and addresses.
					const looser = typeof put === "string" || typeof put === "boolean";
					if (own !== ajv && !(own && looser))
						throw new Error(`${path.join(".")} = ${JSON.stringify(put)}: ajv ${ajv}, own ${own}`);
				}
			}
			expect(refused).toBeGreaterThan(20);
		});
	}
	test("says where", () => {
		const growth = EXAMPLES.find((record) => record.type === "growth");
		const odd = changed(growth, ["stack", 1, "line"], "12");
		const check = compileCheck(DEFINITIONS.growth ?? {}, DEFINITIONS);
		expect(check(odd)).toBe("stack[1].line is no integer");
		expect(check([])).toBe("is no object");
		expect(check({ ...growth, tid: -1 })).toBe("tid is below 0");
	});
});

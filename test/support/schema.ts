/** Validates records with the schema that `gomapgrow schema` prints, and stricter: fields that it does not know are faults. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { DESCRIBED_TYPES, recordSchema } from "../../src/cli/schema-document.ts";

/** A copy in which every object with named fields has no others. */
function closed(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(closed);
	if (typeof value !== "object" || value === null) return value;
	const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, closed(item)]));
	const isObjectSchema =
		copy.type === "object" && copy.properties !== undefined && copy.additionalProperties === undefined;
	return isObjectSchema ? { ...copy, additionalProperties: false } : copy;
}

/** A validator for each type of record, and one for any. `schema`: what `gomapgrow schema` printed. */
export function compileSchema(schema: object, options: { strict: boolean }): Map<string, ValidateFunction> {
	// The pattern beside it says more than this format.
	const ajv = new Ajv2020({ strict: true, allErrors: false, formats: { "date-time": true } });
	const used = (options.strict ? closed(schema) : schema) as { $id: string };
	const any = ajv.compile(used);
	const validators = new Map([["any", any]]);
	for (const type of DESCRIBED_TYPES) {
		validators.set(type, ajv.compile({ $ref: `${used.$id}#/$defs/${type}` }));
	}
	return validators;
}

const strict = compileSchema(recordSchema(), { strict: true });

/** What is wrong with the records, the first 20 faults: `record 12 (growth): /stack/0 must NOT have additional properties (odd)`. */
export function validateRecords(records: readonly unknown[]): string[] {
	const faults: string[] = [];
	for (const [index, record] of records.entries()) {
		const type = (record as { type?: unknown } | null)?.type;
		// By its type, because what `oneOf` says of a record with one wrong field is about all types.
		const validate = strict.get(typeof type === "string" ? type : "any") ?? strict.get("any");
		if (validate === undefined || validate(record)) continue;
		const [error] = validate.errors ?? [];
		const named = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
		faults.push(
			`record ${index} (${String(type)}): ${error?.instancePath ?? ""} ${error?.message ?? "is wrong"}${named === undefined ? "" : ` (${named})`}`,
		);
		if (faults.length === 20) break;
	}
	return faults;
}

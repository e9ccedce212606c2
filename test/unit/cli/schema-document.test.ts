/** Answers of commands that look once are in the schema, and in no recording. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ANSWERS } from "../../../src/cli/answer-schema.ts";
import { recordSchema } from "../../../src/cli/schema-document.ts";
import { RecordParser } from "../../../src/recording/parse-record.ts";
import { RECORD_TYPES } from "../../../src/records/schema.ts";
import { validateRecords } from "../../support/schema.ts";

describe("answers", () => {
	for (const [type, file] of [
		["snapshot", "snapshot/record.ts"],
		["verification", "verify/record.ts"],
	] as const) {
		test(`${type}: the schema names every field of its type`, () => {
			const source = readFileSync(resolve(import.meta.dir, "../../../src", file), "utf8");
			const code = source.replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
			const fields = [...code.matchAll(/(?:^\t|[{;] )([a-z_]+)\??: /gm)].map((match) => match[1] ?? "");
			const known = JSON.stringify(ANSWERS[type]);
			expect(fields.length).toBeGreaterThan(20);
			expect(fields.filter((field) => !known.includes(`"${field}":`))).toEqual([]);
			expect(JSON.stringify(recordSchema().oneOf)).toContain(`"#/$defs/${type}"`);
			expect(RECORD_TYPES).not.toContain(type);
			expect(new RecordParser().parse(JSON.stringify({ type })).kind).toBe("other");
			expect(validateRecords([{ type }])[0]).toContain("must have required property");
		});
	}
});

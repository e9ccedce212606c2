/** Answers of commands that look once are in the schema, and in no recording. */
import { describe, expect, test } from "bun:test";
import { ANSWERS, recordSchema } from "../../../src/cli/schema-document.ts";
import { RecordParser } from "../../../src/recording/parse-record.ts";
import { RECORD_TYPES } from "../../../src/records/schema.ts";
import { validateRecords } from "../../support/schema.ts";

describe("answers", () => {
	test("are those of snapshot, verify and ps", () => {
		expect(Object.keys(ANSWERS)).toEqual(["snapshot", "verification", "process"]);
	});

	for (const [type, { properties, description }] of Object.entries(ANSWERS)) {
		test(`${type}: is in the schema by its type, and no record`, () => {
			expect(properties?.type).toEqual({ const: type });
			expect(description).toContain("--json");
			expect(JSON.stringify(recordSchema().oneOf)).toContain(`"#/$defs/${type}"`);
			expect(RECORD_TYPES).not.toContain(type);
			expect(new RecordParser().parse(JSON.stringify({ type })).kind).toBe("other");
			expect(validateRecords([{ type }])[0]).toContain("must have required property");
		});
	}
});

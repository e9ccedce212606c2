/** The JSON Schema of everything that is printed as one record a line: `gomapgrow schema` prints it. */

import { adviceRecord } from "../advise/record.ts";
import { DIFF_ANSWERS } from "../census/diff-record.ts";
import { CENSUS_ANSWERS } from "../census/record.ts";
import { PROGRAM_ANSWERS } from "../programs/record.ts";
import { SCHEMA_VERSION } from "../records/records.ts";
import { DEFINITIONS, RECORD_TYPES } from "../records/schema.ts";
import type { JsonSchema } from "../records/schema-node.ts";
import { snapshotSchema } from "../snapshot/record.ts";
import { verificationSchema } from "../verify/record.ts";

/** What commands that look once print with --json, by the `type` of each; it is in no recording. */
export const ANSWERS: Readonly<Record<string, JsonSchema>> = {
	snapshot: snapshotSchema.json,
	verification: verificationSchema.json,
	...PROGRAM_ANSWERS,
};

/** What `advise --json` prints. */
const ADVICE: Readonly<Record<string, JsonSchema>> = {
	advice: { ...adviceRecord.json, description: "printed by advise --json: what to change at which line" },
};

const ALL_ANSWERS = { ...ANSWERS, ...ADVICE, ...CENSUS_ANSWERS, ...DIFF_ANSWERS };

/** The records of recordings, then the answers of commands that look once. */
export const DESCRIBED_TYPES: readonly string[] = [...RECORD_TYPES, ...Object.keys(ALL_ANSWERS)];

/**
 * The JSON Schema (draft 2020-12) of one record, that is of one line. Fields that are not in it are allowed, as a later version of the
 * same major number may add some.
 */
export function recordSchema(): Record<string, unknown> {
	return {
		$schema: "https://json-schema.org/draft/2020-12/schema",
		$id: `urn:gomapgrow:record:${SCHEMA_VERSION}`,
		title: `gomapgrow records, schema version ${SCHEMA_VERSION}`,
		description:
			"One line of NDJSON. A field that was not measured is absent; readers ignore fields that they do not know.",
		oneOf: DESCRIBED_TYPES.map((type) => ({ $ref: `#/$defs/${type}` })),
		$defs: { ...DEFINITIONS, ...ALL_ANSWERS },
	};
}

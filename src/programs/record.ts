/** What `gomapgrow ps --json` prints: one object a line. Text from the process is sanitised; what is not known is absent. */
import { containerRecord, impl } from "../records/parts.ts";
import { constant, flag, type Infer, type JsonSchema, object, optional, text, whole } from "../records/schema-node.ts";

export type ProgramRecord = Infer<typeof programRecord>;
const programRecord = object({
	type: constant("process"),
	pid: whole,
	name: text,
	exe: text,
	go_version: optional(text, "absent when only the age of the program is known"),
	map_impl: optional(impl, "absent when no map of the program can grow, or it cannot be read"),
	watchable: flag,
	why: optional(text, "why it is not"),
	container: optional(containerRecord),
	cpu_ns_per_second: optional(whole, "processor time that it used, of all its threads, while it was looked at"),
});

export const PROGRAM_ANSWERS: Readonly<Record<string, JsonSchema>> = {
	process: { ...programRecord.json, description: "a Go process of this host, from gomapgrow ps --json" },
};

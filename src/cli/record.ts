/** `gomapgrow record`: observes as `watch` does and writes all records to a file. */
import { GomapgrowError } from "../errors/error.ts";
import { recordingSinks } from "./choose-sinks.ts";
import type { LiveOptions } from "./options.ts";
import { watchWith } from "./watch.ts";

/** Returns the exit code. Throws what `watch` throws, E-USAGE without a file, and E-IO when it cannot be written. */
export async function record(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	const { output } = options;
	if (output === undefined) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a file to write the records to",
			found: "none",
			mend: `gomapgrow ${command.join(" ")} -o run.ndjson.gz`,
		});
	}
	return await watchWith(names, options, command, () => recordingSinks(options, output));
}

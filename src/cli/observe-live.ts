/** One observation of a live command, from loaded programs to closed sinks. */

import { type ObserveOptions, observe, type Tracing } from "../observe/observation.ts";
import { Sinks } from "../observe/sinks.ts";
import type { EndReason } from "../records/records.ts";
import type { LiveSinks } from "./choose-sinks.ts";
import { startTracing, type TracingOptions } from "./start-tracing.ts";

type Options = TracingOptions & Omit<ObserveOptions, keyof Tracing> & LiveSinks;

/** Returns what ended it. Throws E-HOST-…, E-TARGET-…, E-IO; nothing stays attached or open. */
export async function observeLive(options: Options): Promise<EndReason> {
	let tracing: Tracing;
	try {
		tracing = startTracing(options);
	} catch (error) {
		new Sinks(options.sinks).close();
		throw error;
	}
	return await observe({ ...options, ...tracing });
}

/** The Go processes of the host, with what only this process can ask about. */
import { monotonicNs, processCpuNs } from "../kernel/libc.ts";
import { Containers } from "../process/containers.ts";
import { everyProcess, NothingNamedSo } from "../process/discover.ts";
import { listPrograms, withProcessorUse } from "../programs/list.ts";
import type { ProgramRecord } from "../programs/record.ts";
import { namedPrograms } from "../programs/text.ts";
import { requireKnownNumbers } from "../tracer/known-numbers.ts";

/** Shorter times say little about how much processor time a process uses. */
const MEASURE_NS = 250_000_000;

export interface GoPrograms {
	programs: ProgramRecord[];
	/** Processes that may not be looked at. */
	denied: number;
}

/** `measure`: processor use, too, which takes a quarter of a second at least. Throws E-IO. */
export async function goPrograms(measure = true): Promise<GoPrograms> {
	const { processes, denied } = everyProcess();
	const began = monotonicNs();
	const listed = listPrograms({
		processes,
		containers: new Containers(),
		requireProcess: requireKnownNumbers,
		cpuNs: processCpuNs,
	});
	if (!measure) return { programs: listed.map(({ record }) => record), denied };
	const spentNs = Number(monotonicNs() - began);
	if (listed.length > 0) await Bun.sleep(Math.max(0, MEASURE_NS - spentNs) / 1e6);
	const elapsedNs = Math.max(1, Number(monotonicNs() - began));
	return { programs: withProcessorUse(listed, processCpuNs, elapsedNs), denied };
}

/** The error with the Go processes that there are instead. Throws E-IO. */
export async function nameGoPrograms(error: NothingNamedSo): Promise<NothingNamedSo> {
	const { programs } = await goPrograms();
	const watchable = programs.filter((program) => program.watchable);
	if (watchable.length === 0) return error;
	const found = `${error.found}; Go processes that run now: ${namedPrograms(watchable)}`;
	return new NothingNamedSo({ wanted: error.wanted, found });
}

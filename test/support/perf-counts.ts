/** Counts calls of a program's growth functions with the kernel's own perf events, beside gomapgrow and without any BPF program. */
import { closeSync, openSync, readSync } from "node:fs";
import { onlineCpus, UprobeCounters } from "../../src/kernel/uprobe-counters.ts";
import { GOMAPGROW } from "./trace.ts";

interface Inspected {
	functions: { name: string; tier: string; site?: { file_offset: number; instruction: string } }[];
}

/** Length of the conditional jump of a stack check: 76 xx, or 0f 86 xx xx xx xx. */
function lengthOfBranch(path: string, offset: number): number {
	const bytes = new Uint8Array(2);
	const file = openSync(path, "r");
	readSync(file, bytes, 0, 2, offset);
	closeSync(file);
	if ((bytes[0] ?? 0) >> 4 === 7) return 2;
	if (bytes[0] === 0x0f && (bytes[1] ?? 0) >> 4 === 8) return 6;
	throw new Error(`no conditional jump at ${offset} of ${path}`);
}

/** Of all processes that run a file, on all processors. */
export class PerfCounts {
	readonly #counters: UprobeCounters;
	readonly #functions: string[];

	/** From now on. What is counted is the instruction behind the stack check: once for each call, where the check itself is passed again after the stack has grown. */
	constructor(path: string, tier = "growth") {
		const inspected = Bun.spawnSync([GOMAPGROW, "inspect", "--json", path]);
		const { functions } = JSON.parse(inspected.stdout.toString()) as Inspected;
		const counted = functions.flatMap(({ name, tier: of, site }) => (of === tier && site ? [{ name, site }] : []));
		if (counted.length === 0) throw new Error(`no functions of the tier ${tier} in ${path}`);
		this.#functions = counted.map(({ name }) => name);
		const offsets = counted.map(({ site: { file_offset } }) => file_offset + lengthOfBranch(path, file_offset));
		this.#counters = new UprobeCounters(path, offsets);
		for (const cpu of onlineCpus()) this.#counters.countCpu(cpu);
	}

	/** Function -> calls. */
	read(): Record<string, number> {
		return Object.fromEntries(this.#functions.map((fn, index) => [fn, this.#counters.read(index)]));
	}

	close(): void {
		this.#counters.close();
	}
}

/** Runs the built executable as a user would and reads its records back. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type {
	EndRecord,
	ExitRecord,
	GomapgrowRecord,
	GrowthRecord,
	Ledger,
	LossRecord,
	OverlapRecord,
	StartRecord,
	TargetRecord,
	TierLedger,
	WindowRecord,
	WorkRecord,
} from "../../src/records/records.ts";
import { type Exit, type Program, type StartOptions, start } from "./processes.ts";

/** The executable under test. */
export const GOMAPGROW = resolve(process.env.GOMAPGROW_BIN ?? resolve(import.meta.dir, "../../dist/gomapgrow"));

export interface Trace {
	exit: Exit;
	stdout: string;
	stderr: string;
	start: StartRecord;
	targets: TargetRecord[];
	exits: ExitRecord[];
	growths: GrowthRecord[];
	work: WorkRecord[];
	overlaps: OverlapRecord[];
	windows: WindowRecord[];
	losses: LossRecord[];
	end: EndRecord;
}

/** A live command that does not say what it may cost gets no limit: most tests want every call counted, however dear. */
export function startGomapgrow(args: string[], options?: StartOptions): Program {
	const [command, ...rest] = args;
	if (command === undefined) return start([GOMAPGROW], options);
	const live = command === "watch" || command === "run";
	const budget = live && !args.includes("--budget") ? ["--budget", "off"] : [];
	return start([GOMAPGROW, command, ...budget, ...rest], options);
}

/** Every line of complete NDJSON output as a record; a line that is no JSON object with a type fails. */
export function parseRecords(stdout: string): GomapgrowRecord[] {
	if (stdout !== "" && !stdout.endsWith("\n")) throw new Error(`the last line is not complete: ${stdout.slice(-200)}`);
	return stdout
		.split("\n")
		.slice(0, -1)
		.map((line) => {
			const record: unknown = JSON.parse(line);
			if (typeof record !== "object" || record === null || !line.startsWith('{"type":"')) {
				throw new Error(`no record that begins with its type: ${line.slice(0, 200)}`);
			}
			return record as GomapgrowRecord;
		});
}

/** Sorts the records of a finished run with --json, or of the file that it wrote; fails unless it begins with start, has a target, and ends with end. */
export function toTrace(program: Pick<Program, "stdout" | "stderr">, exit: Exit, recording = program.stdout): Trace {
	const records = parseRecords(recording);
	const of = <T extends GomapgrowRecord["type"]>(type: T) =>
		records.filter((record): record is Extract<GomapgrowRecord, { type: T }> => record.type === type);
	const [first, last] = [records[0], records.at(-1)];
	if (first?.type !== "start" || of("target").length === 0 || last?.type !== "end" || of("end").length !== 1) {
		throw new Error(
			`records are not start, target, …, end but ${records
				.map((record) => record.type)
				.join(" ")
				.slice(0, 400)}; ` + `exit code ${exit.code}\nstderr: ${program.stderr.slice(-2000)}`,
		);
	}
	return {
		exit,
		stdout: recording,
		stderr: program.stderr,
		start: first,
		targets: of("target"),
		exits: of("exit"),
		growths: of("growth"),
		work: of("work"),
		overlaps: of("overlap"),
		windows: of("window"),
		losses: of("loss"),
		end: last,
	};
}

/** `gomapgrow run --json -- COMMAND`, to its end. */
export async function runTraced(command: string[], timeoutMs?: number): Promise<Trace> {
	const program = startGomapgrow(["run", "--json", "--", ...command]);
	return toTrace(program, await program.finish(timeoutMs));
}

/** Starts `gomapgrow watch --json TARGET` and waits until its probes count: the first window is written. */
export async function watchTraced(target: string | number, options: string[] = []): Promise<Program> {
	const program = startGomapgrow(["watch", "--json", "--interval", "100ms", ...options, String(target)]);
	await program.untilOutput(/^\{"type":"window"/m);
	return program;
}

/**
 * The trace of a finished run with --output. For storms of records: a file takes them at any time, where a test that has to share the machine
 * may read too slowly.
 */
export function recordedTrace(file: string, program: Program, exit: Exit): Trace {
	return toTrace({ stdout: readFileSync(file, "utf8"), stderr: program.stderr }, exit);
}

/** What is wrong with the ledger of a finished run; empty when it sums and nothing was lost. */
export function ledgerFaults(ledger: Ledger): string[] {
	return Object.entries(ledger).flatMap(([name, tier]) => {
		const sums =
			unaccounted(tier) === 0 ? [] : [`${name}: hits ${tier.hits} are not accounted for by ${unaccounted(tier)}`];
		return tier.lost === 0 ? sums : [...sums, `${name}: ${tier.lost} lost`];
	});
}

/** Growths without a duration, beyond those that may have taken too long to be waited for: a second. */
export function withoutDuration(growths: readonly GrowthRecord[], end: EndRecord): number {
	const outer = new Set(growths.map(({ fn }) => fn));
	const long = end.latency
		.filter(({ fn }) => outer.has(fn))
		.flatMap(({ buckets }) => buckets)
		.filter(({ from_ns }) => from_ns >= 2 ** 29)
		.reduce((sum, { count }) => sum + count, 0);
	return Math.max(0, growths.filter(({ duration_ns }) => duration_ns === undefined).length - long);
}

/** What a ledger's tier does not account for: 0 when it sums. */
export function unaccounted(tier: TierLedger): number {
	const unpaired = Object.values(tier.unpaired ?? {}).reduce((sum, calls) => sum + calls, 0);
	return tier.hits - tier.recorded - tier.sampled_out - tier.throttled - tier.lost - unpaired;
}

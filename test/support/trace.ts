/** Runs the built executable as a user would and reads its records back. */
import { resolve } from "node:path";
import type {
	EndRecord,
	GomapgrowRecord,
	GrowthRecord,
	Ledger,
	LossRecord,
	StartRecord,
	TargetRecord,
	TierLedger,
	WindowRecord,
} from "../../src/model/records.ts";
import { type Exit, type Program, type StartOptions, start } from "./processes.ts";

/** The executable under test. */
export const GOMAPGROW = resolve(process.env.GOMAPGROW_BIN ?? resolve(import.meta.dir, "../../dist/gomapgrow"));

export interface Trace {
	exit: Exit;
	stdout: string;
	stderr: string;
	start: StartRecord;
	targets: TargetRecord[];
	growths: GrowthRecord[];
	windows: WindowRecord[];
	losses: LossRecord[];
	end: EndRecord;
}

export function startGomapgrow(args: string[], options?: StartOptions): Program {
	return start([GOMAPGROW, ...args], options);
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

/** Sorts the records of a finished run with --json; fails unless it begins with start, then target, and ends with end. */
export function toTrace(program: Program, exit: Exit): Trace {
	const records = parseRecords(program.stdout);
	const of = <T extends GomapgrowRecord["type"]>(type: T) =>
		records.filter((record): record is Extract<GomapgrowRecord, { type: T }> => record.type === type);
	const [first, last] = [records[0], records.at(-1)];
	if (first?.type !== "start" || records[1]?.type !== "target" || last?.type !== "end" || of("end").length !== 1) {
		throw new Error(
			`records are not start, target, …, end but ${records
				.map((record) => record.type)
				.join(" ")
				.slice(0, 400)}; ` + `exit code ${exit.code}\nstderr: ${program.stderr.slice(-2000)}`,
		);
	}
	return {
		exit,
		stdout: program.stdout,
		stderr: program.stderr,
		start: first,
		targets: of("target"),
		growths: of("growth"),
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

/** What a ledger's tier does not account for: 0 when it sums. */
export function unaccounted(tier: TierLedger): number {
	return tier.hits - tier.recorded - tier.sampled_out - tier.throttled - tier.lost;
}

/** What is wrong with the ledger of a finished run; empty when it sums and nothing was lost. */
export function ledgerFaults(ledger: Ledger): string[] {
	return Object.entries(ledger).flatMap(([name, tier]) => {
		const sums =
			unaccounted(tier) === 0 ? [] : [`${name}: hits ${tier.hits} are not accounted for by ${unaccounted(tier)}`];
		return tier.lost === 0 ? sums : [...sums, `${name}: ${tier.lost} lost`];
	});
}

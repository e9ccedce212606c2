/** Reads what the checks in a test machine (guest/checks.sh) have written. */
import { expect } from "bun:test";
import type {
	EndRecord,
	GomapgrowRecord,
	GrowthRecord,
	OverlapRecord,
	TargetRecord,
	WorkRecord,
} from "../../src/records/records.ts";
import { ledgerFaults, parseRecords } from "../support/trace.ts";
import type { Outcome } from "./machine.ts";

export type Calls = Record<string, number>;

export interface Records {
	target: TargetRecord;
	growths: GrowthRecord[];
	work: WorkRecord[];
	overlaps: OverlapRecord[];
	end: EndRecord;
}

export function recordsOf(text: string): Records {
	const records: GomapgrowRecord[] = parseRecords(text);
	const target = records.find((record) => record.type === "target");
	const end = records.at(-1);
	if (target === undefined || end?.type !== "end")
		throw new Error(`records without target or end: ${text.slice(-2000)}`);
	return {
		target,
		growths: records.filter((record) => record.type === "growth"),
		work: records.filter((record) => record.type === "work"),
		overlaps: records.filter((record) => record.type === "overlap"),
		end,
	};
}

export function expectComplete({ growths, end }: Records): void {
	expect(ledgerFaults(end.ledger)).toEqual([]);
	expect(end.complete).toBe(true);
	expect(growths).toHaveLength(end.ledger.growth.hits);
}

/** What the program has counted itself between the two lines that it prints. */
export function countedIn(text: string): Calls {
	const before = countedBy(text, "ready");
	return Object.fromEntries(Object.entries(countedBy(text, "end")).map(([fn, n]) => [fn, n - (before[fn] ?? 0)]));
}

/** The program's own numbers at that moment. */
export function countedBy(text: string, phase: "ready" | "end"): Calls {
	const line = text.split("\n").find((each) => each.startsWith(`{"phase":"${phase}"`));
	if (line === undefined) throw new Error(`no line of phase ${phase} in ${text.slice(-2000)}`);
	return (JSON.parse(line) as { calls: Calls }).calls;
}

/** Without the functions that were not called. */
export function called(calls: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(calls).filter(([, n]) => n !== 0));
}

/** As `od -An -tx1` prints bytes. */
export function dump(bytes: readonly number[]): string[] {
	return bytes.map((byte) => byte.toString(16).padStart(2, "0"));
}

/** The files that one machine left. */
export class Left {
	readonly #files: ReadonlyMap<string, string>;

	constructor({ files }: Pick<Outcome, "files">) {
		this.#files = files;
	}

	/** Throws when it is not there. */
	file(name: string): string {
		const text = this.#files.get(name);
		if (text === undefined) throw new Error(`no ${name}; there are ${[...this.#files.keys()].join(" ")}`);
		return text;
	}

	/** What the checks themselves complain of. */
	get faults(): string | undefined {
		return this.#files.get("faults");
	}

	/** Exit code of a step, with what it wrote to standard error when it is another one. */
	expectCode(step: string, code: number): void {
		const errors = this.#files.get(`${step}.err`) ?? "";
		const seen = { step, code: Number(this.file(`${step}.code`)), errors: code === 0 ? errors : "" };
		expect(seen).toMatchObject({ step, code });
	}

	/** The records of a step that ended well. */
	records(step: string): Records {
		this.expectCode(step, 0);
		const records = recordsOf(this.file(`${step}.out`));
		expectComplete(records);
		return records;
	}
}

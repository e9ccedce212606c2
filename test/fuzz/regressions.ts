/**
 * Cases in which a reader once did what it must not: took too long, asked for too much or threw something else than an error with a code. Damage that
 * was found by a seed is there as the seed made it, and once more in words where a toolchain of another patch release would shift it.
 */
import { Prng } from "../support/prng.ts";
import { type Damage, damage } from "./mutations.ts";
import type { FuzzSubject, FuzzSubjects } from "./subjects.ts";

export interface Regression {
	/** Name of the program. */
	subject: string;
	/** What happened. */
	what: string;
	damage: { seed: number; index: number } | RegionDamage;
}

/** A region of the program that is overwritten in full, with one pattern again and again. */
interface RegionDamage {
	region: string;
	pattern: readonly number[];
}

export const REGRESSIONS: readonly Regression[] = [
	{
		subject: "1.19 cgo PIE stripped",
		what: "a listing read names of tens of KiB each, and a MiB at each step back",
		damage: { seed: 7, index: 1838 },
	},
	{
		subject: "1.19 cgo PIE stripped",
		what: "the same: names without an end",
		damage: { region: "function names", pattern: [0x72, 0x75, 0x6e, 0x74, 0x69, 0x6d, 0x65, 0x2e] },
	},
	{
		subject: "1.26 stripped",
		what: "a listing decoded the positions of all functions, each from tables without an end",
		damage: { seed: 7, index: 112 },
	},
	{
		subject: "1.24 cgo PIE stripped",
		what: "the same, and 500 MiB of copies",
		damage: { seed: 7, index: 417 },
	},
	{
		subject: "1.24 arm64",
		what: "the same",
		damage: { seed: 7, index: 1931 },
	},
	{
		subject: "1.27 stripped",
		what: "the same: no number has an end",
		damage: { region: "pc tables", pattern: [0xff] },
	},
	{
		subject: "1.22 plain",
		what: "one address decoded its tables without an end again for each inlined call",
		damage: { seed: 7, index: 2291 },
	},
	{
		subject: "1.22 plain",
		what: "the same: tables that never get on",
		damage: { region: "pc tables", pattern: [0] },
	},
	{
		subject: "1.25 cgo",
		what: "up to a MiB was read and decoded for each of three tables of a short function: too much memory",
		damage: { seed: 505, index: 1811 },
	},
	{
		subject: "1.27 DWARF",
		what: "the same",
		damage: { seed: 606, index: 1884 },
	},
	{
		subject: "1.27 DWARF",
		what: "the same: numbers that never end",
		damage: { region: "pc tables", pattern: [0x80] },
	},
];

export function makeRegression(
	regression: Regression,
	subjects: FuzzSubjects,
): { subject: FuzzSubject; variant: Damage } {
	const subject = subjects.get(regression.subject);
	const { damage: how } = regression;
	return {
		subject,
		variant:
			"seed" in how
				? damage(subject, subjects, new Prng(how.seed, how.index))
				: overwritten(subject, how, regression.what),
	};
}

function overwritten(subject: FuzzSubject, how: RegionDamage, what: string): Damage {
	const region = subject.sites.regions.get(how.region);
	if (region === undefined) throw new Error(`${subject.name} has no region "${how.region}"`);
	const bytes = new Uint8Array(region.size).map((_, at) => how.pattern[at % how.pattern.length] ?? 0);
	return { what: [what], patches: [{ at: region.at, bytes }], size: subject.bytes.length };
}

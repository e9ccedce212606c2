/** What is run: numbered cases of a seed, or those that ever failed. */
import { Prng } from "../support/prng.ts";
import { type Damage, damage } from "./mutations.ts";
import { makeRegression, REGRESSIONS } from "./regressions.ts";
import { type FuzzSubject, FuzzSubjects } from "./subjects.ts";

export type Which = "few" | "all" | "regressions";

export interface Case {
	subject: FuzzSubject;
	variant: Damage;
}

export class Cases {
	readonly subjects: FuzzSubjects;
	readonly #which: Which;
	readonly #seed: number;

	constructor(which: Which, seed: number) {
		this.subjects = new FuzzSubjects(which === "few" ? "few" : "all");
		this.#which = which;
		this.#seed = seed;
	}

	/** Names of the programs that the cases damage. */
	get programs(): readonly string[] {
		return this.#which === "regressions"
			? [...new Set(REGRESSIONS.map(({ subject }) => subject))]
			: this.subjects.names;
	}

	/** How many there are. */
	get count(): number {
		return this.#which === "regressions" ? REGRESSIONS.length : Number.MAX_SAFE_INTEGER;
	}

	at(index: number): Case {
		if (this.#which === "regressions") {
			const regression = REGRESSIONS[index];
			if (regression === undefined) throw new Error(`no regression ${index}`);
			return makeRegression(regression, this.subjects);
		}
		const subject = this.subjects.get(this.subjects.names[index % this.subjects.names.length] ?? "");
		return { subject, variant: damage(subject, this.subjects, new Prng(this.#seed, index)) };
	}
}

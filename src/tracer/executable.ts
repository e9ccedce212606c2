/** An executable with what is known of it: one for all processes that execute it, however many come and go. */
import { type GoBinary, openGoBinary } from "../gobin/go-binary.ts";
import { type CodeRange, WRAPPER_PREFIXES, wrapperRanges } from "../gomap/wrappers.ts";
import { WRAPPER_RANGES } from "../kernel/wire.ts";
import { lazy } from "../lib/lazy.ts";
import { requireArchitecture } from "../plan/architecture.ts";
import { makePlan, type PlanOptions } from "../plan/make-plan.ts";
import type { ProbePlan } from "../plan/probe-plan.ts";
import { type FileBytes, openFileBytes } from "../process/file-bytes.ts";
import { MACHINE } from "../process/machine.ts";
import { namingFile } from "../process/name-file.ts";
import { StackDecoder } from "./decode/stacks.ts";
import { MapTypes } from "./decode/type-names.ts";

export class Executable {
	readonly file: FileBytes;
	readonly binary: GoBinary;
	readonly plan: ProbePlan;
	/** Names of its map types and of its code, found by addresses in the file. */
	readonly types: MapTypes;
	/** Code through which others use maps. */
	readonly wrappers: () => readonly CodeRange[];
	readonly stacks: StackDecoder;
	#users = 1;

	/** Opens it for one user, and plans its probes. Throws E-BIN-… or E-TARGET-… */
	constructor(path: string, options: PlanOptions = {}) {
		this.file = openFileBytes(path);
		try {
			this.binary = namingFile(path, () => {
				const binary = openGoBinary(this.file);
				requireArchitecture(binary, MACHINE);
				return binary;
			});
			this.plan = makePlan(this.binary, options);
			this.types = new MapTypes(this.binary);
			this.wrappers = lazy(() => wrapperRanges(this.binary.functionsWithPrefix(...WRAPPER_PREFIXES), WRAPPER_RANGES));
			this.stacks = new StackDecoder(this);
			// Planning passes over much that is never read again, and there can be hundreds of executables.
			this.file.trim();
		} catch (error) {
			this.file.close();
			throw error;
		}
	}

	/** Whether it has a user. */
	get open(): boolean {
		return this.#users > 0;
	}

	/** For one user more. */
	share(): Executable {
		this.#users++;
		return this;
	}

	/** One user less; the last one closes the file. */
	release(): void {
		this.#users--;
		if (this.#users === 0) this.file.close();
	}
}

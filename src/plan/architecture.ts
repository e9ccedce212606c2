/** What the planner has to know about each processor architecture. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoVersion } from "../gobin/buildinfo/go-version.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { isForLinux } from "../gobin/platform.ts";
import * as amd64 from "../isa/amd64/stack-check.ts";
import * as arm64 from "../isa/arm64/stack-check.ts";
import type { FlagsTest, StackCheck } from "../isa/stack-check.ts";
import { arm64Exits } from "./arm64-exits.ts";
import { entryWithoutCheck } from "./plan-entry.ts";
import { type ExitPlan, planExits } from "./plan-exits.ts";
import type { ArgAbi, PlannedProbe } from "./probe-plan.ts";

export interface Architecture {
	/** Bytes from a function's start that `findStackCheck` wants to see. */
	stackCheckBytes: number;
	findStackCheck(code: Uint8Array, size: number): StackCheck | undefined;
	/** Mnemonic of the stack check's branch. */
	branch: string;
	/** When that branch is taken: such a pass goes to morestack and comes again, and is not a call. */
	diverted: FlagsTest;
	/**
	 * Where a function of this release has its integer arguments at the stack check: the first three in RAX, RBX, RCX or in X0, X1, X2; or, on both
	 * architectures, on the stack from 8 bytes above SP.
	 */
	argAbi(version: GoVersion, check: StackCheck): ArgAbi;
	/** Where the calls of a function without a known stack check begin, or why that cannot be seen. */
	entryWithoutCheck(binary: GoBinary, entry: number, end: number): Entry | string;
	/** Where the calls of the probed functions end; `ends` gives the end of each function's code by its name. */
	planExits(
		binary: GoBinary,
		probes: readonly PlannedProbe[],
		ends: ReadonlyMap<string, number>,
	): Map<string, ExitPlan>;
}

/** An entry that is no stack check, and where the goroutine and the arguments are there. */
export type Entry = Pick<PlannedProbe, "site" | "gRegister" | "argAbi">;

export const ARCHITECTURES: Readonly<Record<GoBinary["arch"], Architecture>> = {
	amd64: {
		stackCheckBytes: amd64.MAX_STACK_CHECK_BYTES,
		findStackCheck: amd64.findStackCheck,
		branch: "jbe",
		diverted: amd64.STACK_CHECK_TAKEN,
		// The register ABI came together with g in R14 (Go 1.17).
		argAbi: (_version, { gRegister }) => (gRegister === "rcx" ? "stack" : "regs"),
		entryWithoutCheck: (binary, entry, end) => {
			const site = entryWithoutCheck(binary, entry, end);
			return typeof site === "string" ? site : { site, gRegister: "r14", argAbi: "regs" };
		},
		planExits,
	},
	arm64: {
		stackCheckBytes: arm64.MAX_STACK_CHECK_BYTES,
		findStackCheck: arm64.findStackCheck,
		branch: "b.ls",
		diverted: arm64.STACK_CHECK_TAKEN,
		// g has always been in X28; the register ABI came with Go 1.18 (its release notes, "Compiler").
		argAbi: ({ major, minor }) => (major === 1 && minor < 18 ? "stack" : "regs"),
		entryWithoutCheck: () => "other beginnings are not looked for on arm64",
		planExits: (binary, probes, ends) =>
			new Map(
				probes.map(({ fn, entry }) => {
					const exits = arm64Exits(binary, { entry, end: ends.get(fn) ?? entry });
					return [fn, typeof exits === "string" ? { exits: [], exitsMissing: exits } : { exits }];
				}),
			),
	},
};

/** The kernel programs know the registers of both architectures, but a machine runs only programs of its own. Throws E-BIN-ARCH. */
export function requireArchitecture({ arch, os }: Pick<GoBinary, "arch" | "os">, machine: string): void {
	if (!isForLinux(os)) {
		throw new GomapgrowError("E-BIN-ARCH", {
			wanted: "an executable for Linux",
			found: `one for ${os}, which Linux does not execute`,
		});
	}
	if (arch === machine) return;
	throw new GomapgrowError("E-BIN-ARCH", {
		wanted: `an executable for ${machine}, as this machine is`,
		found: `${arch} code, which it cannot run`,
	});
}

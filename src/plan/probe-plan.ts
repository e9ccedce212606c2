/**
 * The probe plan: which instruction of which function is probed, and what the kernel program has to know about it.
 * It is plain data, made without a kernel, printed by `inspect`, compared by tests and executed by the session.
 */

export type MapImpl = "classic" | "swiss";
export type Tier = "growth" | "work";

/** What a hit at a site means; the numbers are shared with the BPF program (bpf/gomapgrow.h, enum gmg_role). */
export const ROLE = {
	hashGrow: 1,
	growToTable: 2,
	rehash: 3,
	growWork: 4,
	evacuate: 5,
	grow: 6,
	split: 7,
	pruneTombstones: 8,
} as const;
export type Role = keyof typeof ROLE;

/** Where g (the goroutine) is at the site: register R14 (Go >= 1.17) or RCX (loaded from TLS by the 1.15/1.16 stack check). */
export type GRegister = "r14" | "rcx";

/** Where the arguments are at the site: integer registers (ABIInternal, Go >= 1.17) or on the stack (ABI0 before). */
export type ArgAbi = "regs" | "stack";

export interface ProbeSite {
	/** Virtual address in the file (before the load bias). */
	address: number;
	/** Offset in the file: what the kernel wants for a uprobe. */
	fileOffset: number;
	/** The instruction as text, e.g. "jbe +0x10". */
	instruction: string;
	/** Its bytes; compared with the file again right before attaching. */
	bytes: Uint8Array;
	/** "emulated": the kernel emulates it, no single step (arch/x86/kernel/uprobes.c). */
	cost: "emulated" | "stepped";
	/** Why this site. */
	reason: string;
}

export interface PlannedProbe {
	/** Full Go name of the function, e.g. "runtime.growWork_fast64". */
	fn: string;
	role: Role;
	tier: Tier;
	/** Entry address of the function (virtual address in the file). */
	entry: number;
	site: ProbeSite;
	gRegister: GRegister;
	argAbi: ArgAbi;
	/** How many frames above the probed function the first frame outside the map code is expected: 2 for growWork (mapassign, its caller). */
	callerDepth: number;
}

export interface ProbePlan {
	impl: MapImpl;
	goVersion: string;
	/** Offset of runtime.g.goid in bytes; 0 when no probe reads it (see `limits`). */
	goidOffset: number;
	probes: PlannedProbe[];
	/** Functions of interest that are not probed, and why. */
	skipped: { fn: string; reason: string }[];
	/** What a trace of this program cannot show, and why; absent when it shows everything. */
	limits?: string[];
}

/**
 * The probe plan: which instruction of which function is probed, and what the kernel program has to know about it.
 * It is plain data, made without a kernel, printed by `inspect`, compared by tests and executed by the session.
 */
import type { MapImpl, Role, Tier } from "../gomap/functions.ts";
import type { GRegister } from "../isa/stack-check.ts";

/**
 * Where g (the goroutine) is at the site: on amd64 in R14 (Go >= 1.17) or RCX (loaded from TLS by the 1.15/1.16 stack check), on arm64
 * in X28.
 */
export type { GRegister };

/** Where the arguments are at the site: integer registers (ABIInternal, Go >= 1.17, on arm64 >= 1.18) or on the stack (ABI0 before). */
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

/** An instruction near the end of a function: where the time of a call is taken. */
export interface ExitSite extends ProbeSite {
	/**
	 * Where the stack pointer at the function's entry (which pointed to the return address) is found at this site: 8 bytes above what the
	 * frame pointer points to, or in the stack pointer itself (at RET).
	 */
	entrySp: "frame-pointer" | "stack-pointer";
	/**
	 * Of a conditional branch of which only one outcome leaves: its condition code (the low four bits of the opcode) and the outcome. Absent: every
	 * pass leaves the function.
	 */
	leavesWhen?: { condition: number; taken: boolean };
	/**
	 * The call ends when the call of this function does that comes next: it is the function's last. With `leavesWhen` on the other outcome of the branch;
	 * without on every pass: the site is the call itself then, and no pass leaves. That function has exits in the same plan.
	 */
	handsOverTo?: string;
	/** The longest way from here to the RET, which is not measured: instructions, and functions that it may call. */
	tail: { instructions: number; calls: string[] };
}

export interface PlannedProbe {
	/** Full Go name of the function, e.g. "runtime.growWork_fast64". */
	fn: string;
	role: Role;
	tier: Tier;
	/** Entry address of the function (virtual address in the file). */
	entry: number;
	site: ProbeSite;
	/**
	 * Each pass of the site is a call. Absent: the site is the branch of the stack check, and a pass with CF or ZF set is none, as it comes again
	 * after morestack.
	 */
	everyPass?: true;
	gRegister: GRegister;
	/** Where a thread keeps g, from its FS base, in bytes: before Go 1.17 no register holds it at the exits. */
	fsOffset?: number;
	argAbi: ArgAbi;
	/** Each call that returns passes exactly one of them, once; empty when durations cannot be measured (`exitsMissing` says why). */
	exits: ExitSite[];
	exitsMissing?: string;
	/** The site is in a copy of the function that the compiler has put into this one instead of a call. */
	inlinedInto?: string;
	/**
	 * Of such a copy: distance from the stack pointer to the word with the address of the map's header, or that nothing
	 * says where it is. Absent: as `argAbi` says.
	 */
	mapAt?: number | "unknown";
	/** Of functions that make maps: what is where at the site. Distances are from the stack pointer, in bytes. */
	make?: MakeSite;
	/** How many frames above the probed function the first frame outside the map code is expected: 2 for growWork (mapassign, its caller). */
	callerDepth: number;
}

/** What is known at the site of a function that makes maps. */
export interface MakeSite {
	/** The frame pointer is the function's own. Absent: nothing has been pushed yet, and hint and type are arguments. */
	framed?: true;
	/** The word with the map's address. Absent: which map it is cannot be told there. */
	headerAt?: number;
	hintAt?: number;
	typeAt?: number;
}

/** Whether the site is in the middle of the function around an inlined copy, where nothing but the frame pointer says who called it. */
export function isInMiddle({ inlinedInto, everyPass }: PlannedProbe): boolean {
	return inlinedInto !== undefined && everyPass === true;
}

/** Whether the site has all arguments of the probed function in their places. */
export function hasAllArguments({ fn, inlinedInto, role }: PlannedProbe): boolean {
	return inlinedInto === undefined || (role === "growWork" && fn.startsWith("runtime.growWork"));
}

/** Offsets in runtime.g and (curg) runtime.m, in bytes. Absent fields are not in this release or nothing vouches for them. */
export interface GoroutineOffsets {
	goid: number;
	/** Since Go 1.21. */
	parentGoid?: number;
	/** Address of the go statement that started it, and of the function that it runs. */
	gopc?: number;
	startpc?: number;
	/** Distance of the frame records between which the frame pointers of a callback from C lead through the C code (gobin/cgo-frames.ts). */
	cgoGap?: number;
	/** The goroutine that a thread runs while the code is on the scheduler's stack. */
	curg?: number;
}

export interface ProbePlan {
	impl: MapImpl;
	goVersion: string;
	/** Absent when no probe looks into goroutines (see `limits`). */
	goroutine?: GoroutineOffsets;
	probes: PlannedProbe[];
	/** Stacks are followed as long as the frame pointers stay on the goroutine's own: others are stale (gobin/stale-frame-pointers.ts). */
	ownStackOnly?: true;
	/** Functions of interest that are not probed, and why. */
	skipped: { fn: string; reason: string }[];
	/** Copies of growth functions in others of which some passages are not seen, and why: not all growths are. Absent: there are none. */
	unseen?: string[];
	/** What a trace of this program cannot show, and why; absent when it shows everything. */
	limits?: string[];
}

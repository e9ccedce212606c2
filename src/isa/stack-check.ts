/** What the stack check at the start of a Go function tells, of any architecture. */

/** Register that holds g, the goroutine, at the branch. */
export type GRegister = "r14" | "rcx" | "x28";

export interface StackCheck {
	/** Offset of the conditional branch from the function's first byte. */
	branchOffset: number;
	/** Its length in bytes. */
	branchLength: number;
	/** Branch target, as an offset from the function's first byte. */
	target: number;
	gRegister: GRegister;
	/** Where the check has loaded g from: its distance from the thread's FS base in bytes, negative. Absent: g always is in `gRegister`. */
	fsOffset?: number;
}

/** When a conditional branch is taken: some bit of `set` is 1, or some bit of `clear` is 0, in the word that holds the flags. */
export interface FlagsTest {
	/** Name of that word in the kernel's struct pt_regs. */
	word: "flags" | "pstate";
	set: number;
	clear: number;
}

export function isTaken({ set, clear }: FlagsTest, flags: number): boolean {
	return (flags & set) !== 0 || (~flags & clear) !== 0;
}

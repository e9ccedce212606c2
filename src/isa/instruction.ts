/** What the planner has to know about one machine instruction, of any architecture. Offsets count from the start of the function's code. */

/**
 * How an instruction passes control on:
 * - next: to the instruction behind it
 * - jump: to `target`, always
 * - branch: to `target` or to the instruction behind it
 * - call: to `target`, and later to the instruction behind it
 * - indirect-jump, indirect-call: likewise, to an address from a register or from memory
 * - return: to the caller
 * - stop: nowhere (ud2, int3, hlt; brk, udf)
 */
export type Flow = "next" | "jump" | "branch" | "call" | "indirect-jump" | "indirect-call" | "return" | "stop";

export interface Instruction {
	offset: number;
	/** Bytes. */
	length: number;
	flow: Flow;
	/** Of jump, branch and call: offset of the destination; may lie outside the function. */
	target?: number;
	/**
	 * Whether the kernel executes a probed instruction of this kind without a single step (arch/x86/kernel/uprobes.c,
	 * arch/arm64/kernel/probes/decode-insn.c and simulate-insn.c).
	 */
	emulated: boolean;
}

/** The instruction at the offset; undefined when the bytes are none that the decoder knows or the code ends within it. */
export type Decoder = (code: Uint8Array, offset: number) => Instruction | undefined;

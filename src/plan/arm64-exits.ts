/** Where a call of a growth function is left on arm64: at each of its RETs, which the kernel simulates. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { findReturns } from "../isa/arm64/returns.ts";
import { WORD_BYTES } from "../isa/arm64/word.ts";
import type { ExitSite } from "./probe-plan.ts";

/** Addresses before the load bias; `end` is behind the function's last byte. */
export interface CodeRange {
	entry: number;
	end: number;
}

/** Bytes; the longest growth function seen has 1,600. */
const MAX_CODE = 65536;

/** The exits of a function, or why the duration of its calls cannot be measured. */
export function arm64Exits(
	binary: Pick<GoBinary, "bytesAt" | "fileOffset">,
	{ entry, end }: CodeRange,
): ExitSite[] | string {
	if (end - entry > MAX_CODE) return `its code is longer than ${MAX_CODE} bytes`;
	const fileOffset = binary.fileOffset(entry);
	if (fileOffset === undefined) return "its code is not in the file";
	const code = binary.bytesAt(entry, end - entry);
	const returns = findReturns(code);
	if (typeof returns === "string") return returns;
	return returns.map((offset) => ({
		address: entry + offset,
		fileOffset: fileOffset + offset,
		instruction: "ret",
		bytes: code.slice(offset, offset + WORD_BYTES),
		cost: "emulated",
		reason: "the return itself: every call that returns passes one of them once, simulated by the kernel",
		// The frame is gone: SP is again what it was at the first instruction, and the return address is in X30.
		entrySp: "stack-pointer",
		tail: { instructions: 0, calls: [] },
	}));
}

/** Where the calls of a function without a known stack check begin: reads its code, chooses the site, and describes it. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { R14, RAX, RBP, RBX, RCX, RDI, setOf } from "../isa/amd64/registers.ts";
import { instructionText } from "../isa/amd64/text.ts";
import { chooseEntry } from "./entry-site.ts";
import { FunctionCode } from "./function-code.ts";
import type { ProbeSite } from "./probe-plan.ts";

/** Arguments of growth functions, what the walk of the stack begins with, and the goroutine (src/cmd/compile/abi-internal.md). */
const WANTED_AT_ENTRY = setOf(RAX, RBX, RCX, RDI, RBP, R14);

/** The entry site of the function at [entry, end), which has no known stack check, or why there is none. */
export function entryWithoutCheck(binary: GoBinary, entry: number, end: number): ProbeSite | string {
	// Before, the arguments are on the stack, and the stack check alone loads the goroutine into a register.
	if (binary.version.minor < 17) return "only the stack check knows the goroutine before Go 1.17";
	const fileOffset = binary.fileOffset(entry);
	if (fileOffset === undefined) return "its code is not in the file";
	const fn = FunctionCode.read(binary, entry, end);
	if (typeof fn === "string") return fn;
	const chosen = chooseEntry({
		graph: fn.graph,
		hasEntryStack: (offset) => fn.hasEntryStack(offset),
		clobbersArguments: (offset) => (fn.writes(offset) & WANTED_AT_ENTRY) !== 0,
		isMorestack: (offset) => fn.isMorestack(offset),
	});
	if (typeof chosen === "string") return chosen;
	const { offset, cost, reason } = chosen;
	return {
		address: entry + offset,
		fileOffset: fileOffset + offset,
		instruction: instructionText(fn.code, offset, (target) => fn.calleeAt(target)),
		bytes: fn.code.slice(offset, offset + (fn.graph.nodes.get(offset)?.instruction.length ?? 0)),
		cost,
		reason,
	};
}

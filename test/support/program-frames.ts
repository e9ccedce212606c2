/** Stacks as Go programs print them with their own runtime (test/programs/chains, exports), and as the symbolizer finds them. */
import type { GoBinary } from "../../src/gobin/go-binary.ts";
import type { Frame } from "../../src/gobin/pclntab/inline-tree.ts";

export interface PrintedStack {
	/** Return addresses as distances from a function's entry, one per source frame. */
	pcs: number[];
	frames: Frame[];
}

/** Reads the lines "pc DISTANCE" and "frame FUNCTION FILE LINE", with tabs between. */
export function printedStack(output: string): PrintedStack {
	const stack: PrintedStack = { pcs: [], frames: [] };
	for (const line of output.trim().split("\n")) {
		const [kind, first = "", file = "", number] = line.split("\t");
		if (kind === "pc") stack.pcs.push(Number(first));
		if (kind === "frame") stack.frames.push({ fn: first, file, line: Number(number) });
	}
	return stack;
}

export interface SymbolizedStack {
	/** In the spelling of the printed ones: without the mark for inlined calls. */
	frames: Frame[];
	/** Names of the frames that were inlined. */
	inlined: string[];
	/** How many addresses were in runtime.goexit. */
	goexits: number;
}

/** Symbolizes a printed stack. `base`: entry of the function that the distances count from. */
export function symbolizeStack(binary: GoBinary, stack: PrintedStack, base: number): SymbolizedStack {
	const result: SymbolizedStack = { frames: [], inlined: [], goexits: 0 };
	// runtime.Callers gives one pc per source frame; the first of each physical frame is a return address.
	while (result.frames.length < stack.pcs.length) {
		const pc = base + (stack.pcs[result.frames.length] ?? 0) - 1;
		const frames = binary.symbolize(pc);
		if (frames.length === 0) throw new Error(`no frames at 0x${pc.toString(16)}`);
		result.goexits += Number(binary.isGoexit(pc));
		result.inlined.push(...frames.filter((frame) => frame.inlined === true).map((frame) => frame.fn));
		result.frames.push(...frames.map(({ fn, file, line }) => ({ fn, file: file ?? "", line: line ?? 0 })));
	}
	return result;
}

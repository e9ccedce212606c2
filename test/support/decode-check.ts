/** The x86-64 decoder compared with objdump over a whole program. */
import { decodeAmd64 } from "../../src/isa/amd64/decode.ts";
import { type ListedInstruction, listing, textOf } from "./objdump.ts";

/** What the decoder says of the bytes at the offset, in one line; empty when it does not know them. */
export function decoded(code: Uint8Array, offset: number): string {
	const found = decodeAmd64(code, offset);
	return found === undefined ? "" : `${found.length} ${found.flow} ${found.target ?? ""}`;
}

/** The same of what objdump says; `end` is where its next line begins. */
export function listed({ address, flow, target }: ListedInstruction, end: number, base: number): string {
	return `${end - address} ${flow} ${target === undefined ? "" : target - base}`;
}

export interface Comparison {
	/** Instructions that objdump lists. */
	count: number;
	/** Of them, bytes that it does not know. */
	unknown: number;
	/** Bytes, what objdump says, and what the decoder says instead. */
	differences: string[];
}

/** Compares every instruction of the .text section: where it ends, and where it passes control to. */
export async function compareText(file: string): Promise<Comparison> {
	const { address: base, bytes } = textOf(file);
	const result: Comparison = { count: 0, unknown: 0, differences: [] };
	let previous: ListedInstruction | undefined;
	const compare = (end: number): void => {
		if (previous === undefined) return;
		result.count++;
		const offset = previous.address - base;
		const got = decoded(bytes, offset);
		if (previous.text.includes("(bad)")) result.unknown++;
		else if (got !== listed(previous, end, base)) {
			const shown = Buffer.from(bytes.subarray(offset, end - base)).toString("hex");
			result.differences.push(`${shown} ${previous.text}: ${got}`);
		}
	};
	for await (const instruction of listing("-j", ".text", file)) {
		compare(instruction.address);
		previous = instruction;
	}
	compare(base + bytes.length);
	return result;
}

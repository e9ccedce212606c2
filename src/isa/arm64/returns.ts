/** Finds the RETs through which a function can be left, by following its control flow from the first instruction. */
import { decode } from "./decoder.ts";

/**
 * Offsets of the RETs of the function whose whole code is `code`, ascending, or why they are not all of its ways out. Only reachable words are
 * looked at: literal pools lie between the instructions (cmd/internal/obj/arm64/asm7.go, checkpool).
 */
export function findReturns(code: Uint8Array): number[] | string {
	const returns: number[] = [];
	const seen = new Set<number>();
	const pending = [0];
	for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
		if (seen.has(at)) continue;
		seen.add(at);
		const instruction = decode(code, at);
		const hex = `+0x${at.toString(16)}`;
		if (instruction === undefined) return `what stands at ${hex} is no known instruction`;
		const { flow, target, length } = instruction;
		if (flow === "indirect-jump") return `it jumps to an address from a register at ${hex}`;
		if (flow === "return") {
			// retaa and retab exist in other compilers' code.
			if (!instruction.emulated) return `it returns by an authenticated return at ${hex}`;
			returns.push(at);
			continue;
		}
		if ((flow === "jump" || flow === "branch") && target !== undefined) {
			if (target < 0 || target >= code.length) return `it goes on in another function from ${hex}`;
			pending.push(target);
		}
		if (flow === "next" || flow === "branch" || flow === "call" || flow === "indirect-call") {
			pending.push(at + length);
		}
	}
	if (returns.length === 0) return "it never returns";
	return returns.sort((a, b) => a - b);
}

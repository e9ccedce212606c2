/** The place in a program that used a map. */
import type { Frame } from "../records/records.ts";
import { isMapCode } from "./functions.ts";

/** Equal stacks of a live run are one array, so most growths come from a known one. */
const sites = new WeakMap<readonly Frame[], Frame>();

/**
 * The frame that used the map: the first one of the stack (innermost first) outside Go's map code. When all frames are
 * map code the outermost one; undefined for an empty stack.
 */
export function callSite(stack: readonly Frame[]): Frame | undefined {
	const known = sites.get(stack);
	if (known !== undefined) return known;
	const site = stack.find((frame) => !isMapCode(frame.fn)) ?? stack.at(-1);
	if (site !== undefined) sites.set(stack, site);
	return site;
}

/** Where `inspect` says how the ends of calls are seen: per function its exits, their cost, and what comes after them. */

import { shortFunction } from "../text/go-names.ts";
import { displayWidth } from "../text/width.ts";
import { labelled } from "../text/wrap.ts";
import type { InspectedExit, InspectedFunction } from "./record.ts";

/** Lines for a terminal of `width` columns; none when no function is probed. */
export function exitsText(
	functions: readonly InspectedFunction[],
	head: (title: string) => string,
	width: number,
): string[] {
	// How long a step of an iterator takes is not measured.
	const probed = functions.filter(({ site, tier }) => site !== undefined && tier !== "iteration" && tier !== "make");
	if (probed.length === 0) return [];
	const texts = probed.map((fn) => ({ name: shortFunction(fn.name), text: functionText(fn) }));
	const title = head("ends of calls");
	const [first] = texts;
	if (texts.length > 1 && texts.every(({ text }) => text === first?.text)) {
		return [title, ...labelled("", 2, first?.text ?? "", width)];
	}
	const column = Math.max(...texts.map(({ name }) => displayWidth(name))) + 4;
	return [title, ...texts.flatMap(({ name, text }) => labelled(`  ${name}`, column, text, width))];
}

function functionText({ address, exits, exits_missing }: InspectedFunction): string {
	if (exits.length === 0) return `not seen: ${exits_missing ?? "no exits"}`;
	return exits.map((exit) => exitText(exit, Number(address))).join("; ");
}

function exitText(exit: InspectedExit, entry: number): string {
	const { instruction, cost, leaves_when, hands_over_to, tail } = exit;
	const place = `+0x${(Number(exit.address) - entry).toString(16)}`;
	const callee = hands_over_to === undefined ? "" : shortFunction(hands_over_to);
	const where =
		leaves_when !== undefined
			? `${place} ${instruction} when ${leaves_when.taken ? "taken" : "not taken"}${callee && `, else with ${callee}`}`
			: callee
				? `with ${callee}, called at ${place}`
				: `${place} ${instruction}`;
	return `${where} (${[cost, ...tailText(tail)].join(", ")})`;
}

/** What is not measured; nothing for a RET. */
function tailText({ instructions, calls }: InspectedExit["tail"]): string[] {
	if (instructions === 0) return [];
	const count = instructions === 1 ? "1 instruction" : `${instructions} instructions`;
	return [`then ${[count, ...calls.map(shortFunction)].join(" and ")}`];
}

/** What the map code on a stack is doing. */
import type { Frame } from "../records/records.ts";
import { callSite } from "./call-site.ts";
import { type MapCode, mapCodeOf } from "./functions.ts";

/** The map code that a stack (innermost frame first) is in. */
export interface MapWork {
	/** Growing a map, stepping through one, or anything else: where one is inside the other, the first of these. */
	role: MapCode;
	/** The function that says so. */
	fn: string;
	/** The frame that used the map. */
	site: Frame | undefined;
}

/** Undefined for a stack that is not inside map code. What map code calls (the allocator, the scheduler) counts as inside. */
export function mapWork(stack: readonly Frame[]): MapWork | undefined {
	const inside = stack.flatMap(({ fn }, index) => {
		const role = mapCodeOf(fn);
		return role === undefined ? [] : [{ fn, role, index }];
	});
	const [innermost] = inside;
	if (innermost === undefined) return undefined;
	const of = (wanted: MapCode) => inside.find(({ role }) => role === wanted);
	const { role, fn } = of("growth") ?? of("iteration") ?? innermost;
	return { role, fn, site: callSite(stack.slice(innermost.index)) };
}

import type { Frame } from "../records/records.ts";
import { callSite, isMapCode } from "./call-site.ts";

/** What map code is doing: growing a map (starting to, or moving entries), stepping through one, or anything else. */
export type MapRole = "growth" | "iteration" | "access";

/** Go source as in `isMapCode`. Entries are moved by growWork and evacuate (classic), by grow and split (swiss). */
const GROWTH =
	/^(runtime\.(hashGrow|growWork|evacuate)|internal\/runtime\/maps\.\((\*Map\)\.growTo|\*table\)\.(rehash|grow|split)))/;
const ITERATION =
	/^(runtime\.mapiter|runtime\.mapIter|internal\/runtime\/maps\.\(\*Iter\)\.|reflect\.(mapiter|mapIter|\(\*(MapIter|hiter)\)))/;

/** The map code that a stack (innermost frame first) is in. */
export interface MapWork {
	role: MapRole;
	/** The function that says so. */
	fn: string;
	/** The frame that used the map. */
	site: Frame | undefined;
}

/** Undefined for a stack that is not inside map code. What map code calls (the allocator, the scheduler) counts as inside. */
export function mapWork(stack: readonly Frame[]): MapWork | undefined {
	const inside = stack.filter(({ fn }) => isMapCode(fn));
	const [innermost] = inside;
	if (innermost === undefined) return undefined;
	const outer = stack.slice(stack.indexOf(innermost));
	const of = (pattern: RegExp): Frame | undefined => inside.find(({ fn }) => pattern.test(fn));
	const growth = of(GROWTH);
	const iteration = growth === undefined ? of(ITERATION) : undefined;
	const role = growth !== undefined ? "growth" : iteration !== undefined ? "iteration" : "access";
	return { role, fn: (growth ?? iteration ?? innermost).fn, site: callSite(outer) };
}

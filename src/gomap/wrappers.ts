/** Code through which somebody else's code uses a map: reflect, package maps, and the runtime's own functions for them. A call site is the first caller outside of it. */
import { isMapCode } from "./functions.ts";

/** What all names of such functions begin with. */
export const WRAPPER_PREFIXES = [
	"reflect.",
	"maps.",
	"runtime.map",
	"runtime.makemap",
	"internal/runtime/maps.",
] as const;

/** Addresses, `to` not included. */
export interface CodeRange {
	from: number;
	to: number;
}

interface Named {
	name: string;
	entry: number;
	end: number;
}

/**
 * The map code among these functions, at most `most` ranges of it: neighbours make one range. Where there are more, those of the runtime itself, which the depth of callers
 * is known for, are left out first.
 */
export function wrapperRanges(functions: readonly Named[], most: number): CodeRange[] {
	const ranges: (CodeRange & { own: boolean })[] = [];
	const wanted = functions.filter(({ name }) => isMapCode(name)).sort((a, b) => a.entry - b.entry);
	for (const { name, entry, end } of wanted) {
		const own = name.startsWith("runtime.") || name.startsWith("internal/runtime/");
		const last = ranges.at(-1);
		if (last !== undefined && last.to >= entry) {
			last.to = Math.max(last.to, end);
			last.own &&= own;
		} else ranges.push({ from: entry, to: end, own });
	}
	return ranges
		.sort((a, b) => Number(a.own) - Number(b.own) || a.from - b.from)
		.slice(0, most)
		.map(({ from, to }) => ({ from, to }));
}

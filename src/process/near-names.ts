/** Names that a user may have meant. */

import { compareText } from "../lib/compare.ts";

/** Number of single-character insertions, deletions, replacements and swaps of neighbours between two names. */
function editDistance(a: string, b: string): number {
	let beforePrevious: number[] = [];
	let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const current = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			let least = Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
				least = Math.min(least, (beforePrevious[j - 2] ?? 0) + 1);
			}
			current.push(least);
		}
		beforePrevious = previous;
		previous = current;
	}
	return previous[b.length] ?? 0;
}

/** Longer text is no name that somebody mistyped. */
const LONGEST = 64;

/** At most `limit` of `names` that resemble `wanted`, the nearest first, each once. */
export function nearNames(wanted: string, names: Iterable<string>, limit: number): string[] {
	const needle = wanted.toLowerCase().slice(0, LONGEST);
	const allowed = Math.max(1, Math.floor(needle.length / 3));
	const scored: { name: string; distance: number }[] = [];
	for (const name of new Set(names)) {
		const candidate = name.toLowerCase().slice(0, LONGEST);
		if (candidate === "") continue;
		const contains = needle.length >= 3 && candidate.includes(needle);
		const contained = candidate.length >= 3 && needle.includes(candidate);
		const distance = contains || contained ? 0.5 : editDistance(needle, candidate);
		if (distance <= allowed) scored.push({ name, distance });
	}
	scored.sort((a, b) => a.distance - b.distance || compareText(a.name, b.name));
	return scored.slice(0, limit).map(({ name }) => name);
}

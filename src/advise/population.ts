/**
 * How large the maps of a line become. The size of a map is known where it was looked at after its last growth; of the
 * others their growths say between which sizes it lies. What remains open is weighed three times: as it probably is, and
 * at both ends.
 */
import { mapLife } from "../gomap/map-life.ts";
import { bucketRoom, bucketsLog2, GROUP_SLOTS, MAX_TABLE_CAPACITY, swissTables, tableRoom } from "../gomap/sizing.ts";
import type { Counts, MakePart } from "./make-site.ts";

/** So many maps were made with that hint and became so large. Counts may be fractions. */
export interface Group {
	hint: number;
	entries: number;
	maps: number;
}

/** The same maps, seen in three ways. */
export interface Population {
	likely: readonly Group[];
	/** What is not known is as small, and as large as it can be. */
	small: readonly Group[];
	large: readonly Group[];
	/** Maps whose size, or the class that it lies in, is known. */
	known: number;
}

/** Sizes with their counts, for the three views. */
interface Sizes {
	likely: [entries: number, maps: number][];
	small: [entries: number, maps: number][];
	large: [entries: number, maps: number][];
}

const total = (counts: Counts): number => counts.reduce((sum, [, count]) => sum + count, 0);

/** Undefined where too little is known: hints differ, and the sizes of more than a tenth of the maps are not known. */
export function populationOf(part: MakePart): Population | undefined {
	const { hints, seen, unknown } = part;
	if (seen === 0 || total(hints) === 0) return undefined;
	const starts = new Set(hints.map(([hint]) => startClass(part, hint)));
	const [first] = hints;
	if (starts.size > 1 || first === undefined || part.sampled) {
		// Of sampled maps not all growths were seen: only known sizes count.
		if (unknown > (part.sampled ? MOST_UNKNOWN_SAMPLED : MOST_UNKNOWN) * seen) return undefined;
		const sizes = spread(part.sizes, unknown, seen - unknown);
		return { ...coupled(hints, sizes), known: seen - unknown };
	}
	const sizes = sizesByClass(part, first[0]);
	const group = (list: readonly (readonly [number, number])[]): Group[] =>
		list.filter(([, maps]) => maps > 0).map(([entries, maps]) => ({ hint: first[0], entries, maps }));
	return {
		likely: group(sizes.likely),
		small: group(sizes.small),
		large: group(sizes.large),
		known: total(part.sizes),
	};
}

const MOST_UNKNOWN = 0.1;
const MOST_UNKNOWN_SAMPLED = 0.5;

/** Hints of one class make the same. */
export function startClass({ kind }: MakePart, hint: number): number {
	const { impl, minor } = kind.release;
	if (impl === "classic") return bucketsLog2(hint, minor);
	const { tables, slots } = swissTables(hint);
	return tables * slots;
}

/** The unknown ones are like the others; at both ends they are all like the smallest and the largest. */
function spread(sizes: Counts, unknown: number, known: number): Sizes {
	const likely = sizes.map(([entries, maps]): [number, number] => [
		entries,
		maps + (unknown * maps) / Math.max(1, known),
	]);
	const ends = (entries: number): [number, number][] =>
		[...sizes.map(([size, maps]): [number, number] => [size, maps]), [entries, unknown] as [number, number]].sort(
			([a], [b]) => a - b,
		);
	return { likely, small: ends(0), large: ends(sizes.at(-1)?.[0] ?? 0) };
}

/** Larger hints go with larger maps, where both differ. */
function coupled(hints: Counts, sizes: Sizes): Omit<Population, "known"> {
	const couple = (list: readonly (readonly [number, number])[]): Group[] => {
		const groups: Group[] = [];
		const left = hints.map(([hint, maps]) => ({ hint, maps }));
		for (const [entries, count] of list) {
			let rest = count;
			while (rest > 1e-9 && left.length > 0) {
				const next = left[0] as { hint: number; maps: number };
				const maps = Math.min(rest, next.maps);
				groups.push({ hint: next.hint, entries, maps });
				rest -= maps;
				next.maps -= maps;
				if (next.maps <= 1e-9) left.shift();
			}
		}
		return groups;
	};
	return { likely: couple(sizes.likely), small: couple(sizes.small), large: couple(sizes.large) };
}

/** One class of sizes: all that a map goes through without growing. */
interface SizeClass {
	/** Entries: the least that needs it, and the most that fits. */
	from: number;
	to: number;
	/** Maps that ended in it, by their growths. */
	maps: number;
}

/** By growths: maps that outgrew a size did so once. */
function sizesByClass(part: MakePart, hint: number): Sizes {
	const classes = part.kind.release.impl === "classic" ? classicClasses(part, hint) : swissClasses(part, hint);
	const sizes: Sizes = { likely: [], small: [], large: [] };
	for (const { from, to, maps } of classes) {
		const seen = part.sizes.filter(([entries]) => entries >= from && entries <= to);
		// A map that was looked at while it was being filled is among the smaller ones, and among those that outgrew them.
		const inside = atMost(seen, maps);
		const known = total(inside);
		const open = Math.max(0, maps - known);
		const mean = known === 0 ? Math.floor((from + to) / 2) : sumOf(inside) / known;
		for (const each of inside) addTo(sizes, each);
		sizes.likely.push([Math.round(mean), open]);
		sizes.small.push([from, open]);
		sizes.large.push([to, open]);
	}
	if (part.kind.release.impl === "swiss") addSplit(part, hint, sizes);
	return sizes;
}

const growthsAt = (part: MakePart, slots: number): number => part.growths.find(([at]) => at === slots)?.[1] ?? 0;

function classicClasses(part: MakePart, hint: number): SizeClass[] {
	const { minor } = part.kind.release;
	const first = bucketsLog2(hint, minor);
	const largest = Math.max(GROUP_SLOTS, ...part.growths.map(([slots]) => slots));
	const last = Math.max(first, Math.log2(largest / GROUP_SLOTS) + 1);
	const classes: SizeClass[] = [];
	let reached = part.seen;
	for (let b = first; b <= last; b++) {
		const outgrew = growthsAt(part, GROUP_SLOTS * 2 ** b);
		const from = b === first ? 0 : bucketRoom(b - 1, minor) + 1;
		classes.push({ from, to: bucketRoom(b, minor), maps: Math.max(0, reached - outgrew) });
		reached = outgrew;
	}
	return classes;
}

/** Of maps with one table or none. */
function swissClasses(part: MakePart, hint: number): SizeClass[] {
	const { tables, slots } = swissTables(hint);
	if (tables > 1) return [];
	const classes: SizeClass[] = [];
	let reached = part.seen;
	for (let at = slots; at <= MAX_TABLE_CAPACITY; at *= 2) {
		const room = at === GROUP_SLOTS ? GROUP_SLOTS : tableRoom(at);
		const before = at === 2 * GROUP_SLOTS ? GROUP_SLOTS : tableRoom(at / 2);
		// Those that split are counted apart.
		const outgrew = at === MAX_TABLE_CAPACITY ? splitMaps(part, reached) : growthsAt(part, at);
		classes.push({ from: at === slots ? 0 : before + 1, to: room, maps: Math.max(0, reached - outgrew) });
		reached = outgrew;
	}
	return classes;
}

/** How many maps have split, of those that could: by the number of splits that those of known size take. */
function splitMaps(part: MakePart, could: number): number {
	const splits = growthsAt(part, MAX_TABLE_CAPACITY);
	const room = tableRoom(MAX_TABLE_CAPACITY);
	const large = part.sizes.filter(([entries]) => entries > room);
	const known = total(large);
	if (known === 0) {
		const small = total(part.sizes.filter(([entries]) => entries > room / 2 && entries <= room));
		return Math.max(0, Math.min(Math.max(could - small, Math.min(1, splits)), splits));
	}
	const each = large.reduce((sum, [entries, count]) => sum + count * splitsFrom(part, 0, entries), 0) / known;
	return Math.min(could, Math.max(Math.min(known, splits), Math.round(splits / Math.max(1, each))));
}

/** Splits of a map that was made with a hint, at so many entries: the mean. */
function splitsFrom({ kind }: MakePart, hint: number, entries: number): number {
	const { growths } = mapLife(kind, hint, entries);
	const { tables } = swissTables(hint);
	return tables > 1 ? growths : growths - mapLife(kind, hint, tableRoom(MAX_TABLE_CAPACITY)).growths;
}

/** Maps with several tables: known sizes, and for the others as many entries as their share of the splits takes. */
function addSplit(part: MakePart, hint: number, sizes: Sizes): void {
	const { tables, slots } = swissTables(hint);
	const room = tableRoom(MAX_TABLE_CAPACITY);
	const several = tables > 1;
	const could = slots < MAX_TABLE_CAPACITY && !several ? growthsAt(part, MAX_TABLE_CAPACITY / 2) : part.seen;
	const reached = several ? part.seen : splitMaps(part, could);
	const known = atMost(
		part.sizes.filter(([entries]) => several || entries > room),
		reached,
	);
	for (const each of known) addTo(sizes, each);
	const count = total(known);
	const open = Math.max(0, reached - count);
	if (open === 0) return;
	const splitsOf = (entries: number): number => splitsFrom(part, hint, entries);
	const explained = known.reduce((sum, [entries, maps]) => sum + maps * splitsOf(entries), 0);
	const left = Math.max(0, growthsAt(part, MAX_TABLE_CAPACITY) - explained);
	const least = several ? 0 : room + 1;
	if (left < HALF) {
		// None of these has split: they are like the others, or anything that seldom does.
		const most = entriesForSplits(splitsOf, HALF, least);
		sizes.likely.push([count > 0 ? Math.round(sumOf(known) / count) : Math.round((least + most) / 2), open]);
		sizes.small.push([least, open]);
		sizes.large.push([most, open]);
		return;
	}
	const even = entriesForSplits(splitsOf, left / open, least);
	sizes.likely.push([even, open]);
	// One map may have had all of these splits, or all their part.
	sizes.small.push([least, open - 1], [entriesForSplits(splitsOf, left, least), 1]);
	sizes.large.push([even, open]);
}

const HALF = 0.5;

/** The least number of entries, from `least` on, at which so many splits are to be expected. */
function entriesForSplits(splitsOf: (entries: number) => number, splits: number, least: number): number {
	let low = least;
	let high = Math.max(1, least);
	while (splitsOf(high) < splits && high < 2 ** 40) high *= 2;
	while (high - low > 1) {
		const middle = Math.floor((low + high) / 2);
		if (splitsOf(middle) < splits) low = middle;
		else high = middle;
	}
	return high;
}

function addTo(sizes: Sizes, [entries, maps]: readonly [number, number]): void {
	for (const list of [sizes.likely, sizes.small, sizes.large]) list.push([entries, maps]);
}

/** The same sizes, of no more maps than these. */
function atMost(sizes: Counts, maps: number): Counts {
	const all = total(sizes);
	return all <= maps ? sizes : sizes.map(([entries, count]) => [entries, (count * maps) / all] as const);
}

function sumOf(sizes: Counts): number {
	return sizes.reduce((sum, [entries, count]) => sum + entries * count, 0);
}

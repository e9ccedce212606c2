/** What a line's maps cost now, and what they would cost with another hint. */
import { type MapLife, mapLife, rebuildBytes } from "../gomap/map-life.ts";
import { bucketRoom, bucketsLog2, GROUP_SLOTS, MAX_TABLE_CAPACITY, swissTables, tableRoom } from "../gomap/sizing.ts";
import type { MakePart, MakeSite } from "./make-site.ts";
import { type Group, type Population, populationOf } from "./population.ts";

/** The maps of a site, with all that is needed to weigh them. */
export interface Weighed {
	site: MakeSite;
	parts: readonly { part: MakePart; population: Population }[];
	/** Of all parts: seen, and scaled to all that were made. */
	seen: number;
	made: number;
	known: number;
	grew: number;
	/** Growths that were seen, same-size ones included; scaled. */
	growths: number;
	/** Without what same-size growths take. */
	now: MapLife;
	/** Bytes allocated by same-size growths, with the overflow buckets that led to them. */
	rebuilt: number;
}

/** Which of the views of a population. */
type View = "likely" | "small" | "large";

/** What a change gains; negative: costs. Totals of all maps made. */
export interface Change {
	growths: number;
	bytes: number;
	/** Entries that need not be copied. */
	copied: number;
	/** Bytes that one map holds more in the end, on average. */
	heldPerMap: number;
	/** Whether more or fewer bytes are allocated, whatever is not known; 0: it depends. */
	sign: 1 | 0 | -1;
}

/** A constant hint, or the number of entries that each map gets. */
export type Hint = number | "entries";

/** Expected and seen growths may differ by so much: hashes spread entries at random. */
const FITS = 0.05;

/** Undefined where too little is known, or what is known does not fit together. */
export function weigh(site: MakeSite): Weighed | undefined {
	const parts = site.parts.flatMap((part) => {
		const population = populationOf(part);
		return population === undefined ? [] : [{ part, population }];
	});
	if (parts.length < site.parts.length || parts.length === 0) return undefined;
	let [seen, made, known, grew, counted, growths, rebuilt] = [0, 0, 0, 0, 0, 0, 0];
	for (const { part, population } of parts) {
		seen += part.seen;
		made += part.seen * part.scale;
		known += population.known;
		grew += part.grew * part.scale;
		for (const [, count] of part.growths) counted += count * part.scale;
		for (const [slots, count] of part.sameSize) {
			growths += count * part.scale;
			rebuilt += count * part.scale * rebuildBytes(part.kind, Math.log2(slots / GROUP_SLOTS));
		}
	}
	growths += counted;
	const now = sum(parts, "likely", (kind, { hint, entries }) => mapLife(kind, hint, entries));
	if (site.sampled) {
		// Not all of their growths were seen.
		growths = Math.max(growths, now.growths);
		grew = Math.max(grew, grownIn(parts));
	} else if (Math.abs(now.growths - counted) > Math.max(2, FITS * counted)) return undefined;
	return { site, parts, seen, made, known, grew, growths, now, rebuilt };
}

/** Maps that must have grown, by their sizes. */
function grownIn(parts: Weighed["parts"]): number {
	return parts.reduce((all, { part, population }) => {
		const grown = population.likely.filter(({ hint, entries }) => mapLife(part.kind, hint, entries).growths > 0.5);
		return all + part.scale * grown.reduce((maps, group) => maps + group.maps, 0);
	}, 0);
}

function sum(parts: Weighed["parts"], view: View, life: (kind: MakePart["kind"], group: Group) => MapLife): MapLife {
	const total: MapLife = { growths: 0, allocated: 0, held: 0, copied: 0 };
	for (const { part, population } of parts) {
		for (const group of population[view]) {
			const each = life(part.kind, group);
			const maps = group.maps * part.scale;
			total.growths += each.growths * maps;
			total.allocated += each.allocated * maps;
			total.held += each.held * maps;
			total.copied += each.copied * maps;
		}
	}
	return total;
}

/** What another hint would gain. */
export function changeTo({ parts, made, now }: Weighed, hint: Hint): Change {
	const lifeOf = (kind: MakePart["kind"], { entries }: Group): MapLife =>
		mapLife(kind, hint === "entries" ? entries : hint, entries);
	const after = sum(parts, "likely", lifeOf);
	const signs = (["likely", "small", "large"] as const).map((view) => {
		const before =
			view === "likely" ? now : sum(parts, view, (kind, group) => mapLife(kind, group.hint, group.entries));
		return Math.sign(Math.round(before.allocated - sum(parts, view, lifeOf).allocated));
	});
	const [sign] = signs;
	return {
		growths: Math.round(now.growths - after.growths) + 0,
		bytes: Math.round(now.allocated - after.allocated),
		copied: now.copied - after.copied,
		heldPerMap: Math.round((after.held - now.held) / Math.max(1, made)),
		sign: signs.every((each) => each === sign) ? (sign as Change["sign"]) : 0,
	};
}

/** The largest hint of each class, up to one in which the largest map fits: all hints of a class make the same. */
export function candidateHints({ parts }: Weighed): number[] {
	const first = parts[0]?.part.kind.release;
	if (first === undefined) return [];
	const largest = Math.max(...parts.flatMap(({ population }) => population.likely.map(({ entries }) => entries)));
	const hints = [GROUP_SLOTS];
	if (first.impl === "classic") {
		const last = bucketsLog2(largest, first.minor) + 1;
		for (let b = 1; b <= last; b++) hints.push(bucketRoom(b, first.minor));
		return hints;
	}
	const room = tableRoom(MAX_TABLE_CAPACITY);
	for (let slots = 2 * GROUP_SLOTS; slots < MAX_TABLE_CAPACITY; slots *= 2) hints.push(tableRoom(slots));
	const last = 2 * swissTables(largest).tables;
	for (let tables = 1; tables <= Math.max(1, last); tables *= 2) hints.push(tables * room);
	return hints;
}

/** The largest map, where the sizes of nearly all are known. */
export function largestKnown({ parts, seen, known }: Weighed): number | undefined {
	if (known < NEARLY_ALL * seen) return undefined;
	return Math.max(0, ...parts.flatMap(({ part }) => part.sizes.map(([entries]) => entries)));
}

/**
 * Whether sizes can be trusted to be final: a map that has a large enough hint does not show by its growths that it was
 * looked at while it was being filled, but then others were looked at earlier or later.
 */
export function sizesAgree({ parts }: Weighed, classOf: (entries: number) => number): boolean {
	const sizes = parts.flatMap(({ part }) => part.sizes);
	const largest = classOf(Math.max(0, ...sizes.map(([entries]) => entries)));
	let [all, same] = [0, 0];
	for (const [entries, count] of sizes) {
		all += count;
		if (classOf(entries) === largest) same += count;
	}
	return all > 0 && same >= NEARLY_ALL * all;
}

const NEARLY_ALL = 0.9;

/** Adds up where maps were made and what became of them. Bounded: lines for which there is no room are counted together. */
import type { Window } from "../budget/window-weight.ts";
import { callSite } from "../gomap/call-site.ts";
import { BoundedCounts } from "../lib/bounded-counts.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import { placeOf } from "../records/place.ts";
import type { Frame, MadeAt, MakeRow } from "../records/records.ts";
import { SampledSums } from "./sampled-sums.ts";
import type { Sampling } from "./sampling.ts";

/** What was added to a row of the kernel's table. */
export interface MadeCount {
	pid: number;
	/** What is counted: kernel/wire.ts, MADE. */
	kind: "made" | "onStack" | "size" | "outgrew" | "grew" | "growth" | "unlinked";
	type?: MapType;
	/** Whether the make itself tells the type; otherwise it is that of a growth. */
	typed: boolean;
	/** Frames of the call site, innermost first. */
	caller: readonly Frame[];
	/** Makes: of the outermost wrapper; growths: of the growth's call site. */
	via: readonly Frame[];
	number: number;
	maps: number;
	sum: number;
}

/** What a row says of its type. */
export interface MapType {
	name: string;
	storageBytes: number | undefined;
	keyBytes?: number;
	elemBytes?: number;
	hasPointers: boolean | undefined;
}

const MAX_ROWS = 4096;
const MAX_CLASSES = 1024;
const MAX_PLACES = 64;
const SHOWN_PLACES = 8;

/** Numbers by their class. */
class Classes {
	readonly #classes = new Map<number, { maps: number; sum: number }>();

	add(number: number, maps: number, sum: number): void {
		const known = this.#classes.get(number);
		if (known !== undefined) {
			known.maps += maps;
			known.sum += sum;
		} else if (this.#classes.size < MAX_CLASSES) this.#classes.set(number, { maps, sum });
	}

	/** Some of a class are in it no longer. */
	remove(number: number, maps: number): void {
		const known = this.#classes.get(number);
		if (known === undefined) return;
		const left = Math.max(0, known.maps - maps);
		known.sum = known.maps === 0 ? 0 : (known.sum * left) / known.maps;
		known.maps = left;
	}

	/** The mean of each class with how many are in it, ascending. */
	pairs(): number[][] {
		return [...this.#classes.values()]
			.filter(({ maps }) => maps > 0)
			.map(({ maps, sum }) => [Math.round(sum / maps), maps])
			.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
	}

	get maps(): number {
		return [...this.#classes.values()].reduce((total, { maps }) => total + maps, 0);
	}
}

class Line {
	/** Makes are counted as calls of work are. */
	readonly sums = new SampledSums();
	weighted = 0;
	seen = 0;
	grew = 0;
	growths = 0;
	readonly hints = new Classes();
	readonly sizes = new Classes();
	readonly outgrew = new Map<number, number>();
	readonly growthClasses = new BoundedCounts<string>(MAX_PLACES);
	readonly places = new Map<string, { at: MadeAt; growths: number }>();
	readonly types = new Map<string, MapType>();
	readonly pid: number;
	readonly at: MadeAt;
	readonly on: MakeRow["on"];
	readonly clone: boolean;

	constructor(of: Pick<Line, "pid" | "at" | "on" | "clone">) {
		this.pid = of.pid;
		this.at = of.at;
		this.on = of.on;
		this.clone = of.clone;
	}
}

const UNKNOWN: Frame = { fn: "" };
const keyOf = ({ fn, file, line }: MadeAt): string => `${fn}\u0000${file ?? ""}\u0000${line ?? ""}`;
/** By source line, whichever function it was inlined into. */
const lineOf = (frames: readonly Frame[]): MadeAt => placeOf(callSite(frames) ?? UNKNOWN);

/** maps.Clone, maps.clone (linked to runtime.maps_clone) and what the latter calls. */
function isClone(frames: readonly Frame[]): boolean {
	return frames.some(({ fn }) => /^(maps\.[cC]lone\b|runtime\.(maps_clone|mapclone))/.test(fn));
}

export class MakeSums {
	readonly #lines = new Map<string, Line>();
	#omitted = 0;
	#unlinked = 0;

	/** `window`: in which makes were seen, without weight when it does not count; absent: they were watched all the time. */
	add(count: MadeCount, window?: Window): void {
		const { kind, maps } = count;
		if (kind === "unlinked") {
			this.#unlinked += maps;
			return;
		}
		const line = this.#lineOf(count);
		if (line === undefined) {
			if (kind === "made" || kind === "onStack") this.#omitted += maps;
			return;
		}
		if (count.type !== undefined && line.types.size < MAX_PLACES) line.types.set(count.type.name, count.type);
		addTo(line, count, window);
	}

	#lineOf({ pid, kind, type, typed, caller, via }: MadeCount): Line | undefined {
		const at = lineOf(caller);
		const isMake = kind === "made" || kind === "onStack";
		const clone = isMake && (isClone(caller) || isClone(via));
		const on = kind === "onStack" ? "stack" : "heap";
		const key = `${pid}:${on}:${typed ? type?.name : ""}\u0000${keyOf(at)}`;
		const ofClones = `${key}:clone`;
		// What becomes of maps does not tell whether they are clones.
		const known = isMake
			? this.#lines.get(clone ? ofClones : key)
			: (this.#lines.get(key) ?? this.#lines.get(ofClones));
		if (known !== undefined) return known;
		if (this.#lines.size >= MAX_ROWS) return undefined;
		const line = new Line({ pid, at, on, clone });
		this.#lines.set(clone ? ofClones : key, line);
		return line;
	}

	/** What the end record has of it. */
	read(sampling: Sampling): { makes: MakeRow[]; makes_omitted?: number; growths_unlinked?: number } {
		const makes = [...this.#lines.values()].map((line) => rowOf(line, madeOf(line, sampling)));
		return {
			makes: makes.filter(({ seen }) => seen > 0).sort((a, b) => amountOf(b.made) - amountOf(a.made)),
			...(this.#omitted === 0 ? {} : { makes_omitted: this.#omitted }),
			...(this.#unlinked === 0 ? {} : { growths_unlinked: this.#unlinked }),
		};
	}
}

function addTo(line: Line, count: MadeCount, window: Window | undefined): void {
	const { pid, kind, number, maps, sum, via } = count;
	switch (kind) {
		case "made":
		case "onStack":
			line.seen += maps;
			line.weighted += (window?.weight ?? 1) * maps;
			if (window !== undefined && window.weight > 0) line.sums.add(pid, "make", "work", window, maps, 1, 0);
			line.hints.add(number, maps, sum);
			return;
		case "size":
			line.sizes.add(number, maps, sum);
			return;
		case "outgrew":
			line.outgrew.set(number, (line.outgrew.get(number) ?? 0) + maps);
			return;
		case "grew":
			line.grew += maps;
			return;
		case "growth": {
			line.growths += maps;
			line.growthClasses.add(String(number), maps);
			const at = lineOf(via);
			const known = line.places.get(keyOf(at));
			if (known !== undefined) known.growths += maps;
			else if (line.places.size < MAX_PLACES) line.places.set(keyOf(at), { at, growths: maps });
		}
	}
}

function madeOf({ pid, sums, weighted }: Line, sampling: Sampling): Figure {
	return sums.read("work", weighted, sampling.extents(pid, ["make"], "total"), false) ?? Math.round(weighted);
}

function rowOf(line: Line, made: Figure): MakeRow {
	const { pid, at, on, clone, seen, hints, sizes, outgrew, grew, growths, growthClasses, places, types } = line;
	const [type] = types.size === 1 ? [...types.values()] : [];
	for (const [number, maps] of outgrew) sizes.remove(number, maps);
	outgrew.clear();
	return {
		pid,
		...(type === undefined ? {} : typeFields(type)),
		made_at: at,
		...(clone ? { clone: true as const } : {}),
		...{ on, made, seen, hints: hints.pairs(), sizes: sizes.pairs(), unknown: Math.max(0, seen - sizes.maps) },
		...{ grew, growths },
		growth_classes: Object.entries(growthClasses.record())
			.map(([log2, maps]) => [2 ** Number(log2), maps ?? 0])
			.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
		grows_at: [...places.values()]
			.sort((a, b) => b.growths - a.growths)
			.slice(0, SHOWN_PLACES)
			.map(({ at: place, growths: own }) => ({ ...place, growths: own })),
	};
}

function typeFields({ name, storageBytes, keyBytes, elemBytes, hasPointers }: MapType) {
	return {
		map_type: name,
		...(keyBytes === undefined ? {} : { key_bytes: keyBytes }),
		...(elemBytes === undefined ? {} : { elem_bytes: elemBytes }),
		...(storageBytes === undefined ? {} : { storage_bytes: storageBytes }),
		...(hasPointers === undefined ? {} : { has_pointers: hasPointers }),
	};
}

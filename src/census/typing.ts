/** What is said of a map's type: certain, one that fits, or several that may be meant. */
import { FLAG, HOW, type MapTable } from "./map-table.ts";
import { ANY, type Shapes } from "./shapes.ts";
import type { TypeGraph } from "./type-graph.ts";
import type { TypeTable } from "./type-table.ts";

/** Of those that fit. */
const MAX_NAMED = 12;

export interface MapTyping {
	readonly number: number;
	/** Absent for candidates. */
	readonly type?: string;
	readonly certainty: "exact" | "fits" | "candidates";
	/** How many types fit, and the names of the first ones. */
	readonly candidates?: { count: number; names: readonly string[] };
	/** When all that fit agree. */
	readonly key?: string;
	readonly elem?: string;
	/** As text: the type, or what may be meant. */
	readonly text: string;
}

export class Typings {
	readonly all: MapTyping[] = [];
	readonly #types: TypeTable;
	readonly #shapes: Shapes;
	readonly #graph: TypeGraph;
	readonly #known = new Map<number, MapTyping>();

	constructor(types: TypeTable, shapes: Shapes, graph: TypeGraph) {
		this.#types = types;
		this.#shapes = shapes;
		this.#graph = graph;
	}

	/** Undefined for what may be a map or not: an empty one that nothing of known type refers to. */
	of(table: MapTable, row: number): MapTyping | undefined {
		const flags = table.flags(row);
		const strength = table.strength(row);
		const conflict = (flags & FLAG.conflict) !== 0;
		const typed = strength !== 0 && !conflict;
		if ((flags & FLAG.empty) !== 0 && (!typed || strength === HOW.stackInterface)) return undefined;
		const type = typed ? table.number("type", row) : -1;
		const set = table.number("set", row);
		const header = (flags & FLAG.header) !== 0;
		const weak = strength === HOW.stackInterface;
		const key = ((type + 1) * 2 ** 24 + set) * 4 + Number(weak) * 2 + Number(header);
		let typing = this.#known.get(key);
		if (typing === undefined) {
			typing = this.#typing(type, weak, set, header);
			this.#known.set(key, typing);
			this.all.push(typing);
		}
		return typing;
	}

	/** Number of a map type with the buckets or groups that a header names; -1 when headers do not agree. */
	headerType(table: MapTable, row: number): number {
		const set = table.number("set", row);
		if (!table.has(row, FLAG.header) || this.#groups(set).length !== 1) return -1;
		const shape = this.#shapes.all[this.#shapes.members(set)[0] ?? -1];
		return shape === undefined ? -1 : this.#graph.numberOf(shape.type.address);
	}

	#typing(type: number, weak: boolean, set: number, header: boolean): MapTyping {
		const number = this.all.length;
		const groups = this.#groups(set);
		const holder = this.#graph.types[type]?.descriptor;
		if (holder !== undefined) {
			const name = this.#types.nameOf(holder.address);
			const parts = { key: this.#types.nameOf(holder.key), elem: this.#types.nameOf(holder.elem) };
			// A word on a stack may be left from before; the header of its memory is not.
			const certainty = weak && !(header && groups.length === 1) ? "fits" : "exact";
			return { number, type: name, certainty, ...parts, text: name };
		}
		// Packages of the same name have types of the same name: then what fits is one kind of map for whoever reads it.
		const same = groups.every(({ key, elem }) => key === groups[0]?.key && elem === groups[0]?.elem);
		const only = same ? groups[0] : undefined;
		if (only !== undefined) {
			const { key, elem } = only;
			const name = `map[${key}]${elem}`;
			return { number, type: name, certainty: header && groups.length === 1 ? "exact" : "fits", key, elem, text: name };
		}
		const names = groups.map(({ key, elem }) => `map[${key}]${elem}`).sort();
		const agreed = (part: "key" | "elem"): string | undefined => {
			const values = new Set(groups.map((group) => group[part]));
			return values.size === 1 ? groups[0]?.[part] : undefined;
		};
		const [key, elem] = [agreed("key"), agreed("elem")];
		const more = names.length > 2 ? ` or ${names.length - 2} more` : "";
		return {
			number,
			certainty: "candidates",
			candidates: { count: names.length, names: names.slice(0, MAX_NAMED) },
			...(key === undefined ? {} : { key }),
			...(elem === undefined ? {} : { elem }),
			text: `? ${names.slice(0, 2).join(" or ")}${more}`,
		};
	}

	/**
	 * The different kinds of buckets or groups of a set: named types share that of the map[K]V that they are made of.
	 */
	#groups(set: number): { key: string; elem: string }[] {
		if (set === ANY) return [];
		const byGroup = new Map<number, { key: string; elem: string }>();
		for (const member of this.#shapes.members(set)) {
			const shape = this.#shapes.all[member];
			if (shape === undefined) continue;
			const { type, groupAddress } = shape;
			byGroup.set(groupAddress, { key: this.#types.nameOf(type.key), elem: this.#types.nameOf(type.elem) });
		}
		return [...byGroup.values()];
	}
}

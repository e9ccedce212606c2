/**
 * Who holds a map, as text: a global variable, a chain of struct fields, an element of another map, a goroutine.
 * Each text has a number.
 */
import type { MapTable } from "./map-table.ts";
import { NODE } from "./node-table.ts";
import { REFERRER } from "./references.ts";
import type { TypeGraph } from "./type-graph.ts";
import { KIND, type TypeTable } from "./type-table.ts";
import type { Typings } from "./typing.ts";
import { type Area, ROOT, type Walk } from "./walk.ts";

export type HolderKind = "global" | "field" | "stack" | "map" | "other";

export interface Holder {
	readonly kind: HolderKind;
	/** Innermost holder first. */
	readonly path: string;
	readonly goid?: number;
}

/** Steps of a chain that are shown. */
const MAX_STEPS = 8;
/** Different chains: beyond these the innermost step alone is shown. */
const MAX_PATHS = 1 << 16;
const MAX_FIELD_DEPTH = 8;
const CHUNK = 1 << 16;

interface Path {
	text: string;
	parent: number;
	steps: number;
	kind: HolderKind;
	goid?: number;
}

/** Names of what has an address. */
export interface HolderNames {
	/** Of the n-th global of known type. */
	global(number: number): string;
	/** Of a word of static memory. */
	variable(address: number): string;
	/** Of a word of a goroutine's stack. */
	frame(area: Area, address: number): string;
}

export class Holders {
	readonly #table: MapTable;
	readonly #typings: Typings;
	readonly #walk: Walk;
	readonly #graph: TypeGraph;
	readonly #types: TypeTable;
	readonly #areas: readonly Area[];
	readonly #names: HolderNames;
	readonly #paths: Path[] = [];
	readonly #numbers = new Map<string, number>();
	#ofNode: Int32Array[] = [];
	/** Rows below have the number of their holder instead of a node. */
	#settled = 0;
	readonly #texts = new Map<number, Holder>();
	readonly #steps = new Map<string, string>();
	readonly #known = new Map<number, Map<number, number>>();
	readonly #elements = new Map<number, number>();
	/** Used again and again. */
	readonly #chain: number[] = [];
	readonly #mapElements = new Map<number, number>();

	constructor(
		table: MapTable,
		typings: Typings,
		walk: Walk,
		graph: TypeGraph,
		types: TypeTable,
		areas: readonly Area[],
		names: HolderNames,
	) {
		this.#table = table;
		this.#typings = typings;
		this.#walk = walk;
		this.#graph = graph;
		this.#types = types;
		this.#areas = areas;
		this.#names = names;
	}

	/** Number of a map's holder; -1 for none that is known. */
	of(row: number): number {
		const holder = this.#table.number("holder", row);
		if (row < this.#settled || holder === -1) return holder;
		return this.#pathOf(holder, this.#table.word("offset", row));
	}

	/** Finds the holders of all maps, and forgets the values on the way to them. */
	settle(onProgress: () => void): void {
		for (; this.#settled < this.#table.count; this.#settled++) {
			if (this.#settled % CHUNK === 0) onProgress();
			this.#table.setNumber("holder", this.#settled, this.of(this.#settled));
		}
		this.#table.dropOffsets();
		this.#walk.nodes.clear();
		this.#ofNode = [];
		this.#known.clear();
	}

	/** By number. */
	get(number: number): Holder | undefined {
		if (number < 0) return undefined;
		let holder = this.#texts.get(number);
		if (holder === undefined) {
			const steps: string[] = [];
			const { kind, goid } = this.#paths[number] as Path;
			for (let at = number; at >= 0; at = this.#paths[at]?.parent ?? -1) steps.push(this.#paths[at]?.text ?? "");
			const path = steps.filter((step) => step !== "").join(" <- ");
			holder = { kind, path, ...(goid === undefined ? {} : { goid }) };
			this.#texts.set(number, holder);
		}
		return holder;
	}

	/** Whether a chain begins with a global variable: then what it leads to is alive. */
	isRooted(number: number): boolean {
		let last = number;
		for (let at = number; at >= 0; at = this.#paths[at]?.parent ?? -1) last = at;
		return this.#paths[last]?.kind === "global";
	}

	#intern(path: Path): number {
		const key = `${path.parent}|${path.kind}|${path.text}`;
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		if (this.#paths.length >= MAX_PATHS && path.parent >= 0) return this.#intern({ ...path, parent: -1, steps: 1 });
		const number = this.#paths.push(path) - 1;
		this.#numbers.set(key, number);
		return number;
	}

	/** A step in front of a path; one that is in it already (a list's next, for instance) leads back there. */
	#prepend(text: string, kind: HolderKind, parent: number): number {
		for (let at = parent; at >= 0; at = this.#paths[at]?.parent ?? -1) if (this.#paths[at]?.text === text) return at;
		const steps = (this.#paths[parent]?.steps ?? 0) + 1;
		if (steps > MAX_STEPS) return parent;
		return this.#intern({ text, parent, steps, kind });
	}

	/** An element of what the path leads to. */
	#element(parent: number, kind: "map" | undefined): number {
		const known = kind === undefined ? this.#elements : this.#mapElements;
		let found = known.get(parent);
		if (found === undefined) {
			found = this.#findElement(parent, kind);
			known.set(parent, found);
		}
		return found;
	}

	#findElement(parent: number, kind: "map" | undefined): number {
		const path = this.#paths[parent];
		if (path === undefined) return this.#intern({ text: "[]", parent: -1, steps: 1, kind: kind ?? "other" });
		const text = path.text.endsWith("[]") || path.text === "" ? path.text : `${path.text}[]`;
		return this.#intern({ ...path, text, kind: kind ?? path.kind });
	}

	/** The path to what a node, or a root, has at an offset. */
	#pathOf(node: number, offset: number): number {
		if (node < 0) return this.#rootPath(node, offset);
		if (this.#nodePath(node) < 0) this.#findNodePaths(node);
		return this.#step(node, offset, this.#nodePath(node));
	}

	/** The path to a node, and to those on the way from the nearest one whose path is known: chains can be long. */
	#findNodePaths(node: number): void {
		const chain = this.#chain;
		let at = node;
		for (; at >= 0 && this.#nodePath(at) < 0; at = this.#walk.nodes.parent(at)) chain.push(at);
		for (let each = chain.pop(); each !== undefined; each = chain.pop()) {
			const { nodes } = this.#walk;
			const parent = nodes.parent(each);
			const referrer = parent === ROOT.object ? this.#walk.rootReferrers.get(each) : undefined;
			const path =
				referrer === undefined
					? this.#step(parent, nodes.offset(each), parent < 0 ? -1 : this.#nodePath(parent))
					: this.#areaPath(referrer.area, referrer.offset);
			this.#setNodePath(each, path);
		}
	}

	/** The path to what a node has at an offset, from the path to the node itself. */
	#step(node: number, offset: number, path: number): number {
		if (node < 0) return this.#rootPath(node, offset);
		const { nodes } = this.#walk;
		if (nodes.kind(node) === NODE.mapHeader) return this.#element(path, "map");
		const type = this.#graph.types[nodes.type(node)]?.descriptor;
		if (type === undefined) return path;
		// Elements of buckets and groups: the map itself is the step.
		const parent = nodes.parent(node);
		if (parent >= 0 && nodes.kind(parent) === NODE.mapHeader) return this.#inGroup(node, offset, path);
		if (type.kind !== KIND.struct) {
			// A variable that is a pointer or a slice, or the only element of one.
			const single = type.kind !== KIND.array && nodes.values(node) === 1;
			return single ? path : this.#element(path, undefined);
		}
		const inside = type.size === 0 ? 0 : offset % type.size;
		const known = this.#recall(path, nodes.type(node), inside);
		if (known !== undefined) return known;
		const found = this.#prepend(this.#fieldStep(nodes.type(node), inside), "field", path);
		return this.#keep(path, nodes.type(node), inside, found);
	}

	/** The same steps are asked for again and again, two million times: nothing may be allocated for it. */
	#recall(path: number, type: number, offset: number): number | undefined {
		return this.#known.get((path + 1) * 2 ** 24 + type)?.get(offset);
	}

	#keep(path: number, type: number, offset: number, found: number): number {
		const key = (path + 1) * 2 ** 24 + type;
		const known = this.#known.get(key);
		if (known === undefined) this.#known.set(key, new Map([[offset, found]]));
		else known.set(offset, found);
		return found;
	}

	/** Of a struct that is a map's element: its field. */
	#inGroup(node: number, offset: number, path: number): number {
		const { nodes } = this.#walk;
		const group = this.#graph.types[nodes.type(node)]?.descriptor;
		if (group === undefined || group.size === 0) return path;
		const inside = offset % group.size;
		const known = this.#recall(path, nodes.type(node), inside);
		if (known !== undefined) return known;
		const inner = this.#structIn(group.address, inside, 0);
		const found = inner === undefined ? path : this.#prepend(this.#fieldStep(inner.type, inner.offset), "field", path);
		return this.#keep(path, nodes.type(node), inside, found);
	}

	/** The named struct at an offset of a bucket or group; undefined when it is none. */
	#structIn(address: number, offset: number, depth: number): { type: number; offset: number } | undefined {
		const type = this.#types.get(address);
		if (type === undefined || depth > MAX_FIELD_DEPTH) return undefined;
		if (type.kind === KIND.struct && type.named) return { type: this.#graph.numberOf(address), offset };
		if (type.kind === KIND.struct) {
			const field = type.fields.findLast((each) => each.offset <= offset);
			return field === undefined ? undefined : this.#structIn(field.type, offset - field.offset, depth + 1);
		}
		const elem = type.kind === KIND.array ? this.#types.get(type.elem) : undefined;
		return elem === undefined || elem.size === 0
			? undefined
			: this.#structIn(elem.address, offset % elem.size, depth + 1);
	}

	#fieldStep(type: number, offset: number): string {
		const key = `${type}:${offset}`;
		let text = this.#steps.get(key);
		if (text === undefined) {
			const address = this.#graph.types[type]?.descriptor.address ?? 0;
			text = `(${this.#types.nameOf(address)})${this.#fieldsAt(address, offset, 0)}`;
			this.#steps.set(key, text);
		}
		return text;
	}

	#fieldsAt(address: number, offset: number, depth: number): string {
		const type = this.#types.get(address);
		if (type === undefined || depth > MAX_FIELD_DEPTH) return "";
		if (type.kind === KIND.array) {
			const size = this.#types.get(type.elem)?.size ?? 0;
			return size === 0 ? "" : `[]${this.#fieldsAt(type.elem, offset % size, depth + 1)}`;
		}
		if (type.kind !== KIND.struct) return "";
		const field = type.fields.findLast((each) => each.offset <= offset && this.#types.get(each.type)?.size !== 0);
		if (field === undefined) return "";
		const rest = this.#fieldsAt(field.type, offset - field.offset, depth + 1);
		return `.${this.#types.nameAt(field.name) ?? "?"}${rest}`;
	}

	#rootPath(root: number, offset: number): number {
		const plain = (text: string, kind: HolderKind): number => this.#intern({ text, parent: -1, steps: 1, kind });
		if (root === -1 || root === ROOT.object) return -1;
		if (root === ROOT.heapInterface) return plain("interface", "other");
		if (root === ROOT.staticInterface) return plain("interface in a global variable", "global");
		if (root === ROOT.stackInterface) return plain("interface on a stack", "stack");
		if (root === REFERRER.object) {
			return this.#recall(-1, 0, offset) ?? this.#keep(-1, 0, offset, plain(`object of ${offset} bytes`, "other"));
		}
		if (root <= ROOT.map) return this.#mapPath(ROOT.map - root);
		if (root <= REFERRER.area) return this.#areaPath(REFERRER.area - root, offset);
		return plain(this.#names.global(ROOT.global - root), "global");
	}

	/** Of a map that has its type from a header. */
	#mapPath(row: number): number {
		const path = this.of(row);
		if (path >= 0) return path;
		const type = this.#typings.of(this.#table, row)?.text ?? "map";
		return this.#intern({ text: `(${type})`, parent: -1, steps: 1, kind: "other" });
	}

	#areaPath(number: number, offset: number): number {
		const area = this.#areas[number];
		if (area === undefined) return -1;
		const address = area.start + offset;
		const { goid } = area;
		if (goid === undefined) {
			return this.#intern({ text: this.#names.variable(address), parent: -1, steps: 1, kind: "global" });
		}
		const text = `goroutine ${goid}: ${this.#names.frame(area, address)}`;
		return this.#intern({ text, parent: -1, steps: 1, kind: "stack", goid });
	}

	#nodePath(node: number): number {
		return (this.#ofNode[node >>> 16]?.[node & 0xffff] ?? 0) - 1;
	}

	#setNodePath(node: number, path: number): void {
		const chunk = node >>> 16;
		while (this.#ofNode.length <= chunk) this.#ofNode.push(new Int32Array(CHUNK));
		(this.#ofNode[chunk] as Int32Array)[node & 0xffff] = path + 1;
	}
}

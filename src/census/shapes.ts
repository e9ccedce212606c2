/**
 * Which map types of the program an object can belong to, by its size, its pointers and, where it has one, its
 * header. Sets of types have numbers, and what was once found out is remembered: two million maps have a few hundred
 * different shapes.
 */
import type { MapImpl } from "../gobin/go-binary.ts";
import { PAGE, type SizeClasses } from "../gomap/size-classes.ts";
import { KIND, type TypeDescriptor, type TypeTable } from "./type-table.ts";

/** Words of a bucket or group whose pointers are compared. */
const MAX_WORDS = 64;
const MAX_DEPTH = 40;
const MAX_REMEMBERED = 1 << 20;
/** No type fits. */
export const NONE = 0;
/** Any type may fit: nothing is known yet. */
export const ANY = 1;

export interface MapShape {
	readonly type: TypeDescriptor;
	/** Of a bucket or group. */
	readonly groupAddress: number;
	readonly groupBytes: number;
	readonly noscan: boolean;
	/** Which of the first words of a bucket or group are pointers. */
	readonly low: number;
	readonly high: number;
	readonly words: number;
}

export class Shapes {
	readonly all: readonly MapShape[];
	readonly #classes: SizeClasses;
	readonly #minor: number;
	readonly #sets: (readonly number[])[] = [[], []];
	readonly #groups: (ReadonlySet<number> | undefined)[] = [];
	readonly #words: number[] = [0, MAX_WORDS];
	readonly #numbers = new Map<string, number>([["", NONE]]);
	readonly #bySize = new Map<number, number>();
	readonly #narrowed = new Map<number, Map<number | string, number>>();
	#remembered = 0;

	constructor(types: TypeTable, impl: MapImpl, classes: SizeClasses, minor: number) {
		this.#classes = classes;
		this.#minor = minor;
		this.all = [...types.all()].flatMap((type) => shapeOf(types, type) ?? []);
		this.#sets[ANY] = this.all.map((_, index) => index);
		this.impl = impl;
	}

	readonly impl: MapImpl;

	/** The types of a set, as indexes of `all`. */
	members(set: number): readonly number[] {
		return this.#sets[set] ?? [];
	}

	/**
	 * Types for which an object of `elemSize` bytes holds an array of 2^log2 buckets or groups. `overflow`: with the
	 * overflow buckets that come with it (runtime/map.go, makeBucketArray).
	 */
	bySize(elemSize: number, noscan: boolean, log2: number, overflow: boolean): number {
		const key = ((elemSize * 64 + log2) * 2 + Number(noscan)) * 2 + Number(overflow);
		let set = this.#bySize.get(key);
		if (set === undefined) {
			const fits = (shape: MapShape): boolean =>
				shape.noscan === noscan && this.arrayBytes(shape, log2, overflow) === elemSize;
			set = this.#numberOf(this.members(ANY).filter((index) => fits(this.all[index] as MapShape)));
			if (this.#bySize.size < MAX_REMEMBERED) this.#bySize.set(key, set);
		}
		return set;
	}

	/** Bytes of the object that holds 2^log2 buckets or groups of a type. */
	arrayBytes(shape: MapShape, log2: number, overflow: boolean): number {
		const { groupBytes, noscan } = shape;
		const groups = 2 ** log2;
		if (!overflow || log2 < 4) return this.#classes.objectSize(groups * groupBytes, noscan);
		const wanted = (groups + groups / 16) * groupBytes;
		const usable = this.#minor >= 22 ? this.#classes.usableSize(wanted, noscan) : this.#classes.roundUp(wanted);
		const bytes = usable === wanted ? wanted : Math.floor(usable / groupBytes) * groupBytes;
		return this.#classes.objectSize(bytes, noscan);
	}

	/** Whether a type of the set has that bucket or group. */
	hasGroup(set: number, group: number): boolean {
		let groups = this.#groups[set];
		if (groups === undefined) {
			groups = new Set(this.members(set).map((index) => this.all[index]?.groupAddress ?? 0));
			this.#groups[set] = groups;
		}
		return groups.has(group);
	}

	/** Those of both sets. */
	intersect(a: number, b: number): number {
		if (a === ANY || a === b) return b;
		if (b === ANY) return a;
		return this.#remember(a, -b, () => {
			const other = new Set(this.members(b));
			return this.members(a).filter((index) => other.has(index));
		});
	}

	/** Those whose bucket or group is the type of an object's header. */
	withHeader(set: number, header: number): number {
		return this.#remember(set, `${header}`, () =>
			this.members(set).filter((index) => this.all[index]?.groupAddress === header),
		);
	}

	/** How many words of pointer bits tell the types of a set apart: those of the largest. */
	wordsOf(set: number): number {
		return this.#words[set] ?? 0;
	}

	/** Those that have pointers just where the bits of the first 64 words say. */
	withPointers(set: number, low: number, high: number): number {
		return this.#remember(set, high === 0 ? low : `${low}#${high}`, () =>
			this.members(set).filter((index) => {
				const shape = this.all[index];
				if (shape === undefined) return false;
				const [maskLow, maskHigh] = [firstBits(shape.words), firstBits(shape.words - 32)];
				return (low & maskLow) >>> 0 === shape.low && (high & maskHigh) >>> 0 === shape.high;
			}),
		);
	}

	/** `key`: below 0 another set, from 0 on pointers, text a header or more pointers. */
	#remember(set: number, key: number | string, find: () => number[]): number {
		let known = this.#narrowed.get(set);
		if (known === undefined) {
			known = new Map();
			this.#narrowed.set(set, known);
		}
		const found = known.get(key);
		if (found !== undefined) return found;
		const result = this.#numberOf(find());
		if (this.#remembered++ < MAX_REMEMBERED) known.set(key, result);
		return result;
	}

	#numberOf(members: readonly number[]): number {
		const name = members.join();
		let number = this.#numbers.get(name);
		if (number === undefined) {
			this.#words[this.#sets.length] = members.reduce((most, index) => Math.max(most, this.all[index]?.words ?? 0), 0);
			number = this.#sets.push(members) - 1;
			this.#numbers.set(name, number);
		}
		return number;
	}
}

/** A mask of the lowest bits. */
function firstBits(count: number): number {
	return count <= 0 ? 0 : count >= 32 ? 0xffffffff : 2 ** count - 1;
}

/** Undefined for a descriptor that is no map's, or contradicts itself. */
function shapeOf(types: TypeTable, type: TypeDescriptor): MapShape | undefined {
	if (type.kind !== KIND.map || type.size !== 8 || type.pointerBytes !== 8) return undefined;
	const group = types.get(type.group);
	if (group === undefined || group.kind !== KIND.struct || group.size < 8 || group.size > 8 * PAGE) return undefined;
	if (!isMapName(types.nameOf(type.address), type.named)) return undefined;
	const words = Math.min(MAX_WORDS, Math.floor(group.size / 8));
	const bits: [number, number] = [0, 0];
	markPointers(types, group, 0, words, bits, 0);
	return {
		...{ type, groupAddress: group.address, groupBytes: group.size, noscan: group.pointerBytes === 0 },
		...{ low: bits[0] >>> 0, high: bits[1] >>> 0, words },
	};
}

function isMapName(name: string, named: boolean): boolean {
	return named ? name.length > 0 && name !== "?" : name.startsWith("map[");
}

/** Sets the bits of the words that are pointers for the garbage collector (cmd/compile, dgcptrmask). */
function markPointers(
	types: TypeTable,
	type: TypeDescriptor,
	base: number,
	words: number,
	bits: [number, number],
	depth: number,
): void {
	const first = Math.floor(base / 8);
	if (type.pointerBytes === 0 || first >= words || depth > MAX_DEPTH) return;
	const set = (word: number): void => {
		if (word < words) bits[word >> 5] = (bits[word >> 5] as number) | (1 << (word & 31));
	};
	switch (type.kind) {
		case KIND.interface:
			// Its first word, a type or an itab, is no pointer for the collector.
			set(first + 1);
			break;
		case KIND.array: {
			const elem = types.get(type.elem);
			for (let i = 0; elem !== undefined && i < type.length && base + i * elem.size < words * 8; i++) {
				markPointers(types, elem, base + i * elem.size, words, bits, depth + 1);
			}
			break;
		}
		case KIND.struct:
			for (const field of type.fields) {
				const inner = types.get(field.type);
				if (inner !== undefined) markPointers(types, inner, base + field.offset, words, bits, depth + 1);
			}
			break;
		case KIND.chan:
		case KIND.func:
		case KIND.map:
		case KIND.pointer:
		case KIND.slice:
		case KIND.string:
		case KIND.unsafePointer:
			set(first);
			break;
	}
}

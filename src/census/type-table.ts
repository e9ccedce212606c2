/**
 * The type descriptors of the program as they are in its memory, where all addresses in them are run-time addresses.
 * Layouts: runtime/type.go, internal/abi/type.go (Go 1.15 to 1.27).
 */
import { GomapgrowError } from "../errors/error.ts";
import { TYPE_LAYOUT } from "../gobin/layouts/struct-layouts.ts";
import { sanitize } from "../lib/sanitize.ts";
import { ReadBatch } from "./read-batch.ts";

export const KIND = {
	...{ array: 17, chan: 18, func: 19, interface: 20, map: 21, pointer: 22, slice: 23, string: 24, struct: 25 },
	unsafePointer: 26,
} as const;
const KIND_MASK = 31;
const MAX_KIND = 26;
const TFLAG_EXTRA_STAR = 2;
const TFLAG_NAMED = 4;
const MAX_REGION = 512 << 20;
const PIECE = 8 << 20;
const MAX_TYPES = 1 << 21;
const MAX_FIELDS = 4096;
const MAX_SIZE = 2 ** 40;
const MAX_NAME = 4096;
const FIELD_BYTES = 24;

export interface TypeRegion {
	/** Run-time addresses of moduledata.types and etypes. */
	start: number;
	end: number;
	minor: number;
}

export interface Field {
	name: number;
	type: number;
	offset: number;
}

/** A descriptor; other descriptors are addresses. */
export interface TypeDescriptor {
	readonly address: number;
	readonly size: number;
	/** Bytes of its beginning that hold all its pointers. */
	readonly pointerBytes: number;
	readonly kind: number;
	readonly named: boolean;
	/** An interface holds the value itself, not a pointer to it. */
	readonly direct: boolean;
	readonly nameOffset: number;
	readonly extraStar: boolean;
	/** Of pointer, slice, array, channel and map; 0 without. */
	readonly elem: number;
	/** Of a map. */
	readonly key: number;
	/** Of a map: its bucket or group. */
	readonly group: number;
	/** Of an array. */
	readonly length: number;
	readonly fields: readonly Field[];
}

const NO_FIELDS: readonly Field[] = [];
/** What is between a descriptor and the address of its fields. */
interface FieldList {
	at: number;
	count: number;
}

export class TypeTable {
	readonly #memory: ReadBatch;
	readonly #region: TypeRegion;
	readonly #types = new Map<number, TypeDescriptor>();
	readonly #names = new Map<number, string>();
	/** Names are asked for while the other one is in use. */
	readonly #nameMemory: ReadBatch;

	constructor(memory: ReadBatch, region: TypeRegion) {
		this.#memory = memory;
		this.#nameMemory = new ReadBatch(memory.memory, memory.costs);
		this.#region = region;
	}

	get size(): number {
		return this.#types.size;
	}

	get(address: number): TypeDescriptor | undefined {
		return this.#types.get(address);
	}

	all(): IterableIterator<TypeDescriptor> {
		return this.#types.values();
	}

	/** Reads all descriptors. Throws E-BIN-MALFORMED for a region that cannot be one. */
	read(): void {
		const { start, end } = this.#region;
		if (!(end > start && end - start <= MAX_REGION)) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `at most ${MAX_REGION} bytes of type descriptors`,
				found: `${end - start}`,
			});
		}
		const lists = new Map<number, FieldList>();
		// Pieces overlap by the longest descriptor.
		for (let from = Math.ceil(start / 8) * 8; from < end; from += PIECE) {
			this.#memory.clear();
			const length = Math.min(PIECE + 256, Math.floor((end - from) / 8) * 8);
			this.#memory.add(from, length);
			this.#memory.read();
			if (this.#memory.isComplete(0)) this.#scan(from, length, lists);
			else this.#scanByPages(from, length, lists);
		}
		this.#readFields(lists);
		this.#dropBroken();
	}

	/** Where not all is mapped. */
	#scanByPages(from: number, length: number, lists: Map<number, FieldList>): void {
		for (let at = from; at < from + length; at += 65536) {
			this.#memory.clear();
			const part = Math.min(65536 + 256, from + length - at);
			this.#memory.add(at, part);
			this.#memory.read();
			if (this.#memory.isComplete(0)) this.#scan(at, part, lists);
		}
	}

	#scan(base: number, length: number, lists: Map<number, FieldList>): void {
		const { bytes, words } = this.#memory;
		for (let at = 0; at + TYPE_LAYOUT.bytes <= length; at += 8) {
			const kind = (bytes[at + TYPE_LAYOUT.kind] as number) & KIND_MASK;
			if (kind === 0 || kind > MAX_KIND) continue;
			const [align, fieldAlign] = [bytes[at + 21] as number, bytes[at + 22] as number];
			if (align > 16 || fieldAlign > 16 || !ALIGNMENTS.has(align) || !ALIGNMENTS.has(fieldAlign)) continue;
			const [sizeHigh, pointersHigh] = [words[(at >>> 2) + 1] as number, words[(at >>> 2) + 3] as number];
			if (sizeHigh > 256 || pointersHigh > 256) continue;
			this.#decode(base, at, length, lists);
		}
	}

	#decode(base: number, at: number, length: number, lists: Map<number, FieldList>): void {
		const memory = this.#memory;
		const { start, end, minor } = this.#region;
		const [size, pointerBytes] = [memory.word(at), memory.word(at + 8)];
		const nameOffset = memory.words[(at + TYPE_LAYOUT.str) >>> 2] as number;
		if (size > MAX_SIZE || pointerBytes > size || pointerBytes % 8 !== 0) return;
		if (nameOffset === 0 || nameOffset >= end - start) return;
		const address = base + at;
		if (this.#types.has(address) || this.#types.size >= MAX_TYPES) return;
		const rawKind = memory.bytes[at + TYPE_LAYOUT.kind] as number;
		const tflag = memory.bytes[at + TYPE_LAYOUT.tflag] as number;
		const kind = rawKind & KIND_MASK;
		const needed = kind === KIND.map ? 88 : kind === KIND.array || kind === KIND.struct ? 72 : 56;
		if (at + needed > length) return;
		const word = (offset: number): number => memory.word(at + offset);
		const hasElem = kind === KIND.pointer || kind === KIND.slice || kind === KIND.array || kind === KIND.chan;
		const type: TypeDescriptor = {
			...{ address, size, pointerBytes, kind, nameOffset },
			named: (tflag & TFLAG_NAMED) !== 0,
			direct: minor >= 26 ? (tflag & 32) !== 0 : (rawKind & 32) !== 0,
			extraStar: (tflag & TFLAG_EXTRA_STAR) !== 0,
			elem: hasElem ? word(48) : kind === KIND.map ? word(56) : 0,
			key: kind === KIND.map ? word(48) : 0,
			group: kind === KIND.map ? word(64) : 0,
			length: kind === KIND.array ? word(64) : 0,
			fields: NO_FIELDS,
		};
		if (kind === KIND.struct) {
			const count = word(64);
			if (count > MAX_FIELDS) return;
			if (count > 0) lists.set(address, { at: word(56), count });
		}
		this.#types.set(address, type);
	}

	#readFields(lists: Map<number, FieldList>): void {
		const entries = [...lists];
		for (let from = 0; from < entries.length; from += 4096) {
			const part = entries.slice(from, from + 4096);
			this.#memory.clear();
			for (const [, { at, count }] of part) {
				const inside = at >= this.#region.start && at + count * FIELD_BYTES <= this.#region.end && at % 8 === 0;
				this.#memory.add(inside ? at : 0, count * FIELD_BYTES);
			}
			this.#memory.read();
			part.forEach(([address, { count }], index) => {
				const type = this.#types.get(address);
				if (type === undefined) return;
				if (!this.#memory.isComplete(index)) {
					this.#types.delete(address);
					return;
				}
				const offset = this.#memory.offset(index);
				const fields = Array.from({ length: count }, (_, field) => this.#field(offset + field * FIELD_BYTES));
				this.#types.set(address, { ...type, fields });
			});
		}
	}

	#field(at: number): Field {
		const raw = this.#memory.word(at + 16);
		// Up to 1.18 the lowest bit says that it is embedded.
		const offset = this.#region.minor < 19 ? Math.floor(raw / 2) : raw;
		return { name: this.#memory.word(at), type: this.#memory.word(at + 8), offset };
	}

	/** A descriptor whose parts are none is none either. */
	#dropBroken(): void {
		const types = this.#types;
		const isWhole = ({ kind, elem, key, group, fields, size }: TypeDescriptor): boolean => {
			if (kind === KIND.map) return types.has(elem) && types.has(key) && types.has(group);
			if (elem !== 0 || kind === KIND.pointer || kind === KIND.slice || kind === KIND.array || kind === KIND.chan) {
				return types.has(elem);
			}
			return fields.every(({ type, offset }) => offset + (types.get(type)?.size ?? Number.NaN) <= size);
		};
		for (let again = true; again; ) {
			again = false;
			for (const [address, type] of types) {
				if (isWhole(type)) continue;
				types.delete(address);
				again = true;
			}
		}
	}

	/** As the program prints it, safe to print. */
	nameOf(address: number): string {
		let name = this.#names.get(address);
		if (name === undefined) {
			const type = this.#types.get(address);
			const raw = type === undefined ? undefined : this.nameAt(this.#region.start + type.nameOffset);
			name = raw === undefined ? "?" : type?.extraStar === true && raw.startsWith("*") ? raw.slice(1) : raw;
			this.#names.set(address, name);
		}
		return name;
	}

	/** The text of a name record; undefined when there is none. */
	nameAt(address: number): string | undefined {
		const { start, end, minor } = this.#region;
		if (address < start || address >= end) return undefined;
		const from = Math.floor(address / 8) * 8;
		const length = Math.min(MAX_NAME + 16, Math.floor((end - from) / 8) * 8);
		const memory = this.#nameMemory;
		memory.clear();
		memory.add(from, Math.min(256, length));
		memory.read();
		if (!memory.isComplete(0)) return undefined;
		const at = address - from + 1;
		const head = nameLength(memory.bytes, at, minor);
		if (head === undefined || head.length > MAX_NAME) return undefined;
		if (head.end + head.length > Math.min(256, length)) {
			memory.clear();
			memory.add(from, Math.min(length, head.end + head.length));
			memory.read();
			if (!memory.isComplete(0) || head.end + head.length > length) return undefined;
		}
		return sanitize(utf8.decode(memory.bytes.subarray(head.end, head.end + head.length)));
	}
}

const ALIGNMENTS = new Set([1, 2, 4, 8, 16]);
const utf8 = new TextDecoder();

/** The length of a name: a varint, before 1.17 two bytes big-endian (reflect/type.go, name.readVarint). */
function nameLength(bytes: Uint8Array, at: number, minor: number): { length: number; end: number } | undefined {
	if (minor < 17) return { length: (bytes[at] as number) * 256 + (bytes[at + 1] as number), end: at + 2 };
	let length = 0;
	for (let i = 0; i < 3; i++) {
		const byte = bytes[at + i] as number;
		length += (byte & 127) << (7 * i);
		if (byte < 128) return { length, end: at + i + 1 };
	}
	return undefined;
}

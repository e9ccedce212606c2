import { chunks } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { i32, text, u8, u16, u64 } from "../../elf/little-endian.ts";
import { readUvarint } from "../buildinfo/varint.ts";
import { type StructLayouts, TYPE_LAYOUT } from "../layouts/struct-layouts.ts";
import type { ModuleData } from "./module-data.ts";

/** internal/abi/type.go: abi.Map, KindMask (the higher bits are flags up to 1.25), TFlagExtraStar. */
const KIND_MAP = 21;
const KIND_MASK = 31;
const TFLAG_EXTRA_STAR = 2;
/**
 * First release whose names have a varint length; before, two bytes big-endian (reflect/type.go, name.readVarint).
 */
const VARINT_NAMES_SINCE = 17;
const MAX_NAME_BYTES = 65536;
const MOST_STORED_BYTES = 128;
/**
 * How far descriptors are looked through for map types (a quarter of a second, in pieces of 1 MiB; the largest
 * programs known have 40 MiB), how many of those are looked at, and how many places that look like one.
 */
const CONFIRM_BYTES = 256 << 20;
const CONFIRM_TYPES = 512;
const CONFIRM_PLACES = 1 << 16;
/**
 * A map is a pointer: 8 bytes, all of them a pointer, aligned to 8 (abi.Type: Size_, PtrBytes, Align_,
 * FieldAlign_).
 */
const POINTER = { size: 0, pointerBytes: 8, align: 21, fieldAlign: 22, bytes: 8 } as const;

export interface MapType {
	/** As the runtime prints it, with package names but no paths: "map[string]*main.node". */
	name: string;
	key: string;
	elem: string;
	/** Bytes of a bucket of eight entries (classic). */
	bucketBytes?: number;
	/** Bytes of a group of eight slots (swiss). */
	groupBytes?: number;
	/** Bytes of one entry, key and element as they are stored: a pointer for what is too large. */
	slotBytes: number;
	/** Bytes of a key and of an element as they are stored. */
	keyBytes: number;
	elemBytes: number;
	/** Whether buckets or groups have pointers; absent: not known. */
	hasPointers?: boolean;
}

/**
 * Type descriptors in the program's own module. Those made at run time (reflect.MapOf) are in the heap and not
 * readable here.
 */
export class RunTimeTypes {
	readonly #elf: ElfFile;
	readonly #module: ModuleData;
	readonly #goMinor: number;
	readonly #layouts: StructLayouts;

	constructor(elf: ElfFile, module: ModuleData, goMinor: number, layouts: StructLayouts) {
		this.#elf = elf;
		this.#module = module;
		this.#goMinor = goMinor;
		this.#layouts = layouts;
	}

	/**
	 * Whether the layouts of type descriptors are those of this program: there are map types among the first 256
	 * MiB of descriptors, and each of those, 512 at most, is named after its own key and element.
	 */
	confirmsMapTypes(impl: "classic" | "swiss"): boolean {
		let confirmed = 0;
		let seen = 0;
		for (const vaddr of this.#mapPlaces()) {
			const type = this.mapTypeAt(vaddr, impl);
			if (type?.name.startsWith("map[") === true) {
				if (type.name !== `map[${type.key}]${type.elem}`) {
					return false;
				}
				confirmed++;
			}
			seen += Number(type !== undefined);
			if (seen === CONFIRM_TYPES) {
				break;
			}
		}
		return confirmed > 0;
	}

	/** Addresses where the fixed fields are those of a map type's descriptor. */
	*#mapPlaces(): Generator<number> {
		const { types, etypes } = this.#module;
		const first = types + (-types & 7);
		const offset = this.#elf.fileOffset(first);
		if (offset === undefined) {
			return;
		}
		const length = Math.min(etypes - first, CONFIRM_BYTES, this.#elf.bytesFrom(first));
		let left = CONFIRM_PLACES;
		for (const { bytes, start, own } of chunks(this.#elf.source, offset, length, TYPE_LAYOUT.bytes)) {
			const end = Math.min(own, bytes.length - TYPE_LAYOUT.bytes + 1);
			for (let at = 0; at < end; at += 8) {
				if (!looksLikeMap(bytes, at)) {
					continue;
				}
				yield first + (start - offset) + at;
				if (--left === 0) {
					return;
				}
			}
		}
	}

	/** The type's name, or undefined when no type descriptor with a name is at the address. */
	nameOf(vaddr: number): string | undefined {
		if (!this.#holds(vaddr, TYPE_LAYOUT.bytes)) {
			return undefined;
		}
		const type = this.#elf.bytesAt(vaddr, TYPE_LAYOUT.bytes);
		const name = this.#nameAt(this.#module.types + i32(type, TYPE_LAYOUT.str));
		const extraStar = (u8(type, TYPE_LAYOUT.tflag) & TFLAG_EXTRA_STAR) !== 0;
		return name !== undefined && extraStar && name.startsWith("*") ? name.slice(1) : name;
	}

	/** What the map type descriptor at the address says, or undefined when there is none. */
	mapTypeAt(vaddr: number, impl: "classic" | "swiss"): MapType | undefined {
		const { classicMapType, swissMapType } = this.#layouts;
		const layout = impl === "classic" ? classicMapType : swissMapType;
		if (layout === undefined || !this.#holds(vaddr, layout.bytes)) {
			return undefined;
		}
		const raw = this.#elf.bytesAt(vaddr, layout.bytes);
		if ((u8(raw, TYPE_LAYOUT.kind) & KIND_MASK) !== KIND_MAP) {
			return undefined;
		}
		const [keyAt, elemAt] = [this.#elf.pointerAt(vaddr + layout.key), this.#elf.pointerAt(vaddr + layout.elem)];
		const [name, key, elem] = [this.nameOf(vaddr), this.nameOf(keyAt), this.nameOf(elemAt)];
		if (name === undefined || key === undefined || elem === undefined) {
			return undefined;
		}
		const common = { name, key, elem, ...this.#pointersOf(vaddr + layout.elem + 8) };
		if ("bucketSize" in layout) {
			const [keyBytes, elemBytes] = [u8(raw, layout.keySize), u8(raw, layout.elemSize)];
			const bucketBytes = u16(raw, layout.bucketSize);
			return { ...common, bucketBytes, slotBytes: keyBytes + elemBytes, keyBytes, elemBytes };
		}
		const [groupBytes, slotBytes] = [u64(raw, layout.groupSize), u64(raw, layout.slotSize)];
		const [keyBytes, elemBytes] = [this.#storedBytes(keyAt), this.#storedBytes(elemAt)];
		return { ...common, groupBytes, slotBytes, keyBytes, elemBytes };
	}

	/** Swiss maps store what is larger than abi.MapMaxKeyBytes, which is MapMaxElemBytes, by its address. */
	#storedBytes(type: number): number {
		const bytes = u64(this.#elf.bytesAt(type, TYPE_LAYOUT.bytes), 0);
		return bytes > MOST_STORED_BYTES ? POINTER.bytes : bytes;
	}

	/** Of the type of buckets or groups, whose address stands behind that of the element's in all releases. */
	#pointersOf(vaddr: number): { hasPointers?: boolean } {
		const storage = this.#elf.pointerAt(vaddr);
		if (!this.#holds(storage, TYPE_LAYOUT.bytes)) {
			return {};
		}
		return { hasPointers: u64(this.#elf.bytesAt(storage, TYPE_LAYOUT.bytes), POINTER.pointerBytes) > 0 };
	}

	#holds(vaddr: number, bytes: number): boolean {
		const { types, etypes } = this.#module;
		return vaddr >= types && vaddr + bytes <= etypes && vaddr % 8 === 0 && this.#elf.bytesFrom(vaddr) >= bytes;
	}

	/** A name record: a flag byte, the length, the text. */
	#nameAt(vaddr: number): string | undefined {
		const { types, etypes } = this.#module;
		const available = vaddr > types && vaddr < etypes ? this.#elf.bytesFrom(vaddr) : 0;
		if (available < 3) {
			return undefined;
		}
		const head = this.#elf.bytesAt(vaddr, Math.min(6, available));
		const length =
			this.#goMinor < VARINT_NAMES_SINCE ? { value: u8(head, 1) * 256 + u8(head, 2), end: 3 } : readUvarint(head, 1);
		if (length === undefined || length.value > MAX_NAME_BYTES || length.end + length.value > available) {
			return undefined;
		}
		return text(this.#elf.bytesAt(vaddr + length.end, length.value));
	}
}

function looksLikeMap(bytes: Uint8Array, at: number): boolean {
	return (
		((bytes[at + TYPE_LAYOUT.kind] as number) & KIND_MASK) === KIND_MAP &&
		bytes[at + POINTER.align] === POINTER.bytes &&
		bytes[at + POINTER.fieldAlign] === POINTER.bytes &&
		u64(bytes, at + POINTER.size) === POINTER.bytes &&
		u64(bytes, at + POINTER.pointerBytes) === POINTER.bytes
	);
}

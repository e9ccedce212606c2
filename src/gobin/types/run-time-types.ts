import type { ElfFile } from "../../elf/elf-file.ts";
import { i32, text, u8, u16, u64 } from "../../elf/little-endian.ts";
import { readUvarint } from "../buildinfo/varint.ts";
import { type StructLayouts, TYPE_LAYOUT } from "../layouts/struct-layouts.ts";
import type { ModuleData } from "./module-data.ts";

/** internal/abi/type.go: abi.Map, KindMask (the higher bits are flags up to 1.25), TFlagExtraStar. */
const KIND_MAP = 21;
const KIND_MASK = 31;
const TFLAG_EXTRA_STAR = 2;
/** First release whose names have a varint length; before, two bytes big-endian (reflect/type.go, name.readVarint). */
const VARINT_NAMES_SINCE = 17;
const MAX_NAME_BYTES = 65536;
/** How far descriptors are looked through for map types, and how many of those are looked at. */
const CONFIRM_BYTES = 1 << 20;
const CONFIRM_TYPES = 512;

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
}

/** Type descriptors in the program's own module. Those made at run time (reflect.MapOf) are in the heap and not readable here. */
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
	 * Whether the layouts of type descriptors are those of this program: among the map types in the first MiB of descriptors there are
	 * some, and each is named after its own key and element.
	 */
	confirmsMapTypes(impl: "classic" | "swiss"): boolean {
		const { types, etypes } = this.#module;
		const length = Math.min(etypes - types, CONFIRM_BYTES, this.#elf.bytesFrom(types));
		const bytes = this.#elf.bytesAt(types, length);
		let confirmed = 0;
		for (let at = -types & 7, seen = 0; at + TYPE_LAYOUT.bytes <= length && seen < CONFIRM_TYPES; at += 8) {
			if (((bytes[at + TYPE_LAYOUT.kind] as number) & KIND_MASK) !== KIND_MAP) {
				continue;
			}
			const type = this.mapTypeAt(types + at, impl);
			seen += Number(type !== undefined);
			if (type === undefined || !type.name.startsWith("map[")) {
				continue;
			}
			if (type.name !== `map[${type.key}]${type.elem}`) {
				return false;
			}
			confirmed++;
		}
		return confirmed > 0;
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
		const name = this.nameOf(vaddr);
		const key = this.nameOf(this.#elf.pointerAt(vaddr + layout.key));
		const elem = this.nameOf(this.#elf.pointerAt(vaddr + layout.elem));
		if (name === undefined || key === undefined || elem === undefined) {
			return undefined;
		}
		return "bucketSize" in layout
			? {
					...{ name, key, elem, bucketBytes: u16(raw, layout.bucketSize) },
					slotBytes: u8(raw, layout.keySize) + u8(raw, layout.elemSize),
				}
			: { name, key, elem, groupBytes: u64(raw, layout.groupSize), slotBytes: u64(raw, layout.slotSize) };
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

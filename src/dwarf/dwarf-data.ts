import { AbbreviationCache } from "./abbreviations.ts";
import { malformed } from "./malformed.ts";
import type { DwarfSectionName, DwarfSections } from "./sections.ts";
import { Unit } from "./unit.ts";
import { readUnitHeaders } from "./unit-headers.ts";

const NOTHING = new Uint8Array(0);

/** The sections of one file and what was read from them so far: abbreviations and the list of units. */
export class DwarfData {
	readonly info: Uint8Array;
	readonly abbreviations: AbbreviationCache;
	readonly #sections: DwarfSections;
	readonly #loaded = new Map<DwarfSectionName, Uint8Array>();
	#units: readonly Unit[] | undefined;

	constructor(sections: DwarfSections, info: Uint8Array, abbrev: Uint8Array) {
		this.#sections = sections;
		this.info = info;
		this.abbreviations = new AbbreviationCache(abbrev);
	}

	/** A section's bytes, empty when the file has none; asked of the caller once. */
	section(name: DwarfSectionName): Uint8Array {
		let bytes = this.#loaded.get(name);
		if (!bytes) {
			bytes = this.#sections.section(name) ?? NOTHING;
			this.#loaded.set(name, bytes);
		}
		return bytes;
	}

	/** All units of DWARF 2 to 5, by ascending offset. */
	get units(): readonly Unit[] {
		this.#units ??= readUnitHeaders(this.info).map((header) => new Unit(this, header));
		return this.#units;
	}

	/**
	 * The unit that has the DIE at `offset` of .debug_info.
	 * @throws GomapgrowError E-BIN-MALFORMED when the offset is in no unit.
	 */
	unitAt(offset: number): Unit {
		const units = this.units;
		let low = 0;
		let high = units.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((units[middle] as Unit).header.end <= offset) low = middle + 1;
			else high = middle;
		}
		const unit = units[low];
		if (!unit || offset < unit.header.dieOffset) {
			throw malformed("a reference into a unit", `0x${offset.toString(16)} of .debug_info`);
		}
		return unit;
	}
}

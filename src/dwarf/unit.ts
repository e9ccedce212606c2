import { type Abbreviation, type AbbreviationTable, isReadable } from "./abbreviations.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { AT } from "./constants.ts";
import { DieCursor } from "./die-cursor.ts";
import type { DwarfData } from "./dwarf-data.ts";
import { malformed, place } from "./malformed.ts";
import type { UnitHeader } from "./unit-headers.ts";

/** Where a unit's shares of the indexed sections start (DWARF 5, sections 7.26 to 7.28). */
export interface Bases {
	readonly strOffsets: number;
	readonly addr: number;
	readonly rnglists: number;
}

/** One unit: its header, and its abbreviations and root attributes once they are asked for. */
export class Unit {
	readonly header: UnitHeader;
	readonly data: DwarfData;
	#table: AbbreviationTable | undefined;
	#bases: Bases | undefined;

	constructor(data: DwarfData, header: UnitHeader) {
		this.data = data;
		this.header = header;
	}

	/** The abbreviation of a code. @throws GomapgrowError E-BIN-MALFORMED for a code that the table does not have. */
	abbreviation(code: number): Abbreviation {
		this.#table ??= this.data.abbreviations.table(this.header.abbrevOffset, this.header);
		const found = this.#table.get(code);
		if (!found) throw malformed(`abbreviation ${code}`, `no such code in the table of the unit at ${this.#place()}`);
		return found;
	}

	/** A cursor before the first DIE. */
	dies(): DieCursor {
		return this.diesFrom(this.header.dieOffset);
	}

	/** A cursor before the DIE at `offset` of .debug_info, which walks over it and its descendants. */
	diesFrom(offset: number): DieCursor {
		return new DieCursor(this, offset);
	}

	/** A cursor on the root DIE; absent when the unit is empty or its root has a form that nobody knows. */
	root(): DieCursor | undefined {
		const die = this.dies();
		return die.next() && isReadable(die.abbreviation) ? die : undefined;
	}

	/** DW_AT_language of the root; absent when unknown. */
	get language(): number | undefined {
		return this.root()?.number(AT.language);
	}

	/** The bases of indexed forms, from the root's attributes or what DWARF 5 has without them. */
	get bases(): Bases {
		if (!this.#bases) {
			// The first entry behind a header of 32-bit or 64-bit DWARF; GNU split units of DWARF 4 have no header.
			const { version, offsetSize } = this.header;
			const first = version < 5 ? 0 : offsetSize === 4 ? 8 : 16;
			const firstList = version < 5 ? 0 : offsetSize === 4 ? 12 : 20;
			const root = this.root();
			this.#bases = {
				strOffsets: root?.number(AT.strOffsetsBase) ?? first,
				addr: root?.number(AT.addrBase) ?? first,
				rnglists: root?.number(AT.rnglistsBase) ?? firstList,
			};
		}
		return this.#bases;
	}

	/** The address at `index` of this unit's share of .debug_addr. */
	indexedAddress(index: number): number {
		const { addressSize } = this.header;
		return this.#indexed(".debug_addr", this.bases.addr, index, addressSize).unsigned(addressSize);
	}

	/** The offset in .debug_str at `index` of this unit's share of .debug_str_offsets. */
	indexedString(index: number): number {
		const { offsetSize } = this.header;
		return this.#indexed(".debug_str_offsets", this.bases.strOffsets, index, offsetSize).unsigned(offsetSize);
	}

	/** The offset in .debug_rnglists of the list at `index` of this unit's table of lists. */
	indexedRanges(index: number): number {
		const { offsetSize } = this.header;
		const base = this.bases.rnglists;
		return base + this.#indexed(".debug_rnglists", base, index, offsetSize).unsigned(offsetSize);
	}

	#indexed(
		name: ".debug_addr" | ".debug_str_offsets" | ".debug_rnglists",
		base: number,
		index: number,
		size: number,
	): ByteCursor {
		return new ByteCursor(this.data.section(name), name, base + index * size);
	}

	#place(): string {
		return place(".debug_info", this.header.offset);
	}
}

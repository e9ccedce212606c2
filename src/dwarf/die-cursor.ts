import type { Abbreviation } from "./abbreviations.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { AT, FORM } from "./constants.ts";
import { indirectForm, skipValue } from "./form-skip.ts";
import { malformed, place } from "./malformed.ts";
import type { Unit } from "./unit.ts";
import {
	addressOf,
	type FormValue,
	numberOf,
	referenceOf,
	type StringPlace,
	stringOf,
	stringPlaceOf,
} from "./values.ts";

/** Stands for "not on a DIE yet"; its fields are never read by a caller that calls next() first. */
const NO_ABBREVIATION: Abbreviation = {
	code: 0,
	tag: 0,
	hasChildren: false,
	names: [],
	forms: [],
	constants: undefined,
	steps: [],
	leaps: [],
};

/**
 * Walks the DIEs of a unit in the order of the file, as one object whose fields are those of the DIE that it is on.
 * Attributes are skipped by their sizes and decoded only when asked for.
 *
 *     const die = unit.dies();
 *     while (die.next()) if (die.tag === TAG.structureType) ... die.string(AT.name) ...
 *
 * Every method throws GomapgrowError E-BIN-MALFORMED when what it reads does not fit the unit.
 */
export class DieCursor {
	readonly unit: Unit;
	/** Of the current DIE, from the start of .debug_info. */
	offset = 0;
	/** 0 for the DIE that the walk started with, 1 for its children, and so on. */
	depth = -1;
	abbreviation: Abbreviation = NO_ABBREVIATION;
	readonly #at: ByteCursor;
	/** A second cursor for values of the current DIE. */
	readonly #value: ByteCursor;
	/** Where the attributes of the current DIE start. */
	#attributes = 0;
	/** The attributes have not been stepped over yet. */
	#pending = false;
	#inside = 0;
	#ended = false;

	/** @param offset of the first DIE of the walk, which ends behind that DIE's children. */
	constructor(unit: Unit, offset: number) {
		const { data, header } = unit;
		if (offset < header.dieOffset) throw malformed("the offset of a DIE", place(".debug_info", offset));
		this.unit = unit;
		this.#at = new ByteCursor(data.info, ".debug_info", offset, header.end);
		this.#value = new ByteCursor(data.info, ".debug_info", offset, header.end);
	}

	get tag(): number {
		return this.abbreviation.tag;
	}

	/** Goes to the next DIE in the order of the file: first the children. False at the end of the walk. */
	next(): boolean {
		const at = this.#at;
		if (this.#pending) this.#skipAttributes();
		while (!this.#ended && at.pos < at.end) {
			const offset = at.pos;
			const code = at.uleb();
			if (code === 0) {
				// The end of a list of children; at the top there is nothing but padding left.
				this.#ended = --this.#inside <= 0;
				continue;
			}
			this.offset = offset;
			this.depth = this.#inside;
			this.abbreviation = this.unit.abbreviation(code);
			this.#attributes = at.pos;
			this.#pending = true;
			if (this.abbreviation.hasChildren) this.#inside++;
			else if (this.#inside === 0) this.#ended = true;
			return true;
		}
		return false;
	}

	/** Goes to the next DIE that is no descendant of the current one, by DW_AT_sibling where there is one. */
	nextSibling(): boolean {
		const depth = this.depth;
		if (this.abbreviation.hasChildren && this.#pending) {
			const sibling = this.reference(AT.sibling);
			if (sibling !== undefined) {
				this.#skipAttributes();
				if (sibling < this.#at.pos || sibling > this.#at.end) {
					throw malformed(
						"a sibling behind its DIE",
						`${place(".debug_info", sibling)} for that at 0x${this.offset.toString(16)}`,
					);
				}
				this.#at.pos = sibling;
				this.#inside = depth;
				this.#ended = depth <= 0;
				return this.next();
			}
		}
		while (this.next()) if (this.depth <= depth) return true;
		return false;
	}

	/** The offset behind the attributes of the current DIE. */
	attributesEnd(): number {
		if (this.#pending) this.#skipAttributes();
		return this.#at.pos;
	}

	has(name: number): boolean {
		return this.abbreviation.names.includes(name);
	}

	/** A constant, flag or section offset; absent when the DIE has no such attribute or it is of another class. */
	number(name: number): number | undefined {
		const value = this.#find(name);
		return value && numberOf(value);
	}

	/** A string; absent when there is none or it is in another file. */
	string(name: number): string | undefined {
		const value = this.#find(name);
		return value && stringOf(value);
	}

	/** Where the bytes of a string are, without decoding it. */
	stringPlace(name: number): StringPlace | undefined {
		const value = this.#find(name);
		return value && stringPlaceOf(value);
	}

	/** A reference to another DIE, as an offset in .debug_info; absent when there is none or it leads to another file. */
	reference(name: number): number | undefined {
		const value = this.#find(name);
		return value && referenceOf(value);
	}

	/** An address; absent when there is none or the attribute is of another class. */
	address(name: number): number | undefined {
		const value = this.#find(name);
		return value && addressOf(value);
	}

	/** The attribute with its form, for attributes that may be of several classes. */
	value(name: number): FormValue | undefined {
		return this.#find(name);
	}

	#find(name: number): FormValue | undefined {
		const { names, forms, steps, constants } = this.abbreviation;
		const index = names.indexOf(name);
		if (index < 0) return undefined;
		const at = this.#value;
		at.pos = this.#attributes;
		for (let i = 0; i < index; i++) skipValue(at, steps[i] as number, this.unit.header);
		let form = forms[index] as number;
		if (form === FORM.indirect) form = indirectForm(at);
		return { unit: this.unit, at, form, constant: constants?.[index] ?? 0 };
	}

	#skipAttributes(): void {
		for (const leap of this.abbreviation.leaps) skipValue(this.#at, leap, this.unit.header);
		this.#pending = false;
	}
}

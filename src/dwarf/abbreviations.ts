import { ByteCursor } from "./byte-cursor.ts";
import { FORM } from "./constants.ts";
import { type Encoding, SKIP, skipOf } from "./form-skip.ts";
import { malformed, place } from "./malformed.ts";

/** More declarations than the largest link-time optimised units have; Go has fewer than 100. */
const MAX_ABBREVIATIONS = 65_536;
/** Compilers write at most about 30; the limit bounds the time spent on one DIE. */
const MAX_ATTRIBUTES = 64;
const MAX_TAG = 0xffff;
/** Tables are shared between units, so a section is read about once; overlapping ones must not make it quadratic. */
const MAX_PASSES = 16;

/** The shape of a DIE: its tag and the attributes that follow its code. */
export interface Abbreviation {
	readonly code: number;
	readonly tag: number;
	readonly hasChildren: boolean;
	/** DW_AT_* numbers, in the order of the values. */
	readonly names: readonly number[];
	/** DW_FORM_* numbers, one per name. */
	readonly forms: readonly number[];
	/** Values of DW_FORM_implicit_const, at the index of their attribute. */
	readonly constants: readonly number[] | undefined;
	/** Per attribute: bytes to skip, or a kind of SKIP. */
	readonly steps: readonly number[];
	/** The same with neighbouring sizes added up: the shortest way over all attributes. */
	readonly leaps: readonly number[];
}

/** The abbreviations of one unit, by code. */
export class AbbreviationTable {
	/** Compilers number their abbreviations 1, 2, 3 …: those are found by index, others through the map. */
	readonly #dense: Abbreviation[] = [];
	readonly #sparse = new Map<number, Abbreviation>();

	get size(): number {
		return this.#dense.length + this.#sparse.size;
	}

	add(abbreviation: Abbreviation): void {
		if (abbreviation.code === this.#dense.length + 1) this.#dense.push(abbreviation);
		else if (!this.#sparse.has(abbreviation.code)) this.#sparse.set(abbreviation.code, abbreviation);
	}

	get(code: number): Abbreviation | undefined {
		return code <= this.#dense.length ? this.#dense[code - 1] : this.#sparse.get(code);
	}
}

/** Reads the tables of .debug_abbrev when units ask for them, and keeps those already read. */
export class AbbreviationCache {
	readonly #bytes: Uint8Array;
	readonly #tables = new Map<string, AbbreviationTable>();
	#kept = 0;
	#budget: number;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
		this.#budget = MAX_PASSES * bytes.length;
	}

	/**
	 * The table at `offset` of .debug_abbrev.
	 * @throws GomapgrowError E-BIN-MALFORMED when it is outside the section, has no end or is absurdly large.
	 */
	table(offset: number, encoding: Encoding): AbbreviationTable {
		const key = `${offset}/${encoding.version}/${encoding.addressSize}/${encoding.offsetSize}`;
		const known = this.#tables.get(key);
		if (known) return known;
		const at = new ByteCursor(this.#bytes, ".debug_abbrev", offset);
		const table = readTable(at, encoding);
		this.#budget -= at.pos - offset;
		if (this.#budget < 0) throw malformed("abbreviation tables side by side", "tables that overlap one another");
		if (this.#kept + table.size > MAX_ABBREVIATIONS) {
			this.#tables.clear();
			this.#kept = 0;
		}
		this.#kept += table.size;
		this.#tables.set(key, table);
		return table;
	}
}

function readTable(at: ByteCursor, encoding: Encoding): AbbreviationTable {
	const table = new AbbreviationTable();
	for (let code = at.uleb(); code !== 0; code = at.uleb()) {
		if (table.size >= MAX_ABBREVIATIONS) {
			throw malformed(`at most ${MAX_ABBREVIATIONS} abbreviations in a table`, `more at ${place(at.section, at.pos)}`);
		}
		table.add(readAbbreviation(at, code, encoding));
	}
	return table;
}

function readAbbreviation(at: ByteCursor, code: number, encoding: Encoding): Abbreviation {
	const tag = at.uleb();
	if (tag > MAX_TAG)
		throw malformed("a DWARF tag below 0x10000", `0x${tag.toString(16)} before ${place(at.section, at.pos)}`);
	const hasChildren = at.u8() !== 0;
	const names: number[] = [];
	const forms: number[] = [];
	const steps: number[] = [];
	let constants: number[] | undefined;
	for (;;) {
		const name = at.uleb();
		const form = at.uleb();
		if (name === 0 && form === 0) break;
		if (names.length >= MAX_ATTRIBUTES) {
			throw malformed(`at most ${MAX_ATTRIBUTES} attributes`, `more before ${place(at.section, at.pos)}`);
		}
		if (form === FORM.implicitConst) {
			constants ??= [];
			// Filled without holes, so that the index is that of the attribute.
			while (constants.length < names.length) constants.push(0);
			constants.push(at.sleb());
		}
		names.push(name);
		forms.push(form);
		steps.push(skipOf(form, encoding));
	}
	return { code, tag, hasChildren, names, forms, constants, steps, leaps: leapsOf(steps) };
}

function leapsOf(steps: readonly number[]): number[] {
	const leaps: number[] = [];
	let sum = 0;
	for (const step of steps) {
		if (step >= 0) {
			sum += step;
			continue;
		}
		if (sum > 0) leaps.push(sum);
		sum = 0;
		leaps.push(step);
	}
	if (sum > 0) leaps.push(sum);
	return leaps;
}

/** Whether every attribute of a DIE of this shape can be stepped over. */
export function isReadable(abbreviation: Abbreviation): boolean {
	return !abbreviation.steps.includes(SKIP.unknown);
}

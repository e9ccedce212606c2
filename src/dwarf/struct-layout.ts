import { ByteCursor } from "./byte-cursor.ts";
import { AT, FORM, TAG } from "./constants.ts";
import type { DieCursor } from "./die-cursor.ts";
import type { DwarfData } from "./dwarf-data.ts";
import { malformed, place } from "./malformed.ts";
import { type ReadBudget, readTypeShape } from "./type-shape.ts";
import { type FormValue, numberOf } from "./values.ts";

/** runtime.m, the largest that the tool needs, has about 100. */
const MAX_FIELDS = 4096;
/** Bytes of DIEs read for the types of one structure's fields; runtime.m takes a few thousand. */
const MAX_TYPE_BYTES = 16 * 1024 * 1024;
/** DW_OP_constu and DW_OP_plus_uconst (DWARF 5, table 7.9): how DWARF 2 spells the offset of a member. */
const OP_CONSTU = 0x10;
const OP_PLUS_UCONST = 0x23;

export interface FieldLayout {
	/** Bytes from the start of the structure. */
	readonly offset: number;
	/** Bytes; absent when the field's type does not say. */
	readonly size: number | undefined;
	/** The type's name as the compiler writes it, such as "runtime.gobuf" or "*runtime.m"; empty when it has none. */
	readonly type: string;
	/** The type's DIE in .debug_info, for layoutAt(). */
	readonly typeOffset: number;
}

export interface StructLayout {
	readonly name: string;
	/** Bytes. */
	readonly size: number;
	readonly fields: ReadonlyMap<string, FieldLayout>;
}

/**
 * The layout of the structure whose DIE is at `offset` of .debug_info; typedefs and qualifiers in front are followed.
 * Absent when the type is no structure. Bit fields are left out.
 * @throws GomapgrowError E-BIN-MALFORMED
 */
export function readStructLayout(data: DwarfData, offset: number): StructLayout | undefined {
	const budget: ReadBudget = { bytes: MAX_TYPE_BYTES };
	const shape = readTypeShape(data, offset, budget);
	if (shape.tag !== TAG.structureType || shape.size === undefined) return undefined;
	const die = data.unitAt(shape.offset).diesFrom(shape.offset);
	const fields = new Map<string, FieldLayout>();
	let more = die.next() && die.next();
	while (more && die.depth === 1) {
		if (die.tag === TAG.member) {
			if (fields.size >= MAX_FIELDS) throw malformed(`at most ${MAX_FIELDS} fields`, `more in ${shape.name}`);
			addField(data, die, fields, budget);
		}
		more = die.nextSibling();
	}
	return { name: shape.name, size: shape.size, fields };
}

function addField(data: DwarfData, die: DieCursor, fields: Map<string, FieldLayout>, budget: ReadBudget): void {
	const name = die.string(AT.name);
	const location = die.value(AT.dataMemberLocation);
	const offset = location && memberOffset(location);
	const typeOffset = die.reference(AT.type);
	if (name === undefined || offset === undefined || typeOffset === undefined || fields.has(name)) return;
	const { size, name: type } = readTypeShape(data, typeOffset, budget);
	fields.set(name, { offset, size, type, typeOffset });
}

function memberOffset(value: FormValue): number | undefined {
	const constant = numberOf(value);
	if (constant !== undefined) return constant;
	const { at, form } = value;
	let length: number;
	if (form === FORM.exprloc || form === FORM.block) length = at.uleb();
	else if (form === FORM.block1) length = at.u8();
	else return undefined;
	const start = at.pos;
	if (length > at.end - start) {
		throw malformed("a location inside its unit", `${length} bytes at ${place(".debug_info", start)}`);
	}
	const expression = new ByteCursor(at.bytes, ".debug_info", start, start + length);
	const operation = length === 0 ? 0 : expression.u8();
	return operation === OP_CONSTU || operation === OP_PLUS_UCONST ? expression.uleb() : undefined;
}

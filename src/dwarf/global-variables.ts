/** Global variables of Go code, with the address of their type's descriptor in the running program. */
import { AT, FORM, LANGUAGE_GO, OP, TAG } from "./constants.ts";
import type { DieCursor } from "./die-cursor.ts";
import type { DwarfData } from "./dwarf-data.ts";
import { addressOf, numberOf } from "./values.ts";

/** A program with more is not looked through to its end. */
const MAX_VARIABLES = 1 << 20;

export interface GlobalVariable {
	/** As it is in the file, without a load bias. */
	address: number;
	/** DW_AT_go_runtime_type of its type: an offset from runtime.types, in old releases the address itself. */
	runtimeType: number;
}

/** Variables whose place is a fixed address and whose type has a descriptor. Throws E-BIN-MALFORMED. */
export function findGlobalVariables(data: DwarfData): GlobalVariable[] {
	const found: GlobalVariable[] = [];
	const types = new Map<number, number | undefined>();
	for (const unit of data.units) {
		const die = unit.root();
		if (die === undefined || die.number(AT.language) !== LANGUAGE_GO) continue;
		for (let more = die.next(); more && die.depth === 1 && found.length < MAX_VARIABLES; more = die.nextSibling()) {
			if (die.tag !== TAG.variable) continue;
			const address = fixedAddress(die);
			const type = address === undefined ? undefined : die.reference(AT.type);
			if (address === undefined || type === undefined) continue;
			if (!types.has(type)) types.set(type, runtimeTypeOf(data, type));
			const runtimeType = types.get(type);
			if (runtimeType !== undefined) found.push({ address, runtimeType });
		}
	}
	return found;
}

/** DW_OP_addr or DW_OP_addrx alone. */
function fixedAddress(die: DieCursor): number | undefined {
	const value = die.value(AT.location);
	if (value === undefined) return undefined;
	const { at, form, unit } = value;
	const length = form === FORM.block1 ? at.u8() : form === FORM.exprloc || form === FORM.block ? at.uleb() : 0;
	if (length < 2 || length > at.left) return undefined;
	const operation = at.u8();
	if (operation === OP.addr && length === 1 + unit.header.addressSize) return at.unsigned(unit.header.addressSize);
	return operation === OP.addrx ? unit.indexedAddress(at.uleb()) : undefined;
}

function runtimeTypeOf(data: DwarfData, type: number): number | undefined {
	const die = data.unitAt(type).diesFrom(type);
	const value = die.next() ? die.value(AT.goRuntimeType) : undefined;
	if (value === undefined) return undefined;
	const found = value.form === FORM.addr || value.form === FORM.addrx ? addressOf(value) : numberOf(value);
	return found === 0 ? undefined : found;
}

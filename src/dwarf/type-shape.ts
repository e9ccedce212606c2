import { AT, TAG } from "./constants.ts";
import type { DieCursor } from "./die-cursor.ts";
import type { DwarfData } from "./dwarf-data.ts";
import { malformed, place } from "./malformed.ts";

/** How many typedefs, qualifiers and array elements may lie between a name and its type. */
const MAX_LINKS = 64;

/** Types that stand for another one and have its size. */
const ALIASES: ReadonlySet<number> = new Set([
	TAG.typedef,
	TAG.constType,
	TAG.volatileType,
	TAG.restrictType,
	TAG.atomicType,
]);
const ADDRESSES: ReadonlySet<number> = new Set([TAG.pointerType, TAG.referenceType, TAG.subroutineType]);

/** How many descendants of an array are looked at for its bounds: one per dimension. */
const MAX_BOUNDS = 64;

/** How many bytes of DIEs a caller may still read by references, which can lead to the same large DIE again and again. */
export interface ReadBudget {
	bytes: number;
}

/** What a type is, without its members. */
export interface TypeShape {
	/** The first name on the way, empty when there is none. */
	readonly name: string;
	/** DW_TAG_* of the type behind typedefs and qualifiers. */
	readonly tag: number;
	/** Its DIE in .debug_info. */
	readonly offset: number;
	/** Bytes; absent when unknown (an incomplete type, an array without bounds). */
	readonly size: number | undefined;
}

/**
 * Follows the type at `offset` of .debug_info to what it is.
 * @throws GomapgrowError E-BIN-MALFORMED when the chain is a circle, a reference leads nowhere or the budget is used up.
 */
export function readTypeShape(data: DwarfData, offset: number, budget: ReadBudget): TypeShape {
	let name: string | undefined;
	let target: { tag: number; offset: number } | undefined;
	/** Product of the lengths of the arrays passed on the way. */
	let count = 1;
	let at = offset;
	for (let links = 0; links < MAX_LINKS; links++) {
		const unit = data.unitAt(at);
		const die = unit.diesFrom(at);
		if (!die.next()) throw malformed("a type", `the end of a list at ${place(".debug_info", at)}`);
		const { tag } = die;
		spend(budget, die);
		if (!target) name ??= die.string(AT.name);
		let size = die.number(AT.byteSize);
		const type = die.reference(AT.type);
		if (!ALIASES.has(tag)) {
			target ??= { tag, offset: at };
			if (size === undefined && ADDRESSES.has(tag)) size = unit.header.addressSize;
		}
		const elements = tag === TAG.arrayType && size === undefined ? arrayLength(die, budget) : 1;
		const follows = ALIASES.has(tag) || (tag === TAG.arrayType && size === undefined);
		if (!follows || type === undefined || elements === undefined) {
			const end = target ?? { tag, offset: at };
			return { name: name ?? "", ...end, size: follows ? undefined : times(size, count) };
		}
		count *= elements;
		at = type;
	}
	throw malformed(
		`at most ${MAX_LINKS} typedefs between a name and its type`,
		`more from ${place(".debug_info", offset)}`,
	);
}

function times(size: number | undefined, count: number): number | undefined {
	const product = size === undefined ? Number.NaN : size * count;
	return Number.isSafeInteger(product) ? product : undefined;
}

/** The number of elements of an array over all its dimensions; absent without bounds. Moves `die` off the array. */
function arrayLength(die: DieCursor, budget: ReadBudget): number | undefined {
	let length: number | undefined;
	for (let n = 0; n < MAX_BOUNDS && die.next(); n++) {
		spend(budget, die);
		if (die.depth !== 1 || die.tag !== TAG.subrangeType) continue;
		const upper = die.number(AT.upperBound);
		const count = die.number(AT.count) ?? (upper === undefined ? undefined : upper + 1);
		if (count === undefined || count < 0) return undefined;
		length = (length ?? 1) * count;
	}
	return length;
}

function spend(budget: ReadBudget, die: DieCursor): void {
	budget.bytes -= die.attributesEnd() - die.offset;
	if (budget.bytes < 0)
		throw malformed("types of ordinary size", `ever more of them at ${place(".debug_info", die.offset)}`);
}

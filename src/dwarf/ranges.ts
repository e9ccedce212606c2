import { ByteCursor } from "./byte-cursor.ts";
import { AT, FORM, RANGE_ENTRY } from "./constants.ts";
import type { DieCursor } from "./die-cursor.ts";
import { malformed, place } from "./malformed.ts";
import type { Unit } from "./unit.ts";
import { addressOf, numberOf } from "./values.ts";

/** Called for every address range [low, high) that is not empty. */
export type RangeSink = (low: number, high: number) => void;

/** How many list entries a caller may still read; lists can be shared by any number of units. */
export interface RangeBudget {
	entries: number;
}

/**
 * The address ranges of a DIE: DW_AT_ranges, or DW_AT_low_pc with DW_AT_high_pc (DWARF 5, section 2.17).
 * @throws GomapgrowError E-BIN-MALFORMED when a list leaves its section or the budget is used up.
 */
export function readRanges(die: DieCursor, budget: RangeBudget, sink: RangeSink): void {
	const { unit } = die;
	const lowPc = die.address(AT.lowPc);
	const ranges = die.value(AT.ranges);
	if (ranges) {
		const offset = ranges.form === FORM.rnglistx ? unit.indexedRanges(ranges.at.uleb()) : numberOf(ranges);
		if (offset === undefined) return;
		if (unit.header.version >= 5) readRangeList(unit, offset, lowPc ?? 0, budget, sink);
		else readOldRangeList(unit, offset, lowPc ?? 0, budget, sink);
		return;
	}
	const high = die.value(AT.highPc);
	if (lowPc === undefined || !high) return;
	const highPc = addressOf(high);
	const length = highPc === undefined ? numberOf(high) : highPc - lowPc;
	emit(lowPc, lowPc + (length ?? 0), budget, sink);
}

/** .debug_ranges of DWARF 3 and 4 (DWARF 4, section 2.17.3): pairs of offsets from a base, all ones to choose a base. */
function readOldRangeList(unit: Unit, offset: number, lowPc: number, budget: RangeBudget, sink: RangeSink): void {
	const { addressSize } = unit.header;
	const highest = addressSize === 8 ? 2 ** 64 : 0xffff_ffff;
	const at = new ByteCursor(unit.data.section(".debug_ranges"), ".debug_ranges", offset);
	let base = lowPc;
	for (;;) {
		const low = at.unsigned(addressSize);
		const high = at.unsigned(addressSize);
		if (low === 0 && high === 0) return;
		if (low === highest) base = high;
		else emit(base + low, base + high, budget, sink);
	}
}

/** .debug_rnglists (DWARF 5, section 2.17.3). */
function readRangeList(unit: Unit, offset: number, lowPc: number, budget: RangeBudget, sink: RangeSink): void {
	const { addressSize } = unit.header;
	const at = new ByteCursor(unit.data.section(".debug_rnglists"), ".debug_rnglists", offset);
	let base = lowPc;
	for (;;) {
		const kind = at.u8();
		switch (kind) {
			case RANGE_ENTRY.endOfList:
				return;
			case RANGE_ENTRY.baseAddressx:
				base = unit.indexedAddress(at.uleb());
				break;
			case RANGE_ENTRY.baseAddress:
				base = at.unsigned(addressSize);
				break;
			case RANGE_ENTRY.offsetPair: {
				const low = base + at.uleb();
				emit(low, base + at.uleb(), budget, sink);
				break;
			}
			case RANGE_ENTRY.startxEndx: {
				const low = unit.indexedAddress(at.uleb());
				emit(low, unit.indexedAddress(at.uleb()), budget, sink);
				break;
			}
			case RANGE_ENTRY.startxLength: {
				const low = unit.indexedAddress(at.uleb());
				emit(low, low + at.uleb(), budget, sink);
				break;
			}
			case RANGE_ENTRY.startEnd: {
				const low = at.unsigned(addressSize);
				emit(low, at.unsigned(addressSize), budget, sink);
				break;
			}
			case RANGE_ENTRY.startLength: {
				const low = at.unsigned(addressSize);
				emit(low, low + at.uleb(), budget, sink);
				break;
			}
			default:
				throw malformed("an entry of a range list", `kind ${kind} before ${place(".debug_rnglists", at.pos)}`);
		}
		spend(budget);
	}
}

function emit(low: number, high: number, budget: RangeBudget, sink: RangeSink): void {
	spend(budget);
	if (high > low && Number.isSafeInteger(high)) sink(low, high);
}

function spend(budget: RangeBudget): void {
	if (--budget.entries < 0) throw malformed("address ranges side by side", "range lists that are read again and again");
}

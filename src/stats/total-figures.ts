/** Sums that go with the number of growths, as figures: how certain they are follows from how growths and growth work were measured. */

import { amountOf, type Figure, inProportion, isExact, lowerEnd } from "../records/figure.ts";
import type { TotalCounts } from "./totals.ts";

/** Fewer growths of which it is known than this part of all: the sum is a lower end. Counts that were estimated are rounded. */
const NEARLY_ALL = 0.999;

/** Of growths of which so many told. Undefined when there were some, but none told. */
function toldBy(growths: Figure | undefined, told: number, sum: Figure): Figure | undefined {
	if (growths === undefined) return undefined;
	const all = amountOf(growths);
	if (all === 0) return sum;
	if (told === 0) return undefined;
	return told < NEARLY_ALL * all ? { at_least: lowerEnd(sum) } : sum;
}

/** Bytes of the new arrays. Undefined: not known. */
export function allocatedBytes(
	total: Pick<TotalCounts, "growths" | "bytes" | "growths_with_bytes">,
): Figure | undefined {
	return total.bytes === undefined ? undefined : toldBy(total.growths, total.growths_with_bytes, total.bytes);
}

/** Bytes of the entries that are copied. Undefined: not known. */
export function copiedBytes(
	total: Pick<TotalCounts, "growths" | "bytes_moved" | "growths_with_moved">,
): Figure | undefined {
	const sum = total.growths === undefined ? undefined : inProportion(total.bytes_moved, total.growths);
	return sum === undefined ? undefined : toldBy(total.growths, total.growths_with_moved, sum);
}

/** Processor time in growths and growth work, nanoseconds. Undefined: not known. */
export function timeInGrowth({
	time_ns,
	growths,
	work,
}: Pick<TotalCounts, "time_ns" | "growths" | "work">): Figure | undefined {
	if (time_ns === undefined) return undefined;
	if (growths === undefined || work === undefined) return { at_least: time_ns };
	if (isExact(work)) return inProportion(time_ns, growths);
	// What is known is the time of the growths alone.
	if (isExact(growths) && amountOf(work) === 0) return { at_least: time_ns };
	// Most of it is growth work, and that is what is sampled first.
	return inProportion(time_ns, work);
}

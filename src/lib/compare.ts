/** Orders of plain values, for comparators that have to return 0 for equals. */

/** By code unit, so that the order never depends on a locale. */
export function compareText(a: string, b: string): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}

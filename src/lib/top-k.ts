/** The first `limit` of the values in the order of `compare`, in that order. Cheaper than sorting all of many for the few. */
export function topOf<Value>(
	values: readonly Value[],
	limit: number,
	compare: (a: Value, b: Value) => number,
): Value[] {
	if (values.length <= 2 * limit) return [...values].sort(compare).slice(0, limit);
	let best: Value[] = [];
	let worst: Value | undefined;
	for (const value of values) {
		if (worst !== undefined && compare(value, worst) >= 0) continue;
		best.push(value);
		if (best.length < 2 * limit) continue;
		best = best.sort(compare).slice(0, limit);
		worst = best.at(-1);
	}
	return best.sort(compare).slice(0, limit);
}

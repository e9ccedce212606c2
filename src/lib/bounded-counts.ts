/** Numbers by name, of which there are only so many: the rest is counted under one name. */
import { FoldingTable, OTHER } from "./bounded-table.ts";

export class BoundedCounts<Name extends string = string> {
	readonly #counts: FoldingTable<string, { count: number }>;

	constructor(max: number) {
		this.#counts = new FoldingTable(max, OTHER, () => ({ count: 0 }));
	}

	add(name: Name, count: number): void {
		this.#counts.getOrAdd(name, () => ({ count: 0 })).count += count;
	}

	addAll(counts: BoundedCounts<Name>): void {
		for (const [name, { count }] of counts.#counts.entries()) this.add(name as Name, count);
	}

	addRecord(counts: Partial<Record<Name, number>>): void {
		for (const [name, count] of Object.entries(counts) as [Name, number][]) this.add(name, count);
	}

	/** In whole numbers. What is beyond the bound is named "(other)", which no type of names has. */
	record(): Partial<Record<Name, number>> {
		const rounded = this.#counts.entries().map(([name, { count }]) => [name, Math.round(count)]);
		return Object.fromEntries(rounded) as Partial<Record<Name, number>>;
	}
}

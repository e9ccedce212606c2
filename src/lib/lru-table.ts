interface Entry<Row> {
	row: Row;
	/** When it was touched last: a number that only grows. */
	touched: number;
}

/** This part of the rows is forgotten at once when the table is full: finding the oldest ones is not for every new row. */
const FORGET = 0.2;

/** A table of rows that forgets those which have not been touched for longest when it is full. */
export class RecentRows<Row> {
	readonly #rows = new Map<string, Entry<Row>>();
	readonly #max: number;
	#clock = 0;

	constructor(max: number) {
		this.#max = max;
	}

	/** The row, which is the newest from now on. */
	touch(key: string, make: () => Row): Row {
		const known = this.#rows.get(key);
		if (known !== undefined) {
			known.touched = ++this.#clock;
			return known.row;
		}
		const row = make();
		this.set(key, row);
		return row;
	}

	/** As it is; undefined when it never was or has been forgotten. */
	get(key: string): Row | undefined {
		return this.#rows.get(key)?.row;
	}

	/** Puts a row in the place of the one of this key; it is the newest. */
	set(key: string, row: Row): void {
		this.#rows.set(key, { row, touched: ++this.#clock });
		if (this.#rows.size > this.#max) this.#forgetOldest();
	}

	#forgetOldest(): void {
		const times = new Float64Array(this.#rows.size);
		let at = 0;
		for (const { touched } of this.#rows.values()) times[at++] = touched;
		times.sort();
		const last = times[Math.floor(this.#max * FORGET)] ?? 0;
		for (const [key, { touched }] of this.#rows) {
			if (touched <= last) this.#rows.delete(key);
		}
	}

	values(): Row[] {
		return Array.from(this.#rows.values(), ({ row }) => row);
	}
}

/** Rows of the kernel's tables as they were read before. */

/** What rows of a kernel table said at the previous reading, by site and key; bounded by the rows of the table. */
export class SeenRows<Value> {
	readonly #bySite = new Map<number, Map<string, Value>>();

	get(site: number, key: string): Value | undefined {
		return this.#bySite.get(site)?.get(key);
	}

	set(site: number, key: string, value: Value): void {
		const rows = this.#bySite.get(site);
		if (rows === undefined) this.#bySite.set(site, new Map([[key, value]]));
		else rows.set(key, value);
	}

	forget(site: number): void {
		this.#bySite.delete(site);
	}
}

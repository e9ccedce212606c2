/** Rows of records added up by what they stand for. Bounded, whatever they say. */

import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { addFigures, type Figure, lowerEnd } from "../records/figure.ts";
import type { SiteRow, TypeRow } from "../records/records.ts";
import { compareSiteRows, compareTypeRows, OTHER_SITE_KEY, siteKey, typeKey } from "./rows.ts";
import type { Folded } from "./totals.ts";

/** What a figure that is absent in one of the parts means. missing: the sum is only known from below; elsewhere: another part has it. */
export type AbsentFigures = "missing" | "elsewhere";

/** Rows of types and call sites; what is beyond is added to one row. */
const MAX_NAMED_ROWS = 8192;
const FIGURES = ["growths", "work", "bytes"] as const;

/** Figures of independent parts, of which some may not have measured it. */
export class FigureSum {
	#sum: Figure | undefined;
	#absent = false;

	add(figure: Figure | undefined): void {
		if (figure === undefined) this.#absent = true;
		else this.#sum = this.#sum === undefined ? figure : addFigures([this.#sum, figure]);
	}

	/** Undefined when no part has measured it. */
	read(absent: AbsentFigures): Figure | undefined {
		if (this.#sum === undefined || !this.#absent || absent === "elsewhere") return this.#sum;
		return { at_least: lowerEnd(this.#sum) };
	}
}

/** A row of which most is the same in all parts. */
class RowSum<Name extends object> {
	readonly #name: Name;
	readonly #figures = { growths: new FigureSum(), work: new FigureSum(), bytes: new FigureSum() };
	#maxCapacity = 0;
	#iterating: number | undefined;
	#timeNs: number | undefined;

	constructor(name: Name) {
		this.#name = name;
	}

	add(row: Partial<SiteRow>): void {
		const { iterating, duration_ns, max_capacity = 0 } = row;
		for (const name of FIGURES) this.#figures[name].add(row[name]);
		this.#maxCapacity = Math.max(this.#maxCapacity, max_capacity);
		if (iterating !== undefined) this.#iterating = (this.#iterating ?? 0) + iterating;
		if (duration_ns !== undefined) this.#timeNs = (this.#timeNs ?? 0) + duration_ns;
	}

	row(absent: AbsentFigures) {
		const row: Name & Pick<SiteRow, "max_capacity" | "growths" | "work" | "bytes" | "iterating" | "duration_ns"> = {
			...this.#name,
			max_capacity: this.#maxCapacity,
		};
		for (const name of FIGURES) {
			const figure = this.#figures[name].read(absent);
			if (figure !== undefined) row[name] = figure;
		}
		if (this.#iterating !== undefined) row.iterating = this.#iterating;
		if (this.#timeNs !== undefined) row.duration_ns = this.#timeNs;
		return row;
	}
}

type SiteName = Pick<SiteRow, "pid" | "fn" | "file" | "line" | "map_type">;
type TypeName = Pick<TypeRow, "pid" | "map_type">;

function siteName({ fn, file, line, map_type, pid }: SiteRow, withPid: boolean): SiteName {
	return {
		...(pid === undefined || !withPid ? {} : { pid }),
		...{ fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), map_type },
	};
}

export class SiteSums {
	readonly #rows = new FoldingTable<string, RowSum<SiteName>>(
		MAX_NAMED_ROWS,
		OTHER_SITE_KEY,
		() => new RowSum({ fn: OTHER, map_type: OTHER }),
	);
	readonly #withPid: boolean;

	/** `withPid`: rows of different processes are different rows. */
	constructor(withPid = true) {
		this.#withPid = withPid;
	}

	add(row: SiteRow): void {
		const name = siteName(row, this.#withPid);
		const key = siteKey(name, name.map_type, name.pid);
		this.#rows.getOrAdd(key, () => new RowSum(name)).add(row);
	}

	/** Most growths first. */
	rows(absent: AbsentFigures): SiteRow[] {
		return this.#rows
			.values()
			.map((row) => row.row(absent))
			.sort(compareSiteRows);
	}

	/** What has no row of its own. */
	folded(absent: AbsentFigures): Folded {
		const { growths, work } = this.#rows.other?.row(absent) ?? {};
		return { ...(growths === undefined ? {} : { growths }), ...(work === undefined ? {} : { work }) };
	}
}

export class TypeSums {
	readonly #rows = new FoldingTable<string, RowSum<TypeName>>(
		MAX_NAMED_ROWS,
		OTHER,
		() => new RowSum({ map_type: OTHER }),
	);
	readonly #withPid: boolean;

	constructor(withPid = true) {
		this.#withPid = withPid;
	}

	add(row: TypeRow): void {
		const { map_type } = row;
		const pid = this.#withPid ? row.pid : undefined;
		const name: TypeName = pid === undefined ? { map_type } : { pid, map_type };
		this.#rows.getOrAdd(typeKey(map_type, pid), () => new RowSum(name)).add(row);
	}

	/** Most growths first. */
	rows(absent: AbsentFigures): TypeRow[] {
		return this.#rows
			.values()
			.map((row) => row.row(absent))
			.sort(compareTypeRows);
	}
}

function severalProcesses(rows: readonly { pid?: number }[]): boolean {
	const [first] = rows;
	return rows.some(({ pid }) => pid !== first?.pid);
}

/** A view, not the data: rows that are equal but for the process, as one. */
export function mergedSites(rows: readonly SiteRow[]): readonly SiteRow[] {
	if (!severalProcesses(rows)) return rows;
	const sums = new SiteSums(false);
	for (const row of rows) sums.add(row);
	return sums.rows("missing");
}

export function mergedTypes(rows: readonly TypeRow[]): readonly TypeRow[] {
	if (!severalProcesses(rows)) return rows;
	const sums = new TypeSums(false);
	for (const row of rows) sums.add(row);
	return sums.rows("missing");
}

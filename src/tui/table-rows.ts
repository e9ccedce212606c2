/** Makes the rows of the five tables from what has been added up. */

import { OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import type { Ledger, MapRow, TargetRecord } from "../records/records.ts";
import { bytesMeasured, measuredTiers } from "../report/measured.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import type { GoroutineStats, SiteStats, TypeStats } from "../stats/named-rows.ts";
import { compareMapRows, compareSiteNames } from "../stats/rows.ts";
import { type Span, StatRow } from "../stats/stat-row.ts";
import { perSecond } from "../text/units.ts";
import { newRow, type Row, TABLES, type TableName } from "./rows.ts";

export interface TableSource {
	view: AggregateView;
	ledger: Ledger;
	/** All processes that were ever observed. */
	targets: readonly TargetRecord[];
	/** PIDs of those that have ended. */
	ended: ReadonlySet<number>;
}

/** The tables of one window. Rows are made when a table is first looked at, and stay as they are then. */
export class Tables {
	readonly #source: TableSource;
	readonly #rows = new Map<TableName, readonly Row[]>();
	readonly #work: boolean;
	#still = false;

	constructor(source: TableSource) {
		this.#source = source;
		this.#work = measuredTiers(source.targets).includes("work");
	}

	/** In the table's own order: most growth first. */
	rows(table: TableName): readonly Row[] {
		let rows = this.#rows.get(table);
		if (rows === undefined) {
			rows = this.#make(table);
			this.#rows.set(table, rows);
		}
		return rows;
	}

	/** Makes all rows now, none of which changes any more: for a screen that stands still. */
	freeze(): void {
		if (this.#still) return;
		this.#still = true;
		this.#rows.clear();
		for (const table of TABLES) this.#rows.set(table, this.#make(table).map(stillRow));
	}

	#make(table: TableName): Row[] {
		switch (table) {
			case "sites":
				return this.#sites();
			case "types":
				return this.#types();
			case "maps":
				return this.#maps();
			case "goroutines":
				return this.#goroutines();
			case "processes":
				return this.#processes();
		}
	}

	/** What all kinds of rows show of their growths. */
	#grown(row: StatRow): Partial<Row> {
		const { newest, durations } = row;
		if (newest === undefined) return {};
		const moved = row.figure("withMoved", "total") > 0;
		return {
			growRate: this.#rate(row, "growths"),
			movedRate: moved ? this.#rate(row, "moved") : undefined,
			moved: moved ? row.rounded("moved", "total") : undefined,
			timeNs: durations === undefined ? undefined : row.rounded("time", "total"),
			maxNs: durations?.maxNs,
			lastNs: newest.elapsed_ns,
			detail: { newest, durations },
		};
	}

	#rate(row: StatRow, figure: "growths" | "work" | "moved"): number {
		return perSecond(row.figure(figure, "recent"), this.#source.view.recentNs);
	}

	#working(row: StatRow): Partial<Row> {
		return this.#work ? { workRate: this.#rate(row, "work"), work: row.rounded("work", "ended") } : {};
	}

	/** What a row shows of its sums in windows that have ended. */
	#summed(row: StatRow): Partial<Row> {
		const growths = row.rounded("growths", "ended");
		return {
			growths,
			allocated: bytesMeasured(this.#source.view.total) ? row.rounded("bytes", "ended") : undefined,
			maxSlots: growths > 0 ? row.figure("slots", "ended") : undefined,
		};
	}

	/** With --iter what was seen, otherwise what the flag of classic maps says. */
	#iterating(row: StatRow, flagged?: number): number | undefined {
		return this.#source.ledger.iteration === undefined ? flagged : row.overlaps;
	}

	/** Where maps grow now comes first, then where they grew. */
	#sites(): Row[] {
		const rows = this.#source.view.rows.sites.filter(isCounted).sort(compareSites);
		return rows.map((row) => {
			const rest = row.site.fn === OTHER;
			const grown = row.figure("growths", "ended") > 0;
			const flagged = row.figure("withIterating", "ended") > 0 ? row.rounded("iterating", "ended") : undefined;
			return newRow(row.key, {
				rest,
				...(rest || !grown ? {} : this.#grown(row)),
				growRate: this.#rate(row, "growths"),
				...this.#working(row),
				// A place that only moves entries: the growth was elsewhere.
				...(grown || rest ? {} : { movedRate: 0, moved: 0 }),
				...this.#summed(row),
				iterating: grown ? this.#iterating(row, flagged) : undefined,
				mapType: row.site.map_type,
				site: row.site,
			});
		});
	}

	#types(): Row[] {
		const rows = this.#source.view.rows.types.filter(isCounted).sort(compareTypes);
		return rows.map((row) => {
			const { map_type } = row;
			const rest = map_type === OTHER;
			return newRow(map_type, {
				rest,
				growRate: 0,
				...(rest ? {} : this.#grown(row)),
				...this.#working(row),
				...this.#summed(row),
				iterating: this.#iterating(row),
				mapType: map_type,
			});
		});
	}

	/** As they are now: a chain has no windows. */
	#maps(): Row[] {
		const rows = this.#source.view.rows.maps.sort((a, b) => compareMapRows(a.chain, b.chain));
		return rows.map((row) => {
			const map = row.chain;
			return newRow(row.key, {
				pid: map.pid,
				...this.#grown(row),
				growths: map.growths,
				allocated: map.bytes,
				slotsFirst: map.slots_first,
				slotsLast: map.slots_last,
				entries: map.count,
				iterating: this.#iterating(row),
				mapType: map.map_type,
				site: siteOf(map),
			});
		});
	}

	#goroutines(): Row[] {
		const rows = this.#source.view.rows.goroutines.sort(compareGoroutines);
		return rows.map((row) =>
			newRow(row.key, {
				pid: row.pid,
				goid: row.goid,
				...this.#grown(row),
				growths: row.rounded("growths", "total"),
				allocated: row.rounded("bytes", "total"),
				iterating: this.#iterating(row),
				startFn: row.startFn,
				createdBy: row.createdBy,
			}),
		);
	}

	#processes(): Row[] {
		const { view, targets, ended } = this.#source;
		const none = new StatRow();
		const rows = targets.map((target) => {
			const { pid } = target;
			const row = view.rows.process(pid) ?? none;
			const tiers = measuredTiers([target]);
			return newRow(`${pid}`, {
				pid,
				...this.#grown(row),
				growRate: tiers.includes("growth") ? this.#rate(row, "growths") : undefined,
				...(tiers.includes("work") ? { workRate: this.#rate(row, "work"), work: row.rounded("work", "ended") } : {}),
				growths: row.rounded("growths", "ended"),
				iterating: this.#iterating(row),
				processName: target.name,
				goVersion: `${target.go_version.replace(/^go/, "")} ${target.map_impl}`,
				ended: ended.has(pid),
			});
		});
		return rows.sort(
			(a, b) => Number(a.ended) - Number(b.ended) || b.growths - a.growths || (a.pid ?? 0) - (b.pid ?? 0),
		);
	}
}

/** Has additions in a window that has ended: one that is still open is not shown. */
function isCounted(row: StatRow): boolean {
	return row.figure("growths", "ended") > 0 || row.figure("work", "ended") > 0;
}

function compareFigures(a: StatRow, b: StatRow, span: Span): number {
	return b.figure("growths", span) - a.figure("growths", span) || b.figure("work", span) - a.figure("work", span);
}

function compareSites(a: SiteStats, b: SiteStats): number {
	return (
		Number(b.isRecent) - Number(a.isRecent) ||
		compareFigures(a, b, a.isRecent ? "recent" : "ended") ||
		compareSiteNames(a.site, b.site)
	);
}

function compareTypes(a: TypeStats, b: TypeStats): number {
	return compareFigures(a, b, "ended") || compareText(a.map_type, b.map_type);
}

function compareGoroutines(a: GoroutineStats, b: GoroutineStats): number {
	const span = "total";
	return (
		b.figure("growths", span) - a.figure("growths", span) ||
		b.figure("bytes", span) - a.figure("bytes", span) ||
		a.goid - b.goid ||
		a.pid - b.pid
	);
}

function siteOf({ fn, file, line }: Readonly<MapRow>): NonNullable<Row["site"]> {
	return { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

/** A copy that later growths do not change. */
export function stillRow(row: Row): Row {
	if (row.detail === undefined) return row;
	const { newest, durations } = row.detail;
	return { ...row, detail: { newest, durations: durations?.clone() } };
}

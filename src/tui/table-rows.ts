/** Makes the rows of the five tables from what has been added up. */

import type { MapState } from "../gomap/map-state.ts";
import { OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import { amountOf, type Figure, inProportion } from "../records/figure.ts";
import type { Ledger, MapRow, TargetRecord } from "../records/records.ts";
import type { HeapMaps } from "../report/heap-maps.ts";
import { measuredTiers } from "../report/measured.ts";
import { allGrowthsRecorded } from "../report/summary.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import type { GoroutineStats, SiteStats } from "../stats/named-rows.ts";
import { compareMapRows, compareSiteNames, siteKey } from "../stats/rows.ts";
import { type Span, StatRow } from "../stats/stat-row.ts";
import { targetName } from "../text/container-text.ts";
import { perSecond } from "../text/units.ts";
import { heapRows } from "./heap-rows.ts";
import { JoinedRow } from "./joined-row.ts";
import { newRow, type Row, TABLES, type TableName } from "./rows.ts";

export interface TableSource {
	view: AggregateView;
	ledger: Ledger;
	/** All processes that were ever observed. */
	targets: readonly TargetRecord[];
	/** PIDs of those that have ended. */
	ended: ReadonlySet<number>;
	/** What is known of the heaps of processes; absent: nothing is looked for. */
	heaps?: readonly HeapMaps[] | undefined;
}

/** The tables of one window. Rows are made when a table is first looked at, and stay as they are then. */
export class Tables {
	readonly #source: TableSource;
	readonly #rows = new Map<TableName, readonly Row[]>();
	readonly #work: boolean;
	/** Each growth is a record. */
	readonly #complete: boolean;
	#still = false;

	constructor(source: TableSource) {
		this.#source = source;
		this.#work = measuredTiers(source.targets).includes("work");
		this.#complete = allGrowthsRecorded(source.view.total, source.ledger);
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
			case "heap":
				return heapRows(this.#source.heaps ?? []);
		}
	}

	/** What is known of the growths that were recorded. */
	#details({ newest, durations }: Pick<StatRow, "newest" | "durations">): Partial<Row> {
		if (newest === undefined) return {};
		return { maxNs: durations?.maxNs, lastNs: newest.elapsed_ns, detail: { newest, durations } };
	}

	/** What rows of many maps show of their growths. */
	#grown(row: JoinedRow): Partial<Row> {
		const { recentNs } = this.#source.view;
		return {
			growRate: row.rate("growths", recentNs),
			movedRate: row.copiedRate(recentNs),
			moved: row.copied(),
			timeNs: row.timeNs(),
			...this.#details(row),
		};
	}

	/** Of a single map or goroutine what was seen: at least that, where not each growth is a record. */
	#seen(amount: number): Figure {
		return this.#complete ? amount : { at_least: amount };
	}

	#seenGrowths(row: StatRow): Partial<Row> {
		if (row.newest === undefined) return {};
		const moved = row.figure("withMoved", "total") > 0;
		return {
			growRate: this.#seen(perSecond(row.figure("growths", "recent"), this.#source.view.recentNs)),
			moved: moved ? this.#seen(row.rounded("moved", "total")) : undefined,
			timeNs: row.durations === undefined ? undefined : this.#seen(row.rounded("time", "total")),
			...this.#details(row),
		};
	}

	#working(row: JoinedRow): Partial<Row> {
		if (!this.#work) return {};
		return { workRate: row.rate("work", this.#source.view.recentNs), work: row.read("work") };
	}

	/** What a row shows of its sums in windows that have ended. */
	#summed(row: JoinedRow): Partial<Row> {
		const grown = row.figure("growths", "ended") > 0;
		const told = !grown || row.figure("withBytes", "total") > 0;
		return {
			growths: row.read("growths"),
			allocated: told ? row.read("bytes") : undefined,
			maxSlots: grown ? row.figure("slots", "ended") : undefined,
		};
	}

	/** With --iter what was seen, otherwise what the flag of classic maps says. */
	#iterating(row: { overlaps: number }, flagged?: Figure): Figure | undefined {
		return this.#source.ledger.iteration === undefined ? flagged : row.overlaps;
	}

	/** Where maps grow now comes first, then where they grew. The same place of several processes is one row. */
	#sites(): Row[] {
		const { sampling, sites } = this.#source.view.rows;
		const places = new Map<string, { site: SiteStats["site"]; row: JoinedRow; largest: MapState | undefined }>();
		for (const stats of sites.filter(isCounted)) {
			const { pid, ...site } = stats.site;
			const key = siteKey(site, site.map_type);
			const known = places.get(key);
			const largest = stats.largest?.state;
			if (known === undefined) {
				places.set(key, { site, row: new JoinedRow(sampling, stats, pid), largest });
				continue;
			}
			known.row.add(stats, pid);
			if ((largest?.slots ?? -1) > (known.largest?.slots ?? -1)) known.largest = largest;
		}
		return [...places]
			.sort(([, a], [, b]) => compareRecent(a.row, b.row) || compareSiteNames(a.site, b.site))
			.map(([key, { site, row, largest }]) => ({ ...this.#site(key, site, row), now: largest }));
	}

	#site(key: string, site: SiteStats["site"], row: JoinedRow): Row {
		const rest = site.fn === OTHER;
		const grown = row.figure("growths", "ended") > 0;
		const growths = row.read("growths");
		const flagged =
			growths !== undefined && row.figure("withIterating", "ended") > 0
				? inProportion(Math.round(row.figure("iterating", "ended")), growths)
				: undefined;
		return newRow(key, {
			rest,
			...(rest || !grown ? {} : this.#grown(row)),
			growRate: row.rate("growths", this.#source.view.recentNs),
			...this.#working(row),
			// A place that only moves entries: the growth was elsewhere.
			...(grown || rest ? {} : { movedRate: 0, moved: 0 }),
			...this.#summed(row),
			iterating: grown ? this.#iterating(row, flagged) : undefined,
			mapType: site.map_type,
			site,
		});
	}

	#types(): Row[] {
		const { sampling, types } = this.#source.view.rows;
		const names = new Map<string, JoinedRow>();
		for (const stats of types.filter(isCounted)) {
			const { map_type, pid } = stats;
			const known = names.get(map_type);
			if (known === undefined) names.set(map_type, new JoinedRow(sampling, stats, pid));
			else known.add(stats, pid);
		}
		return [...names]
			.sort(([nameA, a], [nameB, b]) => compareFigures(a, b, "ended") || compareText(nameA, nameB))
			.map(([map_type, row]) => {
				const rest = map_type === OTHER;
				return newRow(map_type, {
					rest,
					growRate: row.rate("growths", this.#source.view.recentNs),
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
				...this.#seenGrowths(row),
				growths: this.#seen(map.growths),
				allocated: this.#seen(map.bytes),
				slotsFirst: map.slots_first,
				slotsLast: map.slots_last,
				entries: map.count,
				now: row.state,
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
				...this.#seenGrowths(row),
				growths: this.#seen(row.rounded("growths", "total")),
				allocated: this.#seen(row.rounded("bytes", "total")),
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
			const row = new JoinedRow(view.rows.sampling, view.rows.process(pid) ?? none, pid);
			const tiers = measuredTiers([target]);
			return newRow(`${pid}`, {
				pid,
				...this.#grown(row),
				growRate: tiers.includes("growth") ? row.rate("growths", view.recentNs) : undefined,
				...(tiers.includes("work") ? this.#working(row) : {}),
				growths: row.read("growths"),
				iterating: this.#iterating(row),
				processName: targetName(target),
				goVersion: `${target.go_version.replace(/^go/, "")} ${target.map_impl}`,
				ended: ended.has(pid),
			});
		});
		return rows.sort(
			(a, b) =>
				Number(a.ended) - Number(b.ended) || amountOf(b.growths) - amountOf(a.growths) || (a.pid ?? 0) - (b.pid ?? 0),
		);
	}
}

/** Has additions in a window that has ended: one that is still open is not shown. */
function isCounted(row: StatRow): boolean {
	return row.figure("growths", "ended") > 0 || row.figure("work", "ended") > 0;
}

function compareFigures(a: JoinedRow, b: JoinedRow, span: Span): number {
	return b.figure("growths", span) - a.figure("growths", span) || b.figure("work", span) - a.figure("work", span);
}

function compareRecent(a: JoinedRow, b: JoinedRow): number {
	return Number(b.isRecent) - Number(a.isRecent) || compareFigures(a, b, a.isRecent ? "recent" : "ended");
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

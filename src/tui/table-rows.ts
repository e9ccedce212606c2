/** Makes the rows of the five tables from what has been added up. */

import type { Ledger, SiteRow, TargetRecord } from "../records/records.ts";
import { bytesMeasured, measuredTiers } from "../report/measured.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { copyDetail, goroutineKey, mapKey, type RowDetail, type RowDetails } from "../stats/row-statistics.ts";
import { OTHER, siteKey } from "../stats/rows.ts";
import { perSecond } from "../text/units.ts";
import { newRow, type Row, TABLES, type TableName } from "./rows.ts";

export interface TableSource {
	view: AggregateView;
	details: RowDetails;
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
	#grown(detail: RowDetail | undefined): Partial<Row> {
		if (detail === undefined) return {};
		const { durations, newest, withMoved } = detail;
		const moved = withMoved > 0 || detail.growths === 0;
		return {
			growRate: perSecond(detail.recentGrowths, this.#source.details.recentNs),
			movedRate: moved ? perSecond(detail.recentMoved, this.#source.details.recentNs) : undefined,
			moved: moved ? detail.moved : undefined,
			timeNs: durations.count > 0 ? durations.sumNs : undefined,
			maxNs: durations.count > 0 ? durations.maxNs : undefined,
			lastNs: newest.elapsed_ns,
			detail,
		};
	}

	/** With --iter what was seen, otherwise what the flag of classic maps says. */
	#iterating(detail: RowDetail | undefined, flagged: number | undefined): number | undefined {
		return this.#source.ledger.iteration === undefined ? flagged : (detail?.overlaps ?? 0);
	}

	/** Where maps grow now comes first, then where they grew. */
	#sites(): Row[] {
		const { view, details } = this.#source;
		const totals = new Map(view.total.sites.map((row) => [siteKey(row, row.map_type), row]));
		const pairs: [string, SiteRow, SiteRow | undefined][] = view.recent.sites.map((recent) => {
			const key = siteKey(recent, recent.map_type);
			const total = totals.get(key) ?? recent;
			totals.delete(key);
			return [key, total, recent];
		});
		for (const [key, total] of totals) pairs.push([key, total, undefined]);
		const rate = (count: number | undefined) => perSecond(count ?? 0, view.recent.interval_ns);
		return pairs.map(([key, total, recent]) => {
			const rest = total.fn === OTHER;
			// What a window that is still open has added is not in the sums.
			const detail = rest || total.growths === 0 ? undefined : details.get("site", key);
			return newRow(key, {
				rest,
				...this.#grown(detail),
				growRate: rate(recent?.growths),
				...(this.#work ? { workRate: rate(recent?.work), work: total.work } : {}),
				// A place that only moves entries: the growth was elsewhere.
				...(total.growths === 0 && !rest ? { movedRate: 0, moved: 0 } : {}),
				growths: total.growths,
				allocated: bytesMeasured(view.total) ? total.bytes : undefined,
				maxSlots: total.growths > 0 ? total.max_capacity : undefined,
				iterating: total.growths > 0 ? this.#iterating(detail, total.iterating) : undefined,
				mapType: total.map_type,
				site: total,
			});
		});
	}

	#types(): Row[] {
		const { view, details } = this.#source;
		const work = new Map<string, number>();
		for (const site of view.recent.sites) work.set(site.map_type, (work.get(site.map_type) ?? 0) + site.work);
		return view.total.types.map((total) => {
			const { map_type } = total;
			const detail = map_type === OTHER ? undefined : details.get("type", map_type);
			return newRow(map_type, {
				rest: map_type === OTHER,
				growRate: 0,
				...this.#grown(detail),
				...(this.#work
					? { workRate: perSecond(work.get(map_type) ?? 0, view.recent.interval_ns), work: total.work }
					: {}),
				growths: total.growths,
				allocated: bytesMeasured(view.total) ? total.bytes : undefined,
				maxSlots: total.growths > 0 ? total.max_capacity : undefined,
				iterating: this.#iterating(detail, undefined),
				mapType: map_type,
			});
		});
	}

	#maps(): Row[] {
		const { details } = this.#source;
		return details.maps().map((map) => {
			const key = mapKey(map);
			const detail = details.get("map", key);
			return newRow(key, {
				pid: map.pid,
				...this.#grown(detail),
				growths: map.growths,
				allocated: map.bytes,
				slotsFirst: map.slots_first,
				slotsLast: map.slots_last,
				entries: map.count,
				iterating: this.#iterating(detail, undefined),
				mapType: map.map_type,
				site: map,
			});
		});
	}

	#goroutines(): Row[] {
		const { details } = this.#source;
		return details.goroutines().map((goroutine) => {
			const key = goroutineKey(goroutine);
			const detail = details.get("goroutine", key);
			return newRow(key, {
				pid: goroutine.pid,
				goid: goroutine.goid,
				...this.#grown(detail),
				growths: goroutine.growths,
				allocated: goroutine.bytes,
				iterating: this.#iterating(detail, undefined),
				startFn: goroutine.start_fn,
				createdBy: goroutine.created_by,
			});
		});
	}

	#processes(): Row[] {
		const { view, details, targets, ended } = this.#source;
		const totals = new Map(view.total.targets.map((row) => [row.pid, row]));
		const recent = new Map(view.recent.targets.map((row) => [row.pid, row]));
		const rows = targets.map((target) => {
			const { pid } = target;
			const detail = details.get("process", `${pid}`);
			const tiers = measuredTiers([target]);
			const rate = (count: number | undefined) => perSecond(count ?? 0, view.recent.interval_ns);
			return newRow(`${pid}`, {
				pid,
				...this.#grown(detail),
				growRate: tiers.includes("growth") ? rate(recent.get(pid)?.growths) : undefined,
				...(tiers.includes("work") ? { workRate: rate(recent.get(pid)?.work), work: totals.get(pid)?.work ?? 0 } : {}),
				growths: totals.get(pid)?.growths ?? 0,
				iterating: this.#iterating(detail, undefined),
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

/** A copy that later growths do not change. */
export function stillRow(row: Row): Row {
	return row.detail === undefined ? row : { ...row, detail: copyDetail(row.detail) };
}

/** The series of one target: all processes of one name in one container, as long as there is one of them. */
import { callSite } from "../gomap/call-site.ts";
import { OTHER } from "../lib/bounded-table.ts";
import type { ContainerRecord } from "../records/parts.ts";
import type { GrowthRecord, SiteRow } from "../records/records.ts";
import { shortFile } from "../text/go-names.ts";
import { DurationHistogram } from "./duration-histogram.ts";
import type { Labels } from "./family.ts";
import { SiteSeries } from "./site-series.ts";

const KINDS = new Set(["double", "same-size", "small-to-table", "table-double", "split"]);
const CAUSES = new Set(["load", "overflow", "tombstones"]);
export const OTHER_SERIES = "other";

/** Series that a site has: growths by kind and cause (three of them are usual), bytes, copied and capacity. */
const SERIES_PER_SITE = 6;

/** Room for series, of all targets together. */
export interface Room {
	/** False when there is none for so many. */
	reserve: (series: number) => boolean;
	/** Something has no series of its own. */
	dropped: () => void;
}

interface Place {
	fn: string;
	file?: string;
	line?: number;
}

/** Function, file and line: no path, which differs between machines that built the same program. */
function siteName({ fn, file, line }: Place): string {
	const place = file === undefined ? "" : ` ${shortFile(file)}${line === undefined ? "" : `:${line}`}`;
	return `${fn === "" ? "unknown" : fn}${place}`;
}

export class TargetSeries {
	readonly labels: Labels;
	readonly durations = new DurationHistogram();
	readonly #sites = new Map<string, SiteSeries>();
	readonly #maxSites: number;
	readonly #room: Room;
	#other: SiteSeries | undefined;
	readonly pids = new Set<number>();
	goVersion = "";
	/** Milliseconds. */
	readonly sinceMs: number;
	/** Milliseconds; undefined while a process runs. */
	endedMs: number | undefined;

	constructor(labels: Labels, maxSites: number, room: Room, sinceMs: number) {
		this.sinceMs = sinceMs;
		this.labels = labels;
		this.#maxSites = maxSites;
		this.#room = room;
	}

	addRecord(record: GrowthRecord): void {
		const { map_type, stack, duration_ns, weight = 1, kind, cause } = record;
		const series = this.#site(callSite(stack) ?? { fn: "" }, map_type);
		series.addRecord(record, KINDS.has(kind) && CAUSES.has(cause));
		if (duration_ns !== undefined) this.durations.add(duration_ns, weight);
	}

	addRow(row: SiteRow): void {
		const series = this.#site(row, row.map_type);
		series.addRow(row);
	}

	#site(place: Place, mapType: string): SiteSeries {
		const isRest = place.fn === OTHER;
		const site = isRest ? OTHER_SERIES : siteName(place);
		const key = `${site}\n${mapType}`;
		const known = isRest ? undefined : this.#sites.get(key);
		if (known !== undefined) return known;
		if (isRest || this.#sites.size >= this.#maxSites || !this.#room.reserve(SERIES_PER_SITE)) {
			if (!isRest) this.#room.dropped();
			this.#other ??= new SiteSeries({ site: OTHER_SERIES, map_type: OTHER_SERIES });
			return this.#other;
		}
		const made = new SiteSeries({ site, map_type: mapType });
		this.#sites.set(key, made);
		return made;
	}

	/** Series that have been reserved. */
	get reserved(): number {
		return this.#sites.size * SERIES_PER_SITE;
	}

	sites(): SiteSeries[] {
		return [...this.#sites.values(), ...(this.#other === undefined ? [] : [this.#other])];
	}
}

/** Labels of a target; the other names are absent outside of containers. */
export function targetLabels(
	name: string,
	container: Pick<ContainerRecord, "name" | "pod" | "namespace"> | undefined,
): Labels {
	return {
		target: name,
		...(container?.namespace === undefined ? {} : { namespace: container.namespace }),
		...(container?.pod === undefined ? {} : { pod: container.pod }),
		...(container?.name === undefined ? {} : { container: container.name }),
	};
}

/**
 * Counters over a year of targets that come and go. A target's series stay for ten minutes after its last process has ended; as long as
 * one lives its counters never go back and none is folded away. What comes when there is no room goes to `other` and is counted.
 */

import { TIERS } from "../records/ledger.ts";
import type {
	GomapgrowRecord,
	Ledger,
	OverheadRow,
	StartRecord,
	TargetRecord,
	WindowRecord,
} from "../records/records.ts";
import type { Family, Labels, NumberPoint } from "./family.ts";
import { OTHER_SERIES, type Room, TargetSeries } from "./target-series.ts";

export interface GrowthMetricsOptions {
	/** Sites of one target, and series of all. */
	maxSites: number;
	maxSeries: number;
	labelsOf: (target: TargetRecord) => Labels;
}

/** How long the series of a target stay after its last process. */
export const KEPT_MS = 10 * 60_000;
/** Longer than any window: so long is known whose rows of an ended process are. */
const LAST_WINDOW_MS = 5 * 60_000;
/** Series of a target that has no site of its own. */
const SERIES_PER_TARGET = 30;

export class GrowthMetrics {
	readonly #options: GrowthMetricsOptions;
	readonly #targets = new Map<string, TargetSeries>();
	readonly #byPid = new Map<number, TargetSeries>();
	/** When processes ended, in milliseconds: the window that counted their last growths is still to come then. */
	readonly #endedPids = new Map<number, number>();
	readonly #overhead = new Map<number, OverheadRow>();
	#series = 0;
	#dropped = 0;
	#start: StartRecord | undefined;
	#ledger: Ledger | undefined;

	constructor(options: GrowthMetricsOptions) {
		this.#options = options;
	}

	/** Processes that are observed now. */
	get pids(): readonly number[] {
		return this.processes.map(({ pid }) => pid);
	}

	/** The same with the labels of their targets. */
	get processes(): { pid: number; labels: Labels }[] {
		return [...this.#byPid].flatMap(([pid, { pids, labels }]) => (pids.has(pid) ? [{ pid, labels }] : []));
	}

	/** `nowMs`: any clock that goes forward. */
	add(record: GomapgrowRecord, nowMs: number): void {
		switch (record.type) {
			case "start":
				this.#start = record;
				break;
			case "target":
				this.#addTarget(record, nowMs);
				break;
			case "growth":
				this.#byPid.get(record.pid)?.addRecord(record);
				break;
			case "exit":
				this.ended([record.pid], nowMs);
				break;
			case "window":
				this.#addWindow(record, nowMs);
				break;
			case "end":
				this.#ledger = record.ledger;
		}
	}

	#room: Room = {
		reserve: (series) => {
			if (this.#series + series > this.#options.maxSeries) return false;
			this.#series += series;
			return true;
		},
		dropped: () => {
			this.#dropped++;
		},
	};

	/** A process that executes another program now leaves its target. */
	#addTarget(record: TargetRecord, nowMs: number): void {
		const labels = this.#options.labelsOf(record);
		this.ended([record.pid], nowMs);
		this.#endedPids.delete(record.pid);
		const series = this.#targetOf(labels, nowMs);
		series.goVersion = record.go_version;
		series.pids.add(record.pid);
		series.endedMs = undefined;
		this.#byPid.set(record.pid, series);
	}

	#targetOf(labels: Labels, nowMs: number): TargetSeries {
		const key = JSON.stringify(labels);
		const known = this.#targets.get(key);
		if (known !== undefined) return known;
		const { maxSites } = this.#options;
		if (!this.#room.reserve(SERIES_PER_TARGET)) {
			this.#room.dropped();
			const rest = this.#targets.get(OTHER_SERIES) ?? new TargetSeries({ target: OTHER_SERIES }, 0, this.#room, nowMs);
			this.#targets.set(OTHER_SERIES, rest);
			return rest;
		}
		const made = new TargetSeries(labels, maxSites, this.#room, nowMs);
		this.#targets.set(key, made);
		return made;
	}

	/** Processes have ended: what their last window counted is still to come. */
	ended(pids: Iterable<number>, nowMs: number): void {
		for (const pid of pids) {
			this.#overhead.delete(pid);
			const target = this.#byPid.get(pid);
			if (target === undefined || !target.pids.delete(pid)) continue;
			this.#endedPids.set(pid, nowMs);
			if (target.pids.size === 0) target.endedMs = nowMs;
		}
	}

	/** Removes what ended ten minutes ago. */
	expire(nowMs: number): void {
		for (const [pid, endedMs] of this.#endedPids) {
			if (nowMs - endedMs < LAST_WINDOW_MS) continue;
			this.#endedPids.delete(pid);
			this.#byPid.delete(pid);
		}
		for (const [key, target] of this.#targets) {
			if (!this.#isOver(target, nowMs)) continue;
			this.#targets.delete(key);
			if (key !== OTHER_SERIES) this.#series -= SERIES_PER_TARGET + target.reserved;
		}
	}

	#isOver({ endedMs }: TargetSeries, nowMs: number): boolean {
		return endedMs !== undefined && nowMs - endedMs >= KEPT_MS;
	}

	#addWindow({ sites, ledger, overhead = [] }: WindowRecord, nowMs: number): void {
		this.#ledger = ledger;
		// Older recordings do not say of which process a row is: with one target there is no doubt.
		const only = this.#targets.size === 1 ? [...this.#targets.values()][0] : undefined;
		for (const row of sites) {
			const target =
				row.pid === undefined ? (only ?? this.#targetOf({ target: OTHER_SERIES }, nowMs)) : this.#byPid.get(row.pid);
			target?.addRow(row);
		}
		for (const row of overhead) this.#overhead.set(row.pid, row);
	}

	families(): Family[] {
		const targets = [...this.#targets.values()];
		const sites = targets.flatMap((target) =>
			target.sites().map((site) => ({ target, site, labels: { ...target.labels, ...site.labels } })),
		);
		const per = (value: (site: (typeof sites)[number]["site"]) => number): NumberPoint[] =>
			sites.map(({ labels, site, target: { sinceMs } }) => ({ labels, value: value(site), sinceMs }));
		const growths = sites.flatMap(({ labels, site, target: { sinceMs } }) =>
			site
				.combinations()
				.map(({ kind, cause, growths: value }) => ({ labels: { ...labels, kind, cause }, value, sinceMs })),
		);
		const durations = targets.flatMap(({ labels, sinceMs, durations: histogram }) => {
			const point = histogram.point(labels);
			return point === undefined ? [] : [{ ...point, sinceMs }];
		});
		return [
			{ name: "gomapgrow_growths", type: "counter", help: "Growths of Go maps.", points: growths },
			{
				...{ name: "gomapgrow_growth_allocated_bytes", type: "counter", unit: "bytes" },
				help: "Bytes of the bucket arrays and groups that growths allocate.",
				points: per(({ bytes }) => bytes),
			},
			{
				...{ name: "gomapgrow_growth_copied_bytes", type: "counter", unit: "bytes" },
				help: "Bytes of the entries that recorded growths copy.",
				points: per(({ copied }) => copied),
			},
			{
				...{ name: "gomapgrow_map_capacity_max", type: "gauge" },
				help: "Slots of the largest thing that grew: a map, or one table of it.",
				points: per(({ maxCapacity }) => maxCapacity),
			},
			{
				...{ name: "gomapgrow_growth_duration_seconds", type: "histogram", unit: "seconds" },
				help: "Elapsed time from entering a growth function to leaving it, of growths that were recorded and timed.",
				points: durations,
			},
			{ name: "gomapgrow_hits", type: "counter", help: "Probe hits by what became of them.", points: this.#hits() },
			{
				...{ name: "gomapgrow_target_overhead_ratio", type: "gauge", unit: "ratio" },
				help: "Processor time that probing costs the processes of a target, per second.",
				points: targets.flatMap((target) => this.#overheadOf(target)),
			},
			{
				...{ name: "gomapgrow_target", type: "info", help: "Observed targets." },
				points: targets.map(({ labels, goVersion }) => ({ labels: { ...labels, go_version: goVersion }, value: 1 })),
			},
			...this.#own(targets),
		];
	}

	#own(targets: readonly TargetSeries[]): Family[] {
		const build = { version: this.#start?.version ?? "unknown", kernel: this.#start?.kernel ?? "unknown" };
		const alive = targets.filter(({ endedMs }) => endedMs === undefined).length;
		return [
			{
				name: "gomapgrow_build",
				type: "info",
				help: "The version that observes.",
				points: [{ labels: build, value: 1 }],
			},
			{
				name: "gomapgrow_targets",
				type: "gauge",
				help: "Targets that run.",
				points: [{ labels: {}, value: alive }],
			},
			{
				...{ name: "gomapgrow_series_dropped", type: "counter" },
				help: "Times that a target, or the growths and rows of a call site, had no series of their own and went to other.",
				points: [{ labels: {}, value: this.#dropped }],
			},
		];
	}

	#hits(): NumberPoint[] {
		const ledger = this.#ledger;
		if (ledger === undefined) return [];
		return TIERS.flatMap((tier) => {
			const of = ledger[tier];
			if (of === undefined) return [];
			return (["recorded", "sampled_out", "throttled", "lost"] as const).map((outcome) => ({
				labels: { tier, outcome },
				value: of[outcome],
			}));
		});
	}

	#overheadOf(target: TargetSeries): NumberPoint[] {
		const costs = [...target.pids].flatMap((pid) => this.#overhead.get(pid)?.cost_ns_per_second ?? []);
		if (costs.length === 0) return [];
		return [{ labels: target.labels, value: costs.reduce((sum, cost) => sum + cost, 0) / 1e9 }];
	}
}

/** The lines that make maps, as recordings have them: rows of processes put together by release, line and type. */
import type { MapKind } from "../gomap/map-life.ts";
import type { MapRelease } from "../gomap/sizing.ts";
import { amountOf, isExact } from "../records/figure.ts";
import type { MadeAt, MakeRow } from "../records/makes.ts";
import type { GrowthRecord, TargetRecord } from "../records/records.ts";

/** [value, how many], ascending. */
export type Counts = readonly (readonly [value: number, count: number])[];

/** Maps of one site whose header is in the same kind of place: one row of a recording. */
export interface MakePart {
	kind: MapKind;
	/** Maps that were seen being made; what follows counts these. */
	seen: number;
	/** Maps made for each that was seen: more than 1 where makes were watched in windows. */
	scale: number;
	/** Makes were watched in windows: growths outside of them are not seen. */
	sampled: boolean;
	hints: Counts;
	sizes: Counts;
	unknown: number;
	grew: number;
	/** By slots of what grew, without same-size growths. */
	growths: Counts;
	/** Same-size growths (classic), by slots. */
	sameSize: Counts;
}

/** One line and type. */
export interface MakeSite {
	at: MadeAt;
	mapType: string;
	clone: boolean;
	/** Path of the main module, where it is known. */
	mainModule: string | undefined;
	/** Processes that it was seen in. */
	pids: ReadonlySet<number>;
	parts: readonly MakePart[];
	growsAt: readonly { fn: string; file?: string; line?: number; growths: number }[];
	/** Whether `made` is known from windows only. */
	sampled: boolean;
}

/** Same-size growths by slots: rows do not tell them from others, growth records do. */
export type Churn = Map<number, number>;

/** Names a line and type of a process. */
export function siteKey(pid: number, at: MadeAt, mapType: string | undefined): string {
	return `${pid}\0${placeKey(at)}\0${mapType ?? ""}`;
}

/** A line of the source, inlined copies together: the file and line where they are known. */
function placeKey({ fn, file, line }: MadeAt): string {
	return file === undefined || line === undefined ? fn : `${file}\0${line}`;
}

/** Adds a growth record. `most`: lines and types that are kept. */
export function addChurn(churn: Map<string, Churn>, record: GrowthRecord, most: number): void {
	if (record.made_at === undefined || record.kind !== "same-size") return;
	const key = siteKey(record.pid, record.made_at, record.map_type);
	let bySlots = churn.get(key);
	if (bySlots === undefined) {
		if (churn.size >= most) return;
		bySlots = new Map();
		churn.set(key, bySlots);
	}
	bySlots.set(record.capacity_before, (bySlots.get(record.capacity_before) ?? 0) + (record.weight ?? 1));
}

const VERSION = /^(?:.*\s)?go1\.(\d{1,4})/;

/** Undefined for a version that is none. */
function releaseOf({ go_version, map_impl }: TargetRecord): MapRelease | undefined {
	const minor = VERSION.exec(go_version)?.[1];
	return minor === undefined ? undefined : { impl: map_impl, minor: Number(minor) };
}

/** Rows that cannot be weighed, by reason. */
export interface LeftOut {
	/** No type: nothing of the line grew. */
	untyped: number;
	/** No release: the recording lacks the process. */
	unknownProcess: number;
}

/** Puts rows of one recording together. */
export function makeSites(
	rows: readonly MakeRow[],
	targets: readonly TargetRecord[],
	churn: ReadonlyMap<string, Churn>,
): { sites: MakeSite[]; leftOut: LeftOut } {
	const byPid = new Map(targets.map((target) => [target.pid, target]));
	const sites = new Map<string, Draft>();
	const leftOut: LeftOut = { untyped: 0, unknownProcess: 0 };
	for (const row of rows) {
		const target = byPid.get(row.pid);
		const release = target && releaseOf(target);
		const { map_type, storage_bytes, has_pointers } = row;
		if (map_type === undefined || storage_bytes === undefined || has_pointers === undefined) leftOut.untyped++;
		else if (target === undefined || release === undefined) leftOut.unknownProcess++;
		else {
			const key = [release.impl, release.minor, placeKey(row.made_at), map_type, row.clone === true].join("\0");
			const draft = sites.get(key) ?? newDraft(row, map_type, target.module);
			sites.set(key, draft);
			const storage = { bytes: storage_bytes, pointers: has_pointers };
			const seen = churn.get(siteKey(row.pid, row.made_at, map_type));
			addRow(draft, row, { release, storage, onStack: row.on === "stack" }, seen);
		}
	}
	return { sites: [...sites.values()], leftOut };
}

interface Draft extends MakeSite {
	pids: Set<number>;
	parts: MakePart[];
	growsAt: { fn: string; file?: string; line?: number; growths: number }[];
}

function newDraft(row: MakeRow, mapType: string, mainModule: string | undefined): Draft {
	return {
		...{ at: row.made_at, mapType, clone: row.clone === true, mainModule, pids: new Set(), parts: [], growsAt: [] },
		sampled: false,
	};
}

function addRow(draft: Draft, row: MakeRow, kind: MapKind, churn: Churn | undefined): void {
	draft.pids.add(row.pid);
	draft.sampled ||= !isExact(row.made);
	const tallied = (pairs: readonly (readonly number[])[]): Counts =>
		pairs.flatMap(([value, count]) => (value === undefined || count === undefined ? [] : [[value, count] as const]));
	const sameSize = churn === undefined ? [] : [...churn].sort(([a], [b]) => a - b);
	draft.parts.push({
		...{ kind, seen: row.seen, scale: row.seen === 0 ? 1 : Math.max(1, (amountOf(row.made) ?? row.seen) / row.seen) },
		...{ hints: tallied(row.hints), sizes: tallied(row.sizes), unknown: row.unknown, grew: row.grew },
		sampled: !isExact(row.made),
		growths: without(tallied(row.growth_classes), sameSize),
		sameSize,
	});
	for (const place of row.grows_at) {
		const known = draft.growsAt.find((each) => placeKey(each) === placeKey(place));
		if (known === undefined) draft.growsAt.push({ ...place });
		else known.growths += place.growths;
	}
	draft.growsAt.sort((a, b) => b.growths - a.growths);
}

function without(counts: Counts, others: Counts): Counts {
	return counts.map(([value, count]): readonly [number, number] => {
		const other = others.find(([each]) => each === value)?.[1] ?? 0;
		return [value, Math.max(0, count - other)];
	});
}

/**
 * What maps processes hold, read now and then: a leak is seen on a dashboard. Each reading is a process of its own (`gomapgrow maps`),
 * with a share of a processor and a time, so that nothing that it meets holds up the observation or the answers.
 */
import type { Family, Labels, NumberPoint } from "../metrics/family.ts";

export interface CensusTarget {
	pid: number;
	labels: Labels;
}

export interface MapCensusOptions {
	everyMs: number;
	targets: () => readonly CensusTarget[];
	/** The JSON object of `gomapgrow maps PID --by holder --json`; undefined: it could not be read. */
	read: (pid: number) => Promise<string | undefined>;
}

export interface HeldMaps {
	map_type: string;
	holder: string;
	maps: number;
	bytes: number;
	entries: number;
}

/** Types and holders of a process, the largest first. */
export const MOST_GROUPS = 50;

interface Group {
	type: string;
	holder?: { path?: unknown };
	maps: number;
	bytes: number;
	entries: number;
}

function isGroup(value: unknown): value is Group {
	if (typeof value !== "object" || value === null) return false;
	const { type, maps, bytes, entries } = value as Partial<Record<keyof Group, unknown>>;
	return typeof type === "string" && [maps, bytes, entries].every((count) => Number.isSafeInteger(count));
}

/** Undefined for anything but the answer of `maps --by holder --json`. */
export function parseHeldMaps(text: string): HeldMaps[] | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	const groups = typeof value === "object" && value !== null ? (value as { groups?: unknown }).groups : undefined;
	if (!Array.isArray(groups)) return undefined;
	return groups
		.filter(isGroup)
		.slice(0, MOST_GROUPS)
		.map(({ type, holder, maps, bytes, entries }) => ({
			...{ map_type: type, holder: typeof holder?.path === "string" ? holder.path : "unknown" },
			...{ maps, bytes, entries },
		}));
}

export class MapCensus {
	readonly #options: MapCensusOptions;
	readonly #held = new Map<number, { labels: Labels; held: HeldMaps[] }>();
	readonly #outcomes = { read: 0, failed: 0 };
	#timer: NodeJS.Timeout | undefined;
	#reading = false;
	#stopped = false;

	constructor(options: MapCensusOptions) {
		this.#options = options;
	}

	start(): void {
		this.#timer = setInterval(() => void this.round(), this.#options.everyMs);
	}

	stop(): void {
		this.#stopped = true;
		clearInterval(this.#timer);
	}

	/** Reads one process after the other; a round that comes while one is under way is left out. */
	async round(): Promise<void> {
		if (this.#reading) return;
		this.#reading = true;
		try {
			for (const { pid, labels } of this.#options.targets()) {
				if (this.#stopped) return;
				const text = await this.#options.read(pid);
				const held = text === undefined ? undefined : parseHeldMaps(text);
				if (held !== undefined) this.#held.set(pid, { labels, held });
				this.#outcomes[held === undefined ? "failed" : "read"]++;
			}
		} finally {
			this.#reading = false;
		}
	}

	/** Of the processes that run, those of one target added up. */
	families(): Family[] {
		const alive = new Set(this.#options.targets().map(({ pid }) => pid));
		const sums = new Map<string, { labels: Labels; maps: number; bytes: number; entries: number }>();
		for (const [pid, { labels, held }] of this.#held) {
			if (!alive.has(pid)) {
				this.#held.delete(pid);
				continue;
			}
			for (const { map_type, holder, maps, bytes, entries } of held) {
				const all = { ...labels, map_type, holder };
				const key = JSON.stringify(all);
				const sum = sums.get(key) ?? { labels: all, maps: 0, bytes: 0, entries: 0 };
				sums.set(key, sum);
				sum.maps += maps;
				sum.bytes += bytes;
				sum.entries += entries;
			}
		}
		const of = (field: "maps" | "bytes" | "entries"): NumberPoint[] =>
			Array.from(sums.values(), (sum) => ({ labels: sum.labels, value: sum[field] }));
		return [
			{ name: "gomapgrow_maps", type: "gauge", help: "Maps in the heap, by type and holder.", points: of("maps") },
			{
				...{ name: "gomapgrow_maps_bytes", type: "gauge", unit: "bytes", help: "Bytes that these maps hold." },
				points: of("bytes"),
			},
			{ name: "gomapgrow_maps_entries", type: "gauge", help: "Entries of these maps.", points: of("entries") },
			{
				...{ name: "gomapgrow_censuses", type: "counter", help: "Readings of all maps of a process." },
				points: Object.entries(this.#outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
			},
		];
	}
}

/** Reads the counters of the kernel programs. They only ever grow: a difference of two readings is what happened in between. */
import { GomapgrowError } from "../errors/error.ts";
import { errnoName } from "./errno.ts";
import { type Libbpf, libbpf, possibleCpus } from "./libbpf.ts";
import { MapTable } from "./map-table.ts";
import { BUCKETS, GOROUTINE, LATENCY_KEY, LATENCY_ROW, ROW, ROW_KEY, readU64, SITE_COUNTS, SLOTS } from "./wire.ts";

/** struct gmg_site_counts, summed over the CPUs. */
export type SiteCounts = Record<Exclude<keyof typeof SITE_COUNTS, "size">, number>;

const FIELDS = (Object.keys(SITE_COUNTS) as (keyof typeof SITE_COUNTS)[]).filter((name) => name !== "size");

export function noCounts(): SiteCounts {
	return Object.fromEntries(FIELDS.map((name) => [name, 0])) as SiteCounts;
}

/** Reads the counters of single sites. */
export class SiteCounters {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #cpus: number;
	readonly #key = new Uint32Array(new ArrayBuffer(4));
	readonly #values: Uint8Array;
	readonly #view: DataView;

	constructor(fd: number) {
		this.#fd = fd;
		this.#cpus = possibleCpus(this.#lib);
		this.#values = new Uint8Array(new ArrayBuffer(this.#cpus * SITE_COUNTS.size));
		this.#view = new DataView(this.#values.buffer);
	}

	/** Throws E-HOST-BPF. */
	read(site: number): SiteCounts {
		this.#key[0] = site;
		const code = this.#lib.bpf_map_lookup_elem(this.#fd, this.#key, this.#values);
		if (code !== 0)
			throw new GomapgrowError("E-HOST-BPF", { wanted: "to read the counters of a site", found: errnoName(code) });
		const sum = noCounts();
		for (let cpu = 0; cpu < this.#cpus; cpu++) {
			for (const name of FIELDS) sum[name] += readU64(this.#view, cpu * SITE_COUNTS.size + SITE_COUNTS[name]);
		}
		return sum;
	}
}

/** What calls of one function are counted by. */
export interface CallKey {
	/** Site of the function's entry. */
	site: number;
	tgid: number;
	/** Run-time address. */
	mapType: number;
	/** Return address into the first function outside the map code; 0: it could not be read. */
	caller: number;
	/** SHAPE bits of a growth; otherwise 0. */
	shape: number;
}

/** Sums over the calls of a row. */
export interface CallSums {
	calls: number;
	/** Growths: entries that they copy. */
	entries: number;
	/** Calls whose end was seen, and how long they took. */
	timed: number;
	elapsedNs: number;
	/** Of those: calls whose processor time is known, and that. */
	onCpu: number;
	cpuNs: number;
}

export type CallRow = CallKey & CallSums;

const SUMS = ["calls", "entries", "timed", "elapsedNs", "onCpu", "cpuNs"] as const;

/** The table of calls by function, process, type, call site and shape. */
export class CallCounters {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the call counters",
			keyBytes: ROW_KEY.size,
			valueBytes: ROW.size,
			perCpu: true,
		});
	}

	*rows(): Generator<CallRow> {
		for (const { key, value } of this.#table.rows()) {
			const row: CallRow = {
				site: key.getUint32(ROW_KEY.site, true),
				tgid: key.getUint32(ROW_KEY.tgid, true),
				mapType: readU64(key, ROW_KEY.mapType),
				caller: readU64(key, ROW_KEY.caller),
				shape: key.getUint32(ROW_KEY.shape, true),
				...{ calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 },
			};
			for (let at = 0; at < value.byteLength; at += ROW.size) {
				for (const name of SUMS) row[name] += readU64(value, at + ROW[name]);
			}
			yield row;
		}
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		this.#table.remove((key) => sites.has(key.getUint32(ROW_KEY.site, true)));
	}
}

export interface LatencyCounts {
	/** Site of the function's entry. */
	site: number;
	/** 0: types beyond the size of the table. */
	mapType: number;
	sumNs: number;
	maxNs: number;
	/** By BUCKETS of wire.ts. */
	buckets: Float64Array;
}

/** The (function, type) table of durations. */
export class LatencyCounters {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the durations",
			keyBytes: LATENCY_KEY.size,
			valueBytes: LATENCY_ROW.size,
			perCpu: false,
		});
	}

	*rows(): Generator<LatencyCounts> {
		for (const { key, value } of this.#table.rows()) {
			const row: LatencyCounts = {
				site: key.getUint32(LATENCY_KEY.site, true),
				mapType: readU64(key, LATENCY_KEY.mapType),
				sumNs: readU64(value, LATENCY_ROW.sumNs),
				maxNs: readU64(value, LATENCY_ROW.maxNs),
				buckets: new Float64Array(BUCKETS),
			};
			for (let i = 0; i < BUCKETS; i++) row.buckets[i] = readU64(value, LATENCY_ROW.buckets + 8 * i);
			yield row;
		}
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		this.#table.remove((key) => sites.has(key.getUint32(LATENCY_KEY.site, true)));
	}
}

/** The calls that goroutines are in. */
export class GoroutineTable {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the calls under way",
			keyBytes: GOROUTINE.keySize,
			valueBytes: GOROUTINE.size,
			perCpu: false,
		});
	}

	/** How many calls have begun and not ended. */
	callsUnderWay(): number {
		let calls = 0;
		for (const { value } of this.#table.rows()) calls += callsIn(value);
		return calls;
	}

	/** Forgets what the calibration has left: what it passes off as goroutines of this process. */
	forgetOwn(): void {
		this.forget(new Set([process.pid]));
	}

	/** Forgets the goroutines of these processes; returns how many calls they were in. */
	forget(tgids: ReadonlySet<number>): number {
		let calls = 0;
		this.#table.remove((key, value) => {
			const unwanted = tgids.has(readU64(key, 8));
			if (unwanted) calls += callsIn(value);
			return unwanted;
		});
		return calls;
	}
}

function callsIn(value: DataView): number {
	let calls = 0;
	for (let slot = 0; slot < SLOTS; slot++) {
		if (readU64(value, slot * GOROUTINE.callSize + GOROUTINE.begunNs) !== 0) calls++;
	}
	return calls;
}

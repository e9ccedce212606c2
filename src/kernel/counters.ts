/** Reads the counters of the kernel programs. They only ever grow: a difference of two readings is what happened in between. */
import { GomapgrowError } from "../errors/error.ts";
import { errnoName } from "./errno.ts";
import { type Libbpf, libbpf, possibleCpus } from "./libbpf.ts";
import { MapTable } from "./map-table.ts";
import {
	BUCKETS,
	GOROUTINE,
	LATENCY_KEY,
	LATENCY_ROW,
	readU64,
	SITE_COUNTS,
	SLOTS,
	WORK_KEY,
	WORK_ROW,
} from "./wire.ts";

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

export interface WorkRow {
	site: number;
	tgid: number;
	mapType: number;
	caller: number;
	calls: number;
}

/** The (site, process, type, caller) table of the work tier. */
export class WorkCounters {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the work counters",
			keyBytes: WORK_KEY.size,
			valueBytes: WORK_ROW.size,
			perCpu: true,
		});
	}

	*rows(): Generator<WorkRow> {
		for (const { key, value } of this.#table.rows()) {
			let calls = 0;
			for (let at = 0; at < value.byteLength; at += WORK_ROW.size) {
				calls += readU64(value, at + WORK_ROW.calls);
			}
			yield {
				site: key.getUint32(WORK_KEY.site, true),
				tgid: key.getUint32(WORK_KEY.tgid, true),
				mapType: readU64(key, WORK_KEY.mapType),
				caller: readU64(key, WORK_KEY.caller),
				calls,
			};
		}
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		this.#table.remove((key) => sites.has(key.getUint32(WORK_KEY.site, true)));
	}
}

export interface LatencyCounts {
	/** Site of the function's entry. */
	site: number;
	/** 0: types beyond the size of the table. */
	mapType: number;
	sumNs: number;
	maxNs: number;
	/** Bucket 0: below 64 ns; n: from 2^(n+5) to below 2^(n+6) ns; the last one has no upper end. */
	buckets: number[];
}

/** The (function, type) table of durations. */
export class LatencyCounters {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the durations",
			keyBytes: LATENCY_KEY.size,
			valueBytes: LATENCY_ROW.size,
			perCpu: true,
		});
	}

	*rows(): Generator<LatencyCounts> {
		for (const { key, value } of this.#table.rows()) {
			const row: LatencyCounts = {
				site: key.getUint32(LATENCY_KEY.site, true),
				mapType: readU64(key, LATENCY_KEY.mapType),
				sumNs: 0,
				maxNs: 0,
				buckets: new Array<number>(BUCKETS).fill(0),
			};
			for (let at = 0; at < value.byteLength; at += LATENCY_ROW.size) {
				row.sumNs += readU64(value, at + LATENCY_ROW.sumNs);
				row.maxNs = Math.max(row.maxNs, readU64(value, at + LATENCY_ROW.maxNs));
				for (let i = 0; i < BUCKETS; i++) {
					row.buckets[i] = (row.buckets[i] ?? 0) + readU64(value, at + LATENCY_ROW.buckets + 8 * i);
				}
			}
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

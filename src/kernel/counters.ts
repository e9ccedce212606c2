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

/** Where something stands in words of 32 bits. */
const word = (bytes: number): number => bytes / 4;

/** A u64 in two words, as `readU64`. */
function u64(words: Uint32Array, at: number): number {
	return (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32;
}

/** The table of calls by function, process, type, call site and shape. It can have ten thousands of rows, and is read many times a second: nothing is made for a row. */
export class CallCounters {
	readonly #table: MapTable;
	/** The row that is looked at. */
	readonly #row: CallRow = {
		...{ site: 0, tgid: 0, mapType: 0, caller: 0, shape: 0 },
		...{ calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 },
	};

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the call counters",
			keyBytes: ROW_KEY.size,
			valueBytes: ROW.size,
			perCpu: true,
		});
	}

	/** Calls `visit` with all rows of what is `wanted`. A row is valid only during the call. */
	read(wanted: (site: number, shape: number) => boolean, visit: (row: Readonly<CallRow>) => void): void {
		const { keyWords } = this.#table;
		for (const count of this.#table.batches()) {
			for (let i = 0; i < count; i++) {
				const at = i * word(ROW_KEY.size);
				const site = keyWords[at + word(ROW_KEY.site)] ?? 0;
				const shape = keyWords[at + word(ROW_KEY.shape)] ?? 0;
				if (wanted(site, shape)) visit(this.#fill(i, site, shape));
			}
		}
	}

	#fill(i: number, site: number, shape: number): CallRow {
		const { keyWords, valueWords, copies } = this.#table;
		const row = this.#row;
		const key = i * word(ROW_KEY.size);
		row.site = site;
		row.tgid = keyWords[key + word(ROW_KEY.tgid)] ?? 0;
		row.mapType = u64(keyWords, key + word(ROW_KEY.mapType));
		row.caller = u64(keyWords, key + word(ROW_KEY.caller));
		row.shape = shape;
		row.calls = 0;
		row.entries = 0;
		row.timed = 0;
		row.elapsedNs = 0;
		row.onCpu = 0;
		row.cpuNs = 0;
		for (let cpu = 0; cpu < copies; cpu++) {
			const at = (i * copies + cpu) * word(ROW.size);
			row.calls += u64(valueWords, at + word(ROW.calls));
			row.entries += u64(valueWords, at + word(ROW.entries));
			row.timed += u64(valueWords, at + word(ROW.timed));
			row.elapsedNs += u64(valueWords, at + word(ROW.elapsedNs));
			row.onCpu += u64(valueWords, at + word(ROW.onCpu));
			row.cpuNs += u64(valueWords, at + word(ROW.cpuNs));
		}
		return row;
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

/** Reads the counters of the kernel programs. They only ever grow: a difference of two readings is what happened in between. */
import { GomapgrowError } from "../errors/error.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf, possibleCpus } from "./libbpf.ts";
import { MapTable } from "./map-table.ts";
import { BUCKETS, GOROUTINE, LATENCY_KEY, LATENCY_ROW, ROW, ROW_KEY, readU64, SITE_COUNTS, SLOTS } from "./wire.ts";

/** struct gmg_site_counts, summed over the CPUs. */
export type SiteCounts = Record<Exclude<keyof typeof SITE_COUNTS, "size">, number>;

const FIELDS = (Object.keys(SITE_COUNTS) as (keyof typeof SITE_COUNTS)[]).filter((name) => name !== "size");

export function noCounts(): SiteCounts {
	return Object.fromEntries(FIELDS.map((name) => [name, 0])) as SiteCounts;
}

/** Values that have been read already are kept of so many runs of sites. */
const MAX_RUNS = 4096;

/** What a run of sites had counted when it was read last. */
interface Run {
	hash: number | bigint;
	counts: readonly Readonly<SiteCounts>[];
}

/** Reads the counters of sites. */
export class SiteCounters {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #cpus: number;
	readonly #previous = new Uint32Array(new ArrayBuffer(4));
	readonly #last = new Uint32Array(new ArrayBuffer(4));
	readonly #count = new Uint32Array(new ArrayBuffer(4));
	#keys = new Uint32Array(new ArrayBuffer(4));
	#values = new Uint8Array(new ArrayBuffer(0));
	#words = new Uint32Array(this.#values.buffer);
	/** The kernel gives several at once (Linux 5.13). */
	#batches = true;
	readonly #runs = new Map<string, Run>();

	constructor(fd: number) {
		this.#fd = fd;
		this.#cpus = possibleCpus(this.#lib);
	}

	/** Throws E-HOST-BPF. */
	read(site: number): SiteCounts {
		this.#reserve(1);
		this.#readOne(site, this.#values);
		return this.#sum(0);
	}

	#reserve(sites: number): void {
		const bytes = sites * this.#cpus * SITE_COUNTS.size;
		if (this.#values.length >= bytes) return;
		this.#keys = new Uint32Array(new ArrayBuffer(4 * sites));
		this.#values = new Uint8Array(new ArrayBuffer(bytes));
		this.#words = new Uint32Array(this.#values.buffer);
	}

	#readOne(site: number, values: Uint8Array): void {
		this.#previous[0] = site;
		const code = this.#lib.bpf_map_lookup_elem(this.#fd, this.#previous, values);
		if (code === 0) return;
		throw new GomapgrowError("E-HOST-BPF", { wanted: "to read the counters of a site", found: errnoName(code) });
	}

	/** Of sites with consecutive numbers, in one call where the kernel has one for it. Values: do not change them. Throws E-HOST-BPF. */
	readRun(first: number, count: number): readonly Readonly<SiteCounts>[] {
		if (count === 0) return [];
		this.#reserve(count);
		const bytes = this.#cpus * SITE_COUNTS.size;
		if (!this.#batches || !this.#readBatch(first, count)) {
			for (let at = 0; at < count; at++) this.#readOne(first + at, this.#values.subarray(at * bytes, (at + 1) * bytes));
		}
		// Mostly nothing has changed, and adding up costs more than seeing that.
		const hash = Bun.hash(this.#values.subarray(0, count * bytes));
		const key = `${first}:${count}`;
		const known = this.#runs.get(key);
		if (known?.hash === hash) return known.counts;
		const counts = Array.from({ length: count }, (_, at) => this.#sum(at));
		if (this.#runs.size >= MAX_RUNS) this.#runs.clear();
		this.#runs.set(key, { hash, counts });
		return counts;
	}

	/** Returns false, once, where that fails: reading them one by one tells why. */
	#readBatch(first: number, count: number): boolean {
		this.#previous[0] = first - 1;
		this.#count[0] = count;
		const from = first === 0 ? null : this.#previous;
		const code = this.#lib.bpf_map_lookup_batch(
			...([this.#fd, from, this.#last, this.#keys, this.#values, this.#count, null] as const),
		);
		// The end of the table may be in it.
		if ((code === 0 || code === -ERRNO.ENOENT) && this.#count[0] === count) return true;
		this.#batches = false;
		return false;
	}

	/** Over the CPUs, of the site at this place of what was read. */
	#sum(at: number): SiteCounts {
		const sum = noCounts();
		const words = this.#words;
		for (let cpu = 0; cpu < this.#cpus; cpu++) {
			const base = (at * this.#cpus + cpu) * SITE_COUNTS.size;
			for (const name of FIELDS) {
				const word = (base + SITE_COUNTS[name]) / 4;
				sum[name] += (words[word] ?? 0) + (words[word + 1] ?? 0) * 2 ** 32;
			}
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
	tgid: number;
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
				tgid: key.getUint32(LATENCY_KEY.tgid, true),
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

/** A call that has begun and not ended. */
export interface CallUnderWay {
	tgid: number;
	/** Of its function (gomap/functions.ts, slotOf). */
	slot: number;
	/** Monotonic clock. */
	begunNs: number;
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

	/** Those that have begun and not ended. */
	*callsUnderWay(): Generator<CallUnderWay> {
		for (const { key, value } of this.#table.rows()) yield* callsIn(key, value);
	}

	/** Forgets what the calibration has left: what it passes off as goroutines of this process. */
	forgetOwn(): void {
		this.forget(new Set([process.pid]));
	}

	/** Forgets the goroutines of these processes; returns the calls that they were in. */
	forget(tgids: ReadonlySet<number>): CallUnderWay[] {
		const calls: CallUnderWay[] = [];
		this.#table.remove((key, value) => {
			const unwanted = tgids.has(readU64(key, 8));
			if (unwanted) calls.push(...callsIn(key, value));
			return unwanted;
		});
		return calls;
	}
}

function* callsIn(key: DataView, value: DataView): Generator<CallUnderWay> {
	for (let slot = 0; slot < SLOTS; slot++) {
		const begunNs = readU64(value, slot * GOROUTINE.callSize + GOROUTINE.begunNs);
		if (begunNs !== 0) yield { tgid: readU64(key, 8), slot, begunNs };
	}
}

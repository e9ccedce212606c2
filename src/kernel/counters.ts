/** Reads the per-CPU counters of the BPF program. They only ever grow: a difference of two readings is what happened in between. */
import { GomapgrowError } from "../errors/error.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf } from "./libbpf.ts";
import { readU64, SITE_COUNTS, WORK_KEY } from "./wire.ts";

export interface SiteCounts {
	hits: number;
	diverted: number;
	lost: number;
	fault: number;
}

export interface WorkRow {
	site: number;
	tgid: number;
	mapType: number;
	caller: number;
	hits: number;
}

function failed(what: string, code: number): GomapgrowError {
	return new GomapgrowError("E-HOST-BPF", { wanted: `to read ${what}`, found: errnoName(code) });
}

/** Reads `struct gmg_site_counts` of single sites, summed over the CPUs. */
export class SiteCounters {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #cpus: number;
	readonly #key = new Uint32Array(new ArrayBuffer(4));
	readonly #values: Uint8Array;
	readonly #view: DataView;

	constructor(fd: number) {
		this.#fd = fd;
		this.#cpus = this.#lib.libbpf_num_possible_cpus();
		this.#values = new Uint8Array(new ArrayBuffer(this.#cpus * SITE_COUNTS.size));
		this.#view = new DataView(this.#values.buffer);
	}

	read(site: number): SiteCounts {
		this.#key[0] = site;
		const code = this.#lib.bpf_map_lookup_elem(this.#fd, this.#key, this.#values);
		if (code !== 0) throw failed("the counters of a site", code);
		const sum: SiteCounts = { hits: 0, diverted: 0, lost: 0, fault: 0 };
		for (let cpu = 0; cpu < this.#cpus; cpu++) {
			const at = cpu * SITE_COUNTS.size;
			sum.hits += readU64(this.#view, at + SITE_COUNTS.hits);
			sum.diverted += readU64(this.#view, at + SITE_COUNTS.diverted);
			sum.lost += readU64(this.#view, at + SITE_COUNTS.lost);
			sum.fault += readU64(this.#view, at + SITE_COUNTS.fault);
		}
		return sum;
	}
}

const BATCH = 512;

/** Reads all rows of the (site, process, type, caller) table. */
export class WorkCounters {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #cpus: number;
	readonly #keys = new Uint8Array(new ArrayBuffer(BATCH * WORK_KEY.size));
	readonly #values: Uint8Array;
	readonly #count = new Uint32Array(new ArrayBuffer(4));
	// An opaque position of the kernel's, at most a key long.
	readonly #position = new Uint8Array(new ArrayBuffer(WORK_KEY.size));
	readonly #next = new Uint8Array(new ArrayBuffer(WORK_KEY.size));

	constructor(fd: number) {
		this.#fd = fd;
		this.#cpus = this.#lib.libbpf_num_possible_cpus();
		this.#values = new Uint8Array(new ArrayBuffer(BATCH * this.#cpus * 8));
	}

	*rows(): Generator<WorkRow> {
		const keys = new DataView(this.#keys.buffer);
		const values = new DataView(this.#values.buffer);
		for (let first = true, last = false; !last; first = false) {
			this.#count[0] = BATCH;
			const from = first ? null : this.#position;
			const code = this.#lib.bpf_map_lookup_batch(
				this.#fd,
				from,
				this.#next,
				this.#keys,
				this.#values,
				this.#count,
				null,
			);
			if (code !== 0 && code !== -ERRNO.ENOENT) throw failed("the work counters", code);
			last = code === -ERRNO.ENOENT;
			this.#position.set(this.#next);
			const count = this.#count[0] ?? 0;
			for (let i = 0; i < count; i++) {
				const key = i * WORK_KEY.size;
				let hits = 0;
				for (let cpu = 0; cpu < this.#cpus; cpu++) hits += readU64(values, (i * this.#cpus + cpu) * 8);
				yield {
					site: keys.getUint32(key + WORK_KEY.site, true),
					tgid: keys.getUint32(key + WORK_KEY.tgid, true),
					mapType: readU64(keys, key + WORK_KEY.mapType),
					caller: readU64(keys, key + WORK_KEY.caller),
					hits,
				};
			}
		}
	}
}

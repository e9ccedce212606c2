/** Maps of BPF programs in memory, behind the functions of libbpf with which the tool reads them (tools/lib/bpf/bpf.c, kernel/bpf/hashtab.c). */
import { ERRNO } from "../../../src/kernel/errno.ts";

interface FakeMap {
	keyBytes: number;
	valueBytes: number;
	perCpu: boolean;
	/** Rows of an array, which are always there; undefined: it is a hash map. */
	entries: number | undefined;
	/** Key in hex -> values, one for each CPU or one. */
	rows: Map<string, Uint8Array[]>;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export class FakeBpf {
	readonly cpus: number;
	readonly #maps = new Map<number, FakeMap>();
	/** Number of calls of each function. */
	readonly calls = { lookup: 0, batch: 0, delete: 0 };
	/** Makes every function fail with this errno. */
	failure = 0;
	/** Rows that the kernel gives at most at once; hash maps are given bucket by bucket. */
	bucketRows = 3;

	constructor(cpus = 3) {
		this.cpus = cpus;
	}

	create(fd: number, keyBytes: number, valueBytes: number, perCpu: boolean, entries?: number): number {
		this.#maps.set(fd, { keyBytes, valueBytes, perCpu, entries, rows: new Map() });
		return fd;
	}

	#map(fd: number): FakeMap {
		const map = this.#maps.get(fd);
		if (map === undefined) throw new Error(`no map ${fd}`);
		return map;
	}

	/** Changes the value that a CPU has in a row, which is made of zeros when there is none. */
	change(fd: number, key: Uint8Array, cpu: number, write: (view: DataView) => void): void {
		const map = this.#map(fd);
		if (key.length !== map.keyBytes) throw new Error("another key");
		const copies = map.perCpu ? this.cpus : 1;
		const values = map.rows.get(hex(key)) ?? Array.from({ length: copies }, () => new Uint8Array(map.valueBytes));
		map.rows.set(hex(key), values);
		const value = values[map.perCpu ? cpu : 0];
		if (value === undefined) throw new Error("no such CPU");
		write(new DataView(value.buffer));
	}

	/** Rows of a map. */
	size(fd: number): number {
		return this.#map(fd).rows.size;
	}

	/** Kernels before 5.13 do not know this. */
	arrayBatches = true;

	/** From the row after `from` on (kernel/bpf/syscall.c, generic_map_lookup_batch). */
	#arrayBatch(
		{ rows, valueBytes, perCpu }: FakeMap,
		entries: number,
		from: Uint8Array | null,
		keys: ArrayBufferView,
		values: Uint8Array,
		count: Uint32Array,
	): number {
		if (!this.arrayBatches) return -ERRNO.ENOTSUPP;
		const room = count[0] ?? 0;
		const first = from === null ? 0 : 1 + new DataView(from.buffer, from.byteOffset).getUint32(0, true);
		const copies = perCpu ? this.cpus : 1;
		let given = 0;
		for (; given < room && first + given < entries; given++) {
			const key = new Uint8Array(Uint32Array.of(first + given).buffer);
			new Uint8Array(keys.buffer, keys.byteOffset).set(key, 4 * given);
			const value = rows.get(hex(key)) ?? Array.from({ length: copies }, () => new Uint8Array(valueBytes));
			for (const [copy, bytes] of value.entries()) values.set(bytes, (given * copies + copy) * valueBytes);
		}
		count[0] = given;
		return given < room ? -ERRNO.ENOENT : 0;
	}

	/** What src/kernel/libbpf.ts gives. */
	readonly symbols = {
		libbpf_num_possible_cpus: (): number => this.cpus,
		bpf_map_lookup_elem: (fd: number, key: Uint8Array, out: Uint8Array): number => {
			this.calls.lookup++;
			if (this.failure !== 0) return -this.failure;
			const map = this.#map(fd);
			const bytes = new Uint8Array(key.buffer, key.byteOffset, key.byteLength);
			const values = map.rows.get(hex(bytes)) ?? [new Uint8Array(map.valueBytes * (map.perCpu ? this.cpus : 1))];
			out.set(Buffer.concat(values));
			return 0;
		},
		bpf_map_delete_elem: (fd: number, key: Uint8Array): number => {
			this.calls.delete++;
			if (this.failure !== 0) return -this.failure;
			return this.#map(fd).rows.delete(hex(key)) ? 0 : -ERRNO.ENOENT;
		},
		bpf_map_lookup_batch: (
			fd: number,
			from: Uint8Array | null,
			next: Uint8Array,
			keys: Uint8Array,
			values: Uint8Array,
			count: Uint32Array,
		): number => {
			this.calls.batch++;
			if (this.failure !== 0) return -this.failure;
			const map = this.#map(fd);
			if (map.entries !== undefined) return this.#arrayBatch(map, map.entries, from, keys, values, count);
			const { rows, keyBytes } = map;
			// In the order in which they were made, so that a batch goes on where the one before ended.
			const all = [...rows];
			const room = count[0] ?? 0;
			let bucket = from === null ? 0 : new DataView(from.buffer, from.byteOffset).getUint32(0, true);
			let given = 0;
			let at = 0;
			for (;;) {
				const here = all.slice(bucket * this.bucketRows, (bucket + 1) * this.bucketRows);
				if (here.length === 0) break;
				if (given + here.length > room) {
					count[0] = given;
					new DataView(next.buffer, next.byteOffset).setUint32(0, bucket, true);
					return given === 0 ? -28 : 0;
				}
				for (const [key, copies] of here) {
					keys.set(Buffer.from(key, "hex"), given * keyBytes);
					for (const copy of copies) {
						values.set(copy, at);
						at += copy.length;
					}
					given++;
				}
				bucket++;
			}
			count[0] = given;
			return -ERRNO.ENOENT;
		},
	};
}

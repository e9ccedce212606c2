/** Reads and shortens the hash maps of the kernel programs. */
import { GomapgrowError } from "../errors/error.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { type Libbpf, libbpf, possibleCpus } from "./libbpf.ts";

const BATCH_BYTES = 256 << 10;

/** A row; the views are valid until the next one. Per-CPU values stand one after the other. */
export interface TableRow {
	key: DataView;
	value: DataView;
}

export interface TableLayout {
	/** For messages. */
	name: string;
	keyBytes: number;
	/** Of one value: a multiple of 8. */
	valueBytes: number;
	perCpu: boolean;
}

export class MapTable {
	readonly #lib: Libbpf = libbpf();
	readonly #fd: number;
	readonly #layout: TableLayout;
	/** Values in a row: one for each possible CPU, or one. */
	readonly copies: number;
	readonly #batch: number;
	readonly #keys: Uint8Array;
	readonly #values: Uint8Array;
	/** Keys and values of the latest batch, one row after the other, in the words of 32 bits that they are made of. */
	readonly keyWords: Uint32Array;
	readonly valueWords: Uint32Array;
	readonly #count = new Uint32Array(new ArrayBuffer(4));
	// An opaque position of the kernel's, at most a key long, and never shorter than four bytes.
	readonly #position: Uint8Array;
	readonly #next: Uint8Array;

	/** `fd`: the map. */
	constructor(fd: number, layout: TableLayout) {
		this.#fd = fd;
		this.#layout = layout;
		this.copies = layout.perCpu ? possibleCpus(this.#lib) : 1;
		const rowBytes = this.copies * layout.valueBytes;
		this.#batch = Math.max(64, Math.floor(BATCH_BYTES / (rowBytes + layout.keyBytes)));
		this.#keys = new Uint8Array(new ArrayBuffer(this.#batch * layout.keyBytes));
		this.#values = new Uint8Array(new ArrayBuffer(this.#batch * rowBytes));
		this.keyWords = new Uint32Array(this.#keys.buffer);
		this.valueWords = new Uint32Array(this.#values.buffer);
		this.#position = new Uint8Array(new ArrayBuffer(layout.keyBytes));
		this.#next = new Uint8Array(new ArrayBuffer(layout.keyBytes));
	}

	/** Reads all rows, batch by batch, and gives the number of rows in each. Throws E-HOST-BPF when the kernel does not give them. */
	*batches(): Generator<number> {
		const { name } = this.#layout;
		for (let first = true, last = false; !last; first = false) {
			this.#count[0] = this.#batch;
			const code = this.#lib.bpf_map_lookup_batch(
				this.#fd,
				first ? null : this.#position,
				this.#next,
				this.#keys,
				this.#values,
				this.#count,
				null,
			);
			if (code !== 0 && code !== -ERRNO.ENOENT) {
				throw new GomapgrowError("E-HOST-BPF", { wanted: `to read ${name}`, found: errnoName(code) });
			}
			last = code === -ERRNO.ENOENT;
			this.#position.set(this.#next);
			yield this.#count[0] ?? 0;
		}
	}

	/** All rows, for small tables: views cost more than what is in them. Throws as `batches`. */
	*rows(): Generator<TableRow> {
		const { keyBytes, valueBytes } = this.#layout;
		const rowBytes = this.copies * valueBytes;
		for (const count of this.batches()) {
			for (let i = 0; i < count; i++) {
				yield {
					key: new DataView(this.#keys.buffer, i * keyBytes, keyBytes),
					value: new DataView(this.#values.buffer, i * rowBytes, rowBytes),
				};
			}
		}
	}

	/** Deletes the rows that `unwanted` names; a row that is gone already is no error. */
	remove(unwanted: (key: DataView, value: DataView) => boolean): void {
		const keys: Uint8Array[] = [];
		for (const { key, value } of this.rows()) {
			if (!unwanted(key, value)) continue;
			const copy = new Uint8Array(new ArrayBuffer(key.byteLength));
			copy.set(new Uint8Array(key.buffer, key.byteOffset, key.byteLength));
			keys.push(copy);
		}
		for (const key of keys) {
			const code = this.#lib.bpf_map_delete_elem(this.#fd, key);
			if (code !== 0 && code !== -ERRNO.ENOENT) {
				throw new GomapgrowError("E-HOST-BPF", { wanted: `to shorten ${this.#layout.name}`, found: errnoName(code) });
			}
		}
	}
}

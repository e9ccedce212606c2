/** Names of map types by their run-time address, per target. */
import type { GoBinary } from "../../gobin/go-binary.ts";
import { BoundedTable } from "../../lib/bounded-table.ts";
import { sanitize } from "../../lib/sanitize.ts";

export interface MapTypeInfo {
	name: string;
	/** Bytes of one bucket (classic) or one group of eight slots (swiss). */
	storageBytes: number | undefined;
	/** Bytes of one entry. */
	slotBytes: number | undefined;
	/** Whether buckets or groups have pointers. */
	hasPointers: boolean | undefined;
	/** Bytes of a key and of an element as they are stored. */
	keyBytes?: number;
	elemBytes?: number;
}

/** A type that is not in the executable: made at run time (reflect.MapOf) or by a plugin. */
export const UNKNOWN_TYPE: MapTypeInfo = {
	name: "map[?]? (made at run time)",
	storageBytes: undefined,
	slotBytes: undefined,
	hasPointers: undefined,
};

/** The inlined copy of a function does not always tell the type. */
export const UNTOLD_TYPE: MapTypeInfo = { ...UNKNOWN_TYPE, name: "map[?]? (not known in an inlined copy)" };

const MAX_TYPES = 8192;

export class MapTypes {
	readonly #binary: GoBinary;
	readonly #cache = new BoundedTable<number, { info: MapTypeInfo | undefined }>(MAX_TYPES);

	readonly #named = new BoundedTable<string, MapTypeInfo>(MAX_TYPES);

	constructor(binary: GoBinary) {
		this.#binary = binary;
	}

	/** `address` as the process has it; `bias` is subtracted. Undefined for a type that is not in the executable. */
	at(address: number, bias: number): MapTypeInfo | undefined {
		const inFile = address - bias;
		const known = this.#cache.get(inFile);
		if (known !== undefined) return known.info;
		const type = this.#binary.mapTypeAt(inFile);
		const info = type && {
			name: sanitize(type.name),
			storageBytes: type.bucketBytes ?? type.groupBytes,
			...{ slotBytes: type.slotBytes, keyBytes: type.keyBytes, elemBytes: type.elemBytes },
			hasPointers: type.hasPointers,
		};
		this.#cache.set(inFile, { info });
		if (info !== undefined) this.#note(info);
		return info;
	}

	#note(info: MapTypeInfo): void {
		const known = this.#named.get(info.name);
		const same = known === undefined || known.storageBytes === info.storageBytes;
		this.#named.set(info.name, same ? info : { ...UNKNOWN_TYPE, name: info.name });
	}

	/** One that was looked up before. Packages of the same name can have types of the same name: of those the sizes are not known. */
	named(name: string): MapTypeInfo | undefined {
		return this.#named.get(name);
	}
}

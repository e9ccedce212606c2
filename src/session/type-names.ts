/** Names of map types by their run-time address, per target. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { sanitize } from "../model/sanitize.ts";

export interface MapTypeInfo {
	name: string;
	/** Bytes of one bucket (classic) or one group of eight slots (swiss). */
	storageBytes: number | undefined;
}

/** A type that is not in the executable: made at run time (reflect.MapOf) or by a plugin. */
export const UNKNOWN_TYPE: MapTypeInfo = { name: "map[?]? (made at run time)", storageBytes: undefined };

const MAX_TYPES = 8192;

export class MapTypes {
	readonly #binary: GoBinary;
	readonly #cache = new Map<number, MapTypeInfo | undefined>();

	constructor(binary: GoBinary) {
		this.#binary = binary;
	}

	/** `address` as the process has it; `bias` is subtracted. Undefined for a type that is not in the executable. */
	at(address: number, bias: number): MapTypeInfo | undefined {
		const inFile = address - bias;
		if (this.#cache.has(inFile)) return this.#cache.get(inFile);
		const type = this.#binary.mapTypeAt(inFile);
		const info = type && { name: sanitize(type.name), storageBytes: type.bucketBytes ?? type.groupBytes };
		if (this.#cache.size >= MAX_TYPES) this.#cache.clear();
		this.#cache.set(inFile, info);
		return info;
	}
}

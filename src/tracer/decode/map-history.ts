/** Tells the maps of the observed processes apart and numbers the growths of each. */
import { BoundedTable } from "../../lib/bounded-table.ts";
import { NumberTable } from "../../lib/number-table.ts";

/**
 * Maps that are remembered; those that have not grown for longest are forgotten, and begin anew when they grow again.
 */
const MAX_MAPS = 65_536;
/** This part of them is forgotten at once: the oldest ones are not searched for every new map. */
const FORGOTTEN_SHARE = 0.2;
const MAX_TYPES = 16_384;

/** The halves of the seed, the process image and the type; growths, slots after the last one, and when that was. */
const KEY_LENGTH = 4;
const GROWTHS = 0;
const CAPACITY = 1;
const USED = 2;

/** What of a growth tells whether it continues the chain. */
export interface ChainLink {
	/** The process image that the map is in (Target.image). */
	image: number;
	/**
	 * Hash seed, "0x" and up to 16 digits: it stays when a header on a goroutine's stack moves, and changes when the map
	 * is cleared (not in Go 1.15).
	 */
	seed: string;
	mapType: string;
	/** Slots of the whole map, or undefined when they are only those of one table. */
	wholeBefore: number | undefined;
	wholeAfter: number | undefined;
	/** A map that has no table yet: nothing can have come before. */
	first: boolean;
}

export class MapChains {
	readonly #maps = new NumberTable(KEY_LENGTH, USED + 1);
	/** Numbers of types: one that has been forgotten comes back with another one. */
	readonly #types = new BoundedTable<string, number>(MAX_TYPES);
	#lastType = 0;
	#clock = 0;

	/**
	 * Which growth of its map this is, from 1 on. Classic seeds have 32 bits, so two maps of one type can share theirs: a
	 * growth that does not begin with the slots that the one before ended with belongs to another map, or to the same
	 * one after it was cleared.
	 */
	next({ image, seed, mapType, wholeBefore, wholeAfter, first }: ChainLink): number {
		const { key } = this.#maps;
		key[0] = Number.parseInt(seed.slice(-8), 16);
		key[1] = seed.length > 10 ? Number.parseInt(seed.slice(2, -8), 16) : 0;
		key[2] = image;
		key[3] = this.#types.getOrAdd(mapType, () => ++this.#lastType);
		const at = this.#maps.findOrAdd();
		const numbers = this.#maps.numbers;
		const known = numbers[at + GROWTHS] ?? 0;
		const continues = known > 0 && !first && (wholeBefore === undefined || numbers[at + CAPACITY] === wholeBefore);
		const growths = continues ? known + 1 : 1;
		numbers[at + GROWTHS] = growths;
		numbers[at + CAPACITY] = wholeAfter ?? 0;
		numbers[at + USED] = ++this.#clock;
		if (this.#maps.size > MAX_MAPS) this.#forgetOldest();
		return growths;
	}

	#forgetOldest(): void {
		const times = new Float64Array(this.#maps.size);
		const length = KEY_LENGTH + USED + 1;
		for (let i = 0; i < times.length; i++) times[i] = this.#maps.numbers[i * length + KEY_LENGTH + USED] ?? 0;
		times.sort();
		const last = times[Math.floor((times.length - 1) * FORGOTTEN_SHARE)] ?? 0;
		this.#maps.keep((at) => (this.#maps.numbers[at + KEY_LENGTH + USED] ?? 0) > last);
	}
}

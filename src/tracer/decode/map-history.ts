/** Tells the maps of the observed processes apart and numbers the growths of each. */
import { BoundedTable } from "../../lib/bounded-table.ts";

/**
 * Maps that are remembered; those that have not grown for longest are forgotten, and begin anew when they grow again.
 */
const MAX_MAPS = 65_536;

interface Chain {
	growths: number;
	/** Slots of a classic map after its last growth. */
	capacityAfter: number;
}

/** What of a growth tells whether it continues the chain. */
export interface ChainLink {
	/** The process image that the map is in (Target.image). */
	image: number;
	/** Hash seed: it stays when a header on a goroutine's stack moves, and changes when the map is cleared (not in Go 1.15). */
	seed: string;
	mapType: string;
	/** Slots of the whole map, or undefined when they are only those of one table. */
	wholeBefore: number | undefined;
	wholeAfter: number | undefined;
	/** A map that has no table yet: nothing can have come before. */
	first: boolean;
}

export class MapChains {
	readonly #chains = new BoundedTable<string, Chain>(MAX_MAPS);

	/**
	 * Which growth of its map this is, from 1 on. Classic seeds have 32 bits, so two maps of one type can share theirs: a growth that does not begin
	 * with the slots that the one before ended with belongs to another map, or to the same one after it was cleared.
	 */
	next(link: ChainLink): number {
		const key = `${link.image}:${link.seed}:${link.mapType}`;
		const known = this.#chains.get(key);
		const continues =
			known !== undefined &&
			!link.first &&
			(link.wholeBefore === undefined || known.capacityAfter === link.wholeBefore);
		const growths = continues ? known.growths + 1 : 1;
		this.#chains.set(key, { growths, capacityAfter: link.wholeAfter ?? 0 });
		return growths;
	}
}

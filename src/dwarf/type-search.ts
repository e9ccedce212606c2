import { AT, LANGUAGE_GO, TAG } from "./constants.ts";
import type { DwarfData } from "./dwarf-data.ts";
import { malformed } from "./malformed.ts";
import type { Unit } from "./unit.ts";

/** A type's name occurs a handful of times; a section full of it is made to cost memory. */
const MAX_OCCURRENCES = 65_536;

/** The unit of this package has the types of the whole program. */
const RUNTIME = "runtime";

/** Where the wanted names may be: offset -> name. */
type Occurrences = ReadonlyMap<number, string>;

/**
 * Finds the structures with these names in units of the Go language, as offsets of their DIEs.
 *
 * Go's linker puts all types into one unit of package runtime (cmd/link/internal/ld/dwarf.go, movetomodule), which is one
 * of a dozen with that name: they are searched first, and the others only when none of them has any of the names. The
 * bytes of the names are looked for before a unit is walked, which is far cheaper than walking it.
 */
export function findStructures(data: DwarfData, names: readonly string[]): Map<string, number> {
	const found = new Map<string, number>();
	const pooled = occurrences(data.section(".debug_str"), ".debug_str", 0, names);
	const others: Unit[] = [];
	for (const unit of data.units) {
		const root = unit.root();
		if (!root || root.number(AT.language) !== LANGUAGE_GO) continue;
		if (root.string(AT.name) === RUNTIME) searchUnit(unit, names, pooled, found);
		else others.push(unit);
		if (found.size > 0) return found;
	}
	for (const unit of others) {
		searchUnit(unit, names, pooled, found);
		if (found.size === names.length) break;
	}
	return found;
}

function searchUnit(unit: Unit, names: readonly string[], pooled: Occurrences, found: Map<string, number>): void {
	const { dieOffset, end } = unit.header;
	const inline = occurrences(unit.data.info.subarray(dieOffset, end), ".debug_info", dieOffset, names);
	if (inline.size === 0 && pooled.size === 0) return;
	const last = pooled.size > 0 ? end : [...inline.keys()].reduce((a, b) => Math.max(a, b));
	const die = unit.dies();
	while (die.next() && die.offset <= last) {
		if (die.tag !== TAG.structureType) continue;
		const place = die.stringPlace(AT.name);
		if (!place) continue;
		const name = (place.section === ".debug_info" ? inline : pooled).get(place.offset);
		if (name === undefined || found.has(name) || die.has(AT.declaration) || !die.has(AT.byteSize)) continue;
		found.set(name, die.offset);
		if (found.size === names.length) return;
	}
}

/**
 * Where `names`, each with its final NUL, occur in `bytes`, which start at `base` of their section. A hit may be the tail
 * of a longer name.
 */
function occurrences(bytes: Uint8Array, section: string, base: number, names: readonly string[]): Occurrences {
	const hits = new Map<number, string>();
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	for (const name of names) {
		const needle = Buffer.from(`${name}\0`, "utf8");
		for (let at = buffer.indexOf(needle); at >= 0; at = buffer.indexOf(needle, at + needle.length)) {
			if (hits.size >= MAX_OCCURRENCES) {
				throw malformed(`at most ${MAX_OCCURRENCES} uses of type names`, `more in ${section}`);
			}
			hits.set(base + at, name);
		}
	}
	return hits;
}

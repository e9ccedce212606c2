/** Which growth of its map a growth is. */
import { describe, expect, test } from "bun:test";
import { type ChainLink, MapChains } from "../../../../src/tracer/decode/map-history.ts";

function classic(before: number, after: number, fields: Partial<ChainLink> = {}): ChainLink {
	return {
		image: 10,
		seed: "0x9e3779b9",
		mapType: "map[int]int",
		wholeBefore: before,
		wholeAfter: after,
		first: false,
		...fields,
	};
}

function swiss(fields: Partial<ChainLink> = {}): ChainLink {
	return classic(0, 0, { wholeBefore: undefined, wholeAfter: undefined, seed: "0x123456789abcdef0", ...fields });
}

const numbered = (chains: MapChains, links: ChainLink[]): number[] => links.map((link) => chains.next(link));

describe("classic maps", () => {
	test("a chain of doublings, with one to the same size among them", () => {
		const links = [classic(8, 16), classic(16, 32), classic(32, 32), classic(32, 64), classic(64, 128)];
		expect(numbered(new MapChains(), links)).toEqual([1, 2, 3, 4, 5]);
	});

	test("the first that is seen is the first, however large the map is", () => {
		expect(numbered(new MapChains(), [classic(4096, 8192), classic(8192, 16_384)])).toEqual([1, 2]);
	});

	test("a growth that does not begin where the one before ended is of another map with the same seed", () => {
		const chains = new MapChains();
		expect(numbered(chains, [classic(8, 16), classic(16, 32), classic(8, 16), classic(16, 32)])).toEqual([1, 2, 1, 2]);
		// Larger, too: a map that was made with a hint.
		expect(numbered(chains, [classic(64, 128), classic(128, 256)])).toEqual([1, 2]);
	});

	test("processes, seeds and types are told apart", () => {
		const others: Partial<ChainLink>[] = [{}, { image: 11 }, { seed: "0x9e3779ba" }, { mapType: "map[int]bool" }];
		const chains = new MapChains();
		for (const [before, nth] of [
			[8, 1],
			[16, 2],
			[32, 3],
		] as const) {
			for (const other of others) expect(chains.next(classic(before, 2 * before, other))).toBe(nth);
		}
	});
});

describe("swiss maps", () => {
	test("tables grow on their own, so all growths of the seed are of the map", () => {
		expect(numbered(new MapChains(), [swiss({ first: true }), swiss(), swiss(), swiss()])).toEqual([1, 2, 3, 4]);
	});

	test("a map that has no table yet cannot have grown before", () => {
		const chains = new MapChains();
		const links = [swiss({ first: true }), swiss(), swiss({ first: true }), swiss()];
		expect(numbered(chains, links)).toEqual([1, 2, 1, 2]);
	});

	test("a map that was made with a hint begins with a table", () => {
		expect(numbered(new MapChains(), [swiss(), swiss()])).toEqual([1, 2]);
	});
});

describe("memory is bounded", () => {
	const MAX_MAPS = 65_536;
	const nth = (n: number): ChainLink => swiss({ seed: `0x${n.toString(16).padStart(16, "0")}` });

	test("the maps that have not grown for longest are forgotten first, no more than a fifth", () => {
		const chains = new MapChains();
		for (let n = 0; n < MAX_MAPS; n++) expect(chains.next(nth(n))).toBe(1);
		// The oldest one grows again, so the second is the oldest now, and goes with those behind it.
		expect(chains.next(nth(0))).toBe(2);
		expect(chains.next(nth(MAX_MAPS))).toBe(1);
		expect(chains.next(nth(0))).toBe(3);
		expect(chains.next(nth(1))).toBe(1);
		expect(chains.next(nth(Math.ceil(MAX_MAPS / 5) + 2))).toBe(2);
	});
});

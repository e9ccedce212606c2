/**
 * A census of a heap that exists only here: what is a map, what only looks like one, and what changes while it is
 * read.
 */
import { describe, expect, test } from "bun:test";
import { type Census, prepare, takeCensus } from "../../../src/census/census.ts";
import { MapLines, writeJson } from "../../../src/census/json.ts";
import { FLAG } from "../../../src/census/map-table.ts";
import { openProgram } from "../../../src/census/scan.ts";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { Prng } from "../../support/prng.ts";
import { BINARY, control, PretendedHeap } from "./pretended-heap.ts";

/**
 * A swiss map of one group of map[string]int: 8 slots of 24 bytes behind the control word, strings' pointers at
 * words 1, 4, 7, …
 */
function stringIntMap(heap: PretendedHeap, entries: number, found = entries): number {
	const pointers = Array.from({ length: 8 }, (_, slot) => 1 + slot * 3);
	const group = heap.allocate(208, [control(found)], pointers);
	return heap.allocate(48, [entries, 0x1234567, group, 0, 0, 0], [2]);
}

const census = (heap: PretendedHeap): Census => takeCensus(heap, prepare(openProgram(heap, BINARY, 0)), () => {});

function rowsOf({ table, typings }: Census): Map<number, { entries: number; text: string; flags: number }> {
	const rows = new Map<number, { entries: number; text: string; flags: number }>();
	for (let row = 0; row < table.count; row++) {
		const typing = typings.of(table, row);
		if (typing === undefined) continue;
		rows.set(table.float("address", row), {
			entries: table.word("entries", row),
			text: typing.text,
			flags: table.flags(row),
		});
	}
	return rows;
}

describe("a pretended heap", () => {
	test("has the maps that were put there, with type, entries and bytes", () => {
		const heap = new PretendedHeap();
		const [three, eight] = [stringIntMap(heap, 3), stringIntMap(heap, 8)];
		const found = census(heap);
		const rows = rowsOf(found);
		expect([...rows.keys()]).toEqual([three, eight]);
		expect(rows.get(three)?.entries).toBe(3);
		expect(rows.get(three)?.text).toContain("map[string]int");
		expect(found.table.word("bytes", 0)).toBe(48 + 208);
		expect(found.heapBytes).toBe(2 * 8192);
	});

	test("an object whose group holds another number of entries is no map", () => {
		const heap = new PretendedHeap();
		stringIntMap(heap, 3, 4);
		expect(rowsOf(census(heap)).size).toBe(0);
	});

	test("an object with other pointers than a map header is no map", () => {
		const heap = new PretendedHeap();
		const group = heap.allocate(208, [control(1)], [1, 4, 7, 10, 13, 16, 19, 22]);
		heap.allocate(48, [1, 7, group, 0, 0, 0], [1, 2]);
		expect(rowsOf(census(heap)).size).toBe(0);
	});

	test("a group with other pointers than any map's is none", () => {
		const heap = new PretendedHeap();
		const group = heap.allocate(208, [control(1)], [2]);
		heap.allocate(48, [1, 7, group, 0, 0, 0], [2]);
		expect(rowsOf(census(heap)).size).toBe(0);
	});

	test("a map that is written while it is read is read again", () => {
		const heap = new PretendedHeap();
		const map = stringIntMap(heap, 3, 4);
		const group = map;
		// The header lags behind its group until the sixth read.
		heap.beforeRead = (number) => {
			if (number > 12) heap.write(group, 4);
		};
		expect(rowsOf(census(heap)).get(map)?.entries).toBe(4);
	});

	test("a map that never holds still is said to be changing", () => {
		const heap = new PretendedHeap();
		const map = stringIntMap(heap, 3, 7);
		heap.beforeRead = (number) => heap.write(map, number % 6);
		expect((rowsOf(census(heap)).get(map)?.flags ?? 0) & FLAG.changing).toBe(FLAG.changing);
	});

	test("no byte of an element is in the output", () => {
		const heap = new PretendedHeap();
		const marker = 0x4b52414d4b52414dn;
		const group = heap.allocate(208, [control(1), marker, marker, marker], [1, 4, 7, 10, 13, 16, 19, 22]);
		heap.allocate(48, [1, 7, group, 0, 0, 0], [2]);
		const found = census(heap);
		const lines = new MapLines(found);
		let text = "";
		const head = { type: "maps" } as Parameters<typeof writeJson>[0];
		writeJson(
			head,
			"maps",
			[0],
			(row) => lines.line(row),
			(piece) => {
				text += piece;
				return true;
			},
			true,
		);
		expect(text).toContain('"entries":1');
		expect(text).not.toMatch(/4b52414d|KRAM|MARK/i);
	});
});

describe("damaged memory", () => {
	test("gives errors of ours or fewer maps, and comes to an end", () => {
		const random = new Prng(7);
		for (let round = 0; round < 60; round++) {
			const heap = new PretendedHeap();
			for (let i = 0; i < 20; i++) stringIntMap(heap, i % 9);
			const pieces = heap.pieces;
			for (let change = 0; change < 1 + round * 4; change++) {
				const piece = pieces[random.below(pieces.length)] ?? new Uint8Array(1);
				const at = random.below(piece.length);
				piece[at] = round % 3 === 0 ? 0xff : random.below(256);
			}
			try {
				expect(rowsOf(census(heap)).size).toBeLessThanOrEqual(200);
			} catch (error) {
				expect(error).toBeInstanceOf(GomapgrowError);
			}
		}
	});
});

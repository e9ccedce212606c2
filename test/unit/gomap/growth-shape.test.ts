/** What is counted by its shape is what the record of a growth says. */
import { describe, expect, test } from "bun:test";
import { classicGrowth } from "../../../src/gomap/classic.ts";
import { growthShape } from "../../../src/gomap/growth-shape.ts";
import { rehash, smallToTable } from "../../../src/gomap/swiss.ts";
import { SHAPE } from "../../../src/kernel/wire.ts";

const view = (bytes: number): DataView => new DataView(new ArrayBuffer(bytes));

describe("the shape of a growth", () => {
	for (let b = 0; b < 30; b++) {
		for (const same of [false, true]) {
			test(`classic, 2^${b} buckets, ${same ? "same size" : "doubling"}`, () => {
				const header = view(48);
				header.setUint32(0, same ? 0 : 13 * Math.floor(2 ** b / 2) + 8, true);
				header.setUint8(8, 1);
				header.setUint8(9, b);
				const record = classicGrowth(header, 23, 208);
				const shape = growthShape("hashGrow", b | (same ? SHAPE.sameSize : 0) | SHAPE.iterating);
				expect(shape).toMatchObject({
					kind: record?.kind,
					cause: record?.cause,
					capacityBefore: record?.capacityBefore,
					capacityAfter: record?.capacityAfter,
					iterating: true,
				});
				expect((shape?.units ?? 0) * 208).toBe(record?.bytes ?? -1);
			});
		}
	}

	for (const slots of [8, 16, 64, 512, 1024]) {
		for (const tombstones of [false, true]) {
			test(`swiss, a table of ${slots} slots${tombstones ? ", tombstones" : ""}`, () => {
				const map = view(48);
				map.setUint32(0, slots, true);
				map.setUint32(24, 1, true);
				const table = view(16);
				const full = slots === 8 ? 7 : (slots / 8) * 7;
				table.setUint16(0, tombstones ? full - 1 : full, true);
				table.setUint16(2, slots, true);
				const record = rehash(map, table, 248);
				const shape = growthShape("rehash", Math.log2(slots) | (tombstones ? SHAPE.sameSize : 0));
				expect(shape).toMatchObject({
					kind: record?.kind,
					cause: record?.cause,
					capacityBefore: record?.capacityBefore,
					capacityAfter: record?.capacityAfter,
				});
				expect((shape?.units ?? 0) * 248).toBe(record?.bytes ?? -1);
			});
		}
	}

	test("swiss, the first table", () => {
		const map = view(48);
		map.setUint32(0, 8, true);
		const record = smallToTable(map, 248);
		const shape = growthShape("growToTable", 3);
		expect(shape).toMatchObject({ kind: record?.kind, capacityBefore: 8, capacityAfter: 16 });
		expect((shape?.units ?? 0) * 248).toBe(record?.bytes ?? -1);
	});

	test("that could not be read is none", () => {
		expect(growthShape("hashGrow", SHAPE.unreadable)).toBeUndefined();
	});
});

/** Sizes of maps, against the size classes in Go's sources and the arithmetic of its runtime. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { allocatedBytes, SizeClasses, sizeClassesOf } from "../../../src/gomap/size-classes.ts";
import {
	bucketArray,
	bucketRoom,
	bucketsWanted,
	directoryBytes,
	groupsBytes,
	tableBytes,
	tableRoom,
} from "../../../src/gomap/sizing.ts";
import { GO_VERSIONS, goRoot } from "../../support/go-binaries.ts";

const minorOf = (version: string): number => Number(version.split(".")[1]);

test.each(GO_VERSIONS)("the size classes of Go %s", (version) => {
	const [file = ""] = ["internal/runtime/gc", "runtime"]
		.map((folder) => join(goRoot(version), "src", folder, "sizeclasses.go"))
		.filter(existsSync);
	const text = readFileSync(file, "utf8");
	const list = /(?:class_to_size|SizeClassToSize) = \[\w+\]uint16\{([\d, ]+)\}/.exec(text)?.[1] ?? "";
	expect([0, ...sizeClassesOf(minorOf(version)).sizes]).toEqual(list.split(",").map(Number));
});

describe("size classes", () => {
	test("Go 1.16 has one of 24 bytes, 1.15 has none", () => {
		expect(new SizeClasses(16).roundUp(17)).toBe(24);
		expect(new SizeClasses(15).roundUp(17)).toBe(32);
	});

	test("from 1.22 on objects with pointers above 512 bytes have a header", () => {
		const [old, now] = [new SizeClasses(21), new SizeClasses(22)];
		expect([old.objectSize(1024, false), now.objectSize(1024, false), now.objectSize(1024, true)]).toEqual([
			1024, 1152, 1024,
		]);
		expect(now.objectSize(512, false)).toBe(512);
		expect(now.objectSize(32_765, false)).toBe(32_768);
		expect(now.objectSize(32_761, true)).toBe(32_768);
	});

	test("above 32 kB objects are whole pages", () => {
		expect(new SizeClasses(27).objectSize(32_769, true)).toBe(40_960);
	});
});

describe("an allocation", () => {
	test.each<[size: number, pointers: boolean, minor: number, bytes: number]>([
		[0, true, 27, 0],
		[1, false, 27, 8],
		[17, false, 15, 32],
		[17, false, 16, 24],
		[512, true, 27, 512],
		// The header of 8 bytes.
		[513, true, 21, 576],
		[569, true, 21, 576],
		[569, true, 22, 640],
		[569, false, 22, 576],
		[32_760, true, 22, 32_768],
		[32_768, true, 21, 32_768],
		[32_761, false, 22, 32_768],
		[32_769, false, 27, 40_960],
		[2 ** 30 + 1, true, 27, 2 ** 30 + 8192],
	])("of %d bytes, with pointers %p, in Go 1.%d takes %d", (size, pointers, minor, bytes) => {
		expect(allocatedBytes(size, pointers, minor)).toBe(bytes);
	});

	test("takes no less than it asks for, and no more than an eighth or a page besides", () => {
		for (const minor of [15, 21, 22, 27]) {
			for (const pointers of [false, true]) {
				for (let size = 1025; size < 70_000; size += 7) {
					const bytes = allocatedBytes(size, pointers, minor);
					expect(bytes).toBeGreaterThanOrEqual(size);
					expect(bytes - size).toBeLessThan(Math.max(size / 7 + 8, 8192));
				}
			}
		}
	});
});

describe("a bucket array", () => {
	// map[int]int: 144 bytes a bucket, no pointers.
	const ints = { bytes: 144, pointers: false };

	test("asks for a sixteenth more from 16 buckets on, and uses up its size class", () => {
		expect([0, 1, 3, 4, 5, 10].map(bucketsWanted)).toEqual([1, 2, 8, 17, 34, 1088]);
		expect(bucketArray(0, ints, 23)).toEqual({ buckets: 1, bytes: 144 });
		expect(bucketArray(3, ints, 23)).toEqual({ buckets: 8, bytes: 1152 });
		// 17 * 144 = 2448, of the class of 2688 bytes: 18.
		expect(bucketArray(4, ints, 23)).toEqual({ buckets: 18, bytes: 2688 });
		// 1088 * 144 = 156,672, of 20 pages: 1,137.
		expect(bucketArray(10, ints, 23)).toEqual({ buckets: 1137, bytes: 163_840 });
	});

	test("with pointers has a header in its size class since Go 1.22", () => {
		// map[string]int: 208 bytes. 17 * 208 = 3536, of the class of 4096: 19 buckets, 3952 bytes.
		const strings = { bytes: 208, pointers: true };
		expect(bucketArray(4, strings, 21)).toEqual({ buckets: 19, bytes: 4096 });
		expect(bucketArray(4, strings, 22)).toEqual({ buckets: 19, bytes: 4096 });
		// 17 * 240 = 4080 fills 4096 but for the header and 8 bytes.
		expect(bucketArray(4, { bytes: 240, pointers: true }, 22)).toEqual({ buckets: 17, bytes: 4096 });
		expect(bucketArray(4, { bytes: 248, pointers: true }, 22)).toEqual({ buckets: 19, bytes: 4864 });
	});

	test("takes so many entries before it doubles", () => {
		expect([0, 1, 2, 3, 10].map((b) => bucketRoom(b, 23))).toEqual([8, 13, 26, 52, 6656]);
		expect([0, 1, 2, 3, 10].map((b) => bucketRoom(b, 21))).toEqual([8, 12, 24, 48, 6144]);
	});
});

describe("a swiss map", () => {
	// map[int]int: 8 control bytes and 8 slots of 16 bytes.
	const ints = { bytes: 136, pointers: false };

	test("has groups, tables and a directory", () => {
		expect(groupsBytes(8, ints, 27)).toBe(144);
		expect(groupsBytes(1024, ints, 27)).toBe(18_432);
		expect(tableBytes(1024, ints, 27)).toBe(18_464);
		expect(directoryBytes(1, 27)).toBe(8);
		expect(directoryBytes(64, 27)).toBe(512);
		expect(directoryBytes(128, 27)).toBe(1152);
	});

	test("takes so many entries a table before it grows", () => {
		expect([8, 16, 32, 1024].map(tableRoom)).toEqual([7, 14, 28, 896]);
	});
});

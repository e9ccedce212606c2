import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { type SyntheticFunction, type SyntheticType, syntheticGo } from "./synthetic-go.ts";

const FUNCTIONS: SyntheticFunction[] = [
	{ name: "runtime.text", size: 32, lines: [[10, 32]], inlined: [], inlineIndex: [[-1, 32]] },
	{
		name: "runtime.hashGrow",
		size: 64,
		lines: [
			[100, 16],
			[120, 48],
			[90, 64],
		],
		inlined: [],
		inlineIndex: [[-1, 64]],
	},
	{
		name: "main.outer",
		size: 300,
		lines: [
			[5, 8],
			[30, 140],
			[7, 200],
			[40, 201],
			[6, 300],
		],
		inlined: [
			{ name: "main.middle", parentPc: 4, file: "/src/synthetic/main.go", line: 5 },
			{ name: "main.inner", parentPc: 200, file: "/src/synthetic/other.go", line: 40 },
		],
		// [8, 140): inner in middle in outer; [140, 200): outer; [200, 201): the call of inner in middle.
		inlineIndex: [
			[-1, 8],
			[1, 140],
			[-1, 200],
			[0, 201],
			[-1, 300],
		],
	},
];
const TYPES: SyntheticType[] = [
	{ name: "int", kind: 2, extraStar: true },
	{ name: `struct { ${"x".repeat(200)} string }`, kind: 25, extraStar: false },
	{
		name: "map[int]struct",
		kind: 21,
		extraStar: true,
		map: { key: 0, elem: 1, keySize: 8, elemSize: 128, bucket: 1234 },
	},
];

/** Each release that begins a format or a layout, those without a toolchain included. */
describe.each([15, 16, 17, 18, 19, 20])("a program in the format of Go 1.%d", (minor) => {
	const binary = openGoBinary(memorySource(syntheticGo(minor, FUNCTIONS, TYPES)));
	const text = binary.textStart;

	test("functions", () => {
		expect(binary.version).toMatchObject({ major: 1, minor, patch: 1 });
		expect(binary.mapImpl).toBe("classic");
		expect(binary.functionsByName(["main.outer", "main.inner", "runtime.hashGrow"])).toEqual(
			new Map([
				[
					"main.outer",
					{ name: "main.outer", entry: text + 96, end: text + 396, file: "/src/synthetic/main.go", line: 5 },
				],
				[
					"runtime.hashGrow",
					{ name: "runtime.hashGrow", entry: text + 32, end: text + 96, file: "/src/synthetic/main.go", line: 100 },
				],
			]),
		);
		expect(binary.functionAt(text + 31)?.name).toBe("runtime.text");
		expect(binary.functionsWithPrefix("runtime.").map(({ name }) => name)).toEqual([
			"runtime.text",
			"runtime.hashGrow",
		]);
	});

	test("positions and inlined calls", () => {
		const main = "/src/synthetic/main.go";
		const lines = [0, 15, 16, 47, 48, 63].map((offset) => binary.symbolize(text + 32 + offset)[0]?.line);
		expect(lines).toEqual([100, 100, 120, 120, 90, 90]);
		expect(binary.symbolize(text + 96 + 7)).toEqual([{ fn: "main.outer", file: main, line: 5 }]);
		// Up to 1.19 the call site stands in the inline tree; later it is the position of the parent's address.
		const callSite = { file: minor < 20 ? "/src/synthetic/other.go" : main, line: 40 };
		expect(binary.symbolize(text + 96 + 139)).toEqual([
			{ fn: "main.inner", file: main, line: 30, inlined: true },
			{ fn: "main.middle", ...callSite, inlined: true },
			{ fn: "main.outer", file: main, line: 5 },
		]);
		expect(binary.symbolize(text + 96 + 140)).toEqual([{ fn: "main.outer", file: main, line: 7 }]);
	});

	test("types", () => {
		const { types } = binary.moduleData;
		expect(binary.mapTypeAt(types + 2 * 88)).toEqual({
			name: "map[int]struct",
			key: "int",
			elem: TYPES[1]?.name ?? "",
			bucketBytes: 1234,
			...{ slotBytes: 136, keyBytes: 8, elemBytes: 128 },
		});
		expect(binary.mapTypeAt(types)).toBeUndefined();
		expect(binary.mapTypeAt(types + 88)).toBeUndefined();
	});
});

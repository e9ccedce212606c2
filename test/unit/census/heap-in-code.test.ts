/** What the code of real programs says about the heap must be what their symbols say. */
import { describe, expect, test } from "bun:test";
import { globalNames } from "../../../src/census/global-names.ts";
import { globalMapsFromCode } from "../../../src/census/globals-from-code.ts";
import { locateHeap } from "../../../src/census/runtime-heap.ts";
import { spanLayout } from "../../../src/census/span-layout.ts";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { fileSource, GO_VERSIONS, goBuild } from "../../support/go-binaries.ts";

describe("runtime.mheap_ in code", () => {
	for (const version of GO_VERSIONS) {
		test(`Go ${version}`, () => {
			const plain = openGoBinary(fileSource(goBuild({ program: "mapcensus", version })));
			const heap = locateHeap(plain);
			expect(heap?.mheap).toBe(plain.elf.symbol("runtime.mheap_")?.value as number);
			expect(spanLayout(plain.version.minor, heap?.spanBytes)?.bytes).toBe(heap?.spanBytes as number);
			const stripped = openGoBinary(fileSource(goBuild({ program: "mapcensus", version, ldflags: "-s -w" })));
			const found = locateHeap(stripped);
			expect((found?.allspans ?? 0) - (found?.mheap ?? 0)).toBe((heap?.allspans ?? 0) - (heap?.mheap ?? 0));
		});

		test(`global maps of Go ${version}`, () => {
			const binary = openGoBinary(fileSource(goBuild({ program: "mapcensus", version })));
			const globals = globalMapsFromCode(binary, (address) => binary.mapTypeAt(address) !== undefined);
			const names = globalNames(
				binary.elf,
				globals.map(({ address }) => address),
			);
			const typeOf = new Map(globals.map(({ address, type }) => [names.get(address), binary.mapTypeAt(type)?.name]));
			expect(typeOf.get("main.gShrunk")).toBe("map[string]*main.session");
			expect(typeOf.get("main.gInts")).toBe("map[int]int");
			expect(typeOf.get("main.gPtrKey")).toBe("map[*main.session]int");
		});
	}

	test("a layout of another release is refused", () => {
		expect(spanLayout(27, 168)).toBeUndefined();
		expect(spanLayout(18, undefined)).toBeUndefined();
		expect(spanLayout(18, 136)?.sweepgen).toBe(88);
		expect(spanLayout(21, 160)).toBeUndefined();
	});

	test("another architecture has none", () => {
		const path = goBuild({ program: "mapcensus", version: "1.27", arch: "arm64" });
		expect(locateHeap(openGoBinary(fileSource(path)))).toBeUndefined();
	});
});

/** Global variables of real programs: addresses as in the symbol table, types as in the module data. */
import { describe, expect, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";

describe("global variables", () => {
	for (const version of ["1.15", "1.19", "1.24", "1.27"]) {
		test(`Go ${version}`, () => {
			const binary = openGoBinary(fileSource(goBuild({ program: "mapcensus", version })));
			const types = new Map(binary.globalVariables.map(({ address, type }) => [address, type]));
			const typeOf = (name: string): string | undefined => {
				const address = binary.elf.symbol(name)?.value ?? 0;
				return binary.mapTypeAt(types.get(address) ?? 0)?.name;
			};
			expect(typeOf("main.gInts")).toBe("map[int]int");
			expect(typeOf("main.gShrunk")).toBe("map[string]*main.session");
			// A pointer, which is no map.
			expect(types.has(binary.elf.symbol("main.gServer")?.value ?? 0)).toBe(true);
			expect(typeOf("main.gServer")).toBeUndefined();
		});
	}

	test("a stripped program has none", () => {
		const path = goBuild({ program: "mapcensus", version: "1.27", ldflags: "-s -w" });
		expect(openGoBinary(fileSource(path)).globalVariables).toEqual([]);
	});
});

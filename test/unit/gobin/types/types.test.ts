import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { fileSource, GO_VERSIONS, goBuild, run } from "../../../support/go-binaries.ts";
import { MATRIX_ROWS } from "../go-matrix.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

describe.each(MATRIX_ROWS)("%s", (_what, { binary, path }) => {
	const base = binary.functionsByName(["main.chains"]).get("main.chains")?.entry ?? 0;
	const rows = run([path, "types"])
		.trim()
		.split("\n")
		.map((line) => line.split("\t"));
	const types = new Map(rows.map(([distance, name]) => [name, base + Number(distance)]));

	test("map types are what reflect says", () => {
		expect(rows).toHaveLength(12);
		for (const [distance, name, key, elem] of rows) {
			expect(binary.mapTypeAt(base + Number(distance))).toMatchObject({ name, key, elem });
		}
	});

	test("sizes of buckets and groups", () => {
		// Classic: 8 hash bytes, 8 keys, 8 elements, an overflow pointer; keys and elements above 128 bytes are pointers
		// (runtime/map.go). Swiss: 8 control bytes, 8 slots (internal/runtime/maps/group.go).
		const sizes: [string, number, number][] = [
			["map[int]int", 8, 8],
			["map[int32]string", 4, 16],
			["map[string]int", 16, 8],
			["map[string]*main.node", 16, 8],
			["main.named", 16, 8],
			["map[main.point]string", 16, 16],
			["map[main.bigKey]main.bigValue", 64, 8],
			["map[interface {}]func(int) error", 16, 8],
			["map[*main.node]chan int", 8, 8],
			["map[string]map[string][]uint8", 16, 8],
			["map[[3]string]struct {}", 48, 0],
			["map[uint8]float64", 1, 8],
		];
		expect(sizes.map(([name]) => name)).toEqual([...types.keys()].map((name) => name as string));
		for (const [name, key, elem] of sizes) {
			const type = binary.mapTypeAt(types.get(name) ?? 0);
			if (binary.mapImpl === "classic") {
				expect([type?.bucketBytes, type?.slotBytes]).toEqual([8 + 8 * (key + elem) + 8, key + elem]);
				expect(type?.groupBytes).toBeUndefined();
			} else {
				// A slot is a struct: padded, and one byte longer, padded again, when it ends with nothing (cmd/compile/internal/types/size.go).
				const slot = Math.ceil(key / 8) * 8 + Math.max(elem, 8);
				expect([type?.groupBytes, type?.slotBytes]).toEqual([8 + 8 * slot, slot]);
				expect(type?.bucketBytes).toBeUndefined();
			}
		}
	});

	test("other addresses are no map types", () => {
		const { types: start, etypes } = binary.moduleData;
		const mapType = types.get("map[int]int") ?? 0;
		for (const vaddr of [0, start - 8, etypes, etypes - 8, mapType + 1, mapType + 8, base, 0xc000012340, Number.NaN]) {
			expect(binary.mapTypeAt(vaddr)).toBeUndefined();
		}
	});

	test("no garbage is taken for a map type anywhere in the type section's first 64 KiB", () => {
		const { types: start, etypes } = binary.moduleData;
		for (let vaddr = start; vaddr < Math.min(etypes, start + 65536); vaddr += 8) {
			const name = binary.mapTypeAt(vaddr)?.name;
			expect(name === undefined || name.startsWith("map[") || /^[\w/]+\.\w+$/.test(name)).toBeTrue();
		}
	});
});

describe("names of nested generic types keep all their brackets", () => {
	test.each(GO_VERSIONS.filter((version) => version !== "1.15"))("%s", (version) => {
		const path = goBuild({ version, program: "generics" });
		const names = run([path]).trim().split("\n");
		expect(names).toEqual([
			"map[string]main.Pair[int,main.Box[map[string]main.Box[int]]]",
			"map[int]main.Box[main.Box[main.Pair[int,main.Box[string]]]]",
			"main.Named[main.Pair[int,main.Box[string]],main.Box[main.Box[int]]]",
		]);
		const binary = openGoBinary(fileSource(path));
		const { types, etypes } = binary.moduleData;
		const found = new Set<string>();
		for (let vaddr = types + (-types & 7); vaddr < etypes; vaddr += 8) {
			const type = binary.mapTypeAt(vaddr);
			if (type !== undefined) found.add(type.name);
		}
		for (const name of names) expect(found).toContain(name);
	});
});

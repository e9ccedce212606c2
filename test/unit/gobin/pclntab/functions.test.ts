import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { goTool, run } from "../../../support/go-binaries.ts";
import { MATRIX_ROWS, type MatrixEntry, reopen } from "../go-matrix.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

interface NmRow {
	address: number;
	name: string;
}

/** Symbols of Go functions by `go tool nm`. */
function goFunctions(entry: MatrixEntry): NmRow[] {
	const rows: NmRow[] = [];
	for (const line of goTool("1.23", ["tool", "nm", entry.withSymbols]).split("\n")) {
		const match = /^ *([0-9a-f]+) [Tt] ((?:runtime|main|strconv|reflect|fmt|internal\/[\w/]+)\.[^[]+)$/.exec(line);
		if (match?.[1] !== undefined && match[2] !== undefined) {
			rows.push({ address: Number.parseInt(match[1], 16), name: match[2] });
		}
	}
	return rows;
}

/** Linker symbols for the bounds of the text, not functions. */
const BOUNDS = new Set(["runtime.text", "runtime.etext"]);

describe.each(MATRIX_ROWS)("%s", (_what, entry) => {
	const { binary } = entry;
	const nm = goFunctions(entry).filter((row) => !BOUNDS.has(row.name));
	// One name with two addresses: a function and its ABI wrapper (1.15: same name; later the assembly one has the suffix .abi0).
	const addresses = Map.groupBy(nm, (row) => row.name.replace(/\.abi0$/, ""));

	// Those with names that are not looked at here (generic instances, for example) aside.
	const known = new Set(nm.map(({ name, address }) => `${address} ${name.replace(/\.abi0$/, "")}`));

	test("functions by address are those of nm", () => {
		expect(nm.length).toBeGreaterThan(1000);
		for (const { address, name } of nm) {
			const found = binary.functionAt(address);
			expect([found?.name, found?.entry]).toEqual([name.replace(/\.abi0$/, ""), address]);
		}
	});

	test("functions by name are those of nm", () => {
		const found = reopen(entry).functionsByName([...addresses.keys(), "main.absent", "x", "runtime.hashGro"]);
		expect(found.size).toBe(addresses.size);
		for (const [name, rows] of addresses) {
			expect(rows.map((row) => row.address)).toContain(found.get(name)?.entry ?? 0);
		}
	});

	test("every byte of a function belongs to it", () => {
		const chains = binary.functionsByName(["main.chains"]).get("main.chains");
		expect(chains?.file).toEndWith("test/programs/chains/main.go");
		for (let pc = chains?.entry ?? 0; pc < (chains?.end ?? 0); pc++) {
			expect(binary.functionAt(pc)?.entry).toBe(chains?.entry);
		}
		expect(binary.functionAt((chains?.entry ?? 0) - 1)?.name).not.toBe("main.chains");
		expect(binary.functionAt(chains?.end ?? 0)?.name).not.toBe("main.chains");
	});

	test("functions by prefix", () => {
		for (const prefix of ["main.", "r", "fmt.Fp"]) {
			const wanted = nm.flatMap(({ name, address }) => {
				return name.startsWith(prefix) ? [`${address} ${name.replace(/\.abi0$/, "")}`] : [];
			});
			const found = binary.functionsWithPrefix(prefix);
			expect(found.map(({ entry }) => entry)).toEqual(found.map(({ entry }) => entry).sort((a, b) => a - b));
			const rows = found.map(({ name, entry }) => `${entry} ${name}`).filter((row) => known.has(row));
			expect(rows.sort()).toEqual(wanted.sort());
			expect(found.every(({ name }) => name.startsWith(prefix))).toBeTrue();
		}
		expect(binary.functionsWithPrefix("no/such.prefix")).toEqual([]);
	});

	test("addresses outside Go code have no function and no frames", () => {
		const { minpc, maxpc } = binary.moduleData;
		for (const vaddr of [0, 1, minpc - 1, maxpc, Number.MAX_SAFE_INTEGER, Number.NaN, -5]) {
			expect(binary.functionAt(vaddr)).toBeUndefined();
			expect(binary.symbolize(vaddr)).toEqual([]);
		}
		expect(binary.functionAt(maxpc - 1)).toBeDefined();
	});

	test("the text start is runtime.text", () => {
		const symbols = goTool("1.23", ["tool", "nm", entry.withSymbols]);
		const text = /^ *([0-9a-f]+) [Tt] runtime\.text$/m.exec(symbols)?.[1];
		expect(binary.textStart).toBe(Number.parseInt(text ?? "", 16));
	});

	test("what was built is seen", () => {
		const { options } = entry;
		const header = run(["readelf", "-hlW", entry.path]);
		expect(binary.pie).toBe(options.buildmode === "pie");
		expect(binary.cgo).toBe(options.cgo === true);
		expect(binary.stripped).toBe(options.strip === true || options.ldflags === "-s -w");
		expect(binary.static).toBe(!header.includes("INTERP"));
		expect(binary.arch).toBe("amd64");
		expect(binary.mapImpl).toBe(entry.minor >= 24 && options.experiment === undefined ? "swiss" : "classic");
	});
});

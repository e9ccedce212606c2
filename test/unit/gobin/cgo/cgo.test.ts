/** Programs that are called from C: entry points by name, C functions by name, and stacks that go through both. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cgoExports } from "../../../../src/gobin/cgo/cgo-exports.ts";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { fileSource, goBuild, goTool, run } from "../../../support/go-binaries.ts";
import { printedStack, symbolizeStack } from "../../../support/program-frames.ts";

setDefaultTimeout(120_000);

const BUILDS = ["1.15", "1.23", "1.27"].flatMap((version): [string, ReturnType<typeof build>][] => [
	[`${version} plain`, build(version, {})],
	[`${version} pie stripped`, build(version, { buildmode: "pie", strip: true })],
]);

function build(version: string, options: { buildmode?: "pie"; strip?: boolean }) {
	const { strip: _, ...unstripped } = options;
	const base = { version, program: "exports", cgo: true };
	const path = goBuild({ ...base, ...options });
	return { path, withSymbols: goBuild({ ...base, ...unstripped }), binary: openGoBinary(fileSource(path)) };
}

describe.each(BUILDS)("%s", (what, { path, withSymbols, binary }) => {
	const output = run([path]);
	const base = binary.functionsByName(["main.base"]).get("main.base")?.entry ?? 0;
	const symbols = goTool("1.23", ["tool", "nm", withSymbols]);

	test("entry points for C", () => {
		const expected = [...symbols.matchAll(/^ *([0-9a-f]+) [Tt] (_cgoexp_[0-9a-f]+_(\w+))$/gm)].map((match) => {
			return [match[3] ?? "", match[2] ?? "", Number.parseInt(match[1] ?? "", 16)];
		});
		expect(expected.map(([name]) => name).sort()).toEqual(["addFromC", "growFromC"]);
		const found = cgoExports(binary).map(({ name, entry }) => [name, entry.name, entry.entry]);
		expect(found.sort()).toEqual(expected.sort());
	});

	test("a stack through an entry point has the frames that the program's own runtime finds", () => {
		const stack = printedStack(output);
		const { frames, goexits } = symbolizeStack(binary, stack, base);
		expect(frames).toEqual(stack.frames);
		expect(goexits).toBe(1);
		const names = frames.map(({ fn }) => fn);
		expect(names.some((fn) => /^_cgoexp_\w+_growFromC$|^main\._cgoexpwrap_\w+_growFromC$/.test(fn))).toBeTrue();
		expect(names).toContain("runtime.cgocallbackg");
		expect(names).toContain("main._Cfunc_call_go");
	});

	test("C functions have the names of the symbol table, where there is one", () => {
		const rows = [...output.matchAll(/^c\t(\w+)\t(-?\d+)$/gm)];
		expect(rows).toHaveLength(2);
		for (const [, name = "", distance] of rows) {
			const address = base + Number(distance);
			const expected = [{ fn: name }];
			// A stripped program still exports some of them for the dynamic loader, up to 1.21 all.
			const frames = binary.symbolize(address);
			if (what.includes("stripped") && frames.length === 0) continue;
			expect(frames).toEqual(expected);
			expect(binary.symbolize(address + 3)).toEqual(expected);
			expect(binary.functionAt(address)).toBeUndefined();
		}
	});
});

describe("C functions of a static program", () => {
	const path = goBuild({ version: "1.23", program: "chains", cgo: true, ldflags: "-extldflags=-static" });
	const binary = openGoBinary(fileSource(path));

	test("each has the name that readelf lists for its address", () => {
		const { minpc, maxpc } = binary.moduleData;
		const names = new Map<number, Set<string>>();
		for (const [, value = "", size, name = ""] of run(["readelf", "-sW", path]).matchAll(
			/^ *\d+: ([0-9a-f]{16}) +(\d+) (?:FUNC|IFUNC) +\w+ +\w+ +\d+ (\S+)$/gm,
		)) {
			const address = Number.parseInt(value, 16);
			if (Number(size) === 0 || (address >= minpc && address < maxpc)) continue;
			names.set(address, (names.get(address) ?? new Set()).add(name));
		}
		expect(names.size).toBeGreaterThan(500);
		for (const [address, possible] of names) {
			const [frame, none] = binary.symbolize(address);
			expect(none).toBeUndefined();
			expect([address, possible.has(frame?.fn ?? "")]).toEqual([address, true]);
		}
		expect(binary.symbolize(2)).toEqual([]);
	});

	test("it is seen as static and cgo", () => {
		expect([binary.static, binary.cgo, binary.pie]).toEqual([true, true, false]);
	});
});

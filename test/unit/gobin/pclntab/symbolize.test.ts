import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { goTool, run } from "../../../support/go-binaries.ts";
import { printedStack, symbolizeStack } from "../../../support/program-frames.ts";
import { MATRIX, MATRIX_ROWS, type MatrixEntry } from "../go-matrix.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

describe.each(MATRIX_ROWS)("%s", (_what, entry) => {
	const { binary } = entry;
	const base = binary.functionsByName(["main.chains"]).get("main.chains")?.entry ?? 0;

	test("a stack has the frames that the program's own runtime finds", () => {
		const stack = printedStack(run([entry.path, "frames"]));
		const { frames, inlined, goexits } = symbolizeStack(binary, stack, base);
		expect(frames).toEqual(stack.frames);
		expect(inlined).toEqual(["main.callers", "main.callersInlined"]);
		expect(frames.at(-1)?.fn).toBe("runtime.goexit");
		expect(goexits).toBe(1);
	});

	test("the same array comes from the cache", () => {
		expect(binary.symbolize(base + 8)).toBe(binary.symbolize(base + 8));
		expect(binary.isGoexit(base)).toBeFalse();
	});
});

describe("positions are those of go tool addr2line", () => {
	// That tool takes .text for the text start, which is wrong in cgo programs.
	const rows = MATRIX.filter((entry) => entry.options.cgo !== true).map((entry): [string, MatrixEntry] => [
		entry.what,
		entry,
	]);
	test.each(rows)("%s", (_what, entry) => {
		const { binary } = entry;
		const { minpc, maxpc } = binary.moduleData;
		const pcs: number[] = [];
		// Odd, so that all positions inside instructions and functions occur.
		const step = Math.floor((maxpc - minpc) / 2700) | 1;
		for (let pc = minpc; pc < maxpc; pc += step) {
			pcs.push(pc);
		}
		const tool = entry.minor > 25 ? "1.27" : "1.23";
		const input = pcs.map((pc) => `0x${pc.toString(16)}\n`).join("");
		const output = goTool(tool, ["tool", "addr2line", entry.withSymbols], input).split("\n");
		let compared = 0;
		pcs.forEach((pc, index) => {
			const fn = (output[2 * index] ?? "").replace(/\.abi0$/, "");
			const at = output[2 * index + 1] ?? "";
			const frames = binary.symbolize(pc);
			const innermost = frames[0];
			// Padding behind the last instruction, and names with type arguments, which the function table shortens.
			if (fn === "?" || fn.includes("[") || innermost?.line === undefined) {
				return;
			}
			compared++;
			expect([frames.at(-1)?.fn, `${innermost.file}:${innermost.line}`]).toEqual([fn, at]);
		});
		expect(compared).toBeGreaterThan(2000);
		expect(compared).toBeGreaterThan(pcs.length * 0.8);
	});
});

describe("inlined calls are those of binutils addr2line", () => {
	// binutils 2.40 cannot resolve the DWARF 5 line tables that Go writes from 1.25 on.
	const rows = MATRIX.filter((entry) => entry.minor < 25 && entry.path === entry.withSymbols);
	test.each(rows.map((entry): [string, MatrixEntry] => [entry.what, entry]))("%s", (_what, entry) => {
		const { binary } = entry;
		const chains = binary.functionsByName(["main.chains"]).get("main.chains");
		// Return addresses - 1 of the calls of mapassign functions: where the tool looks up stacks.
		const calls = callsIn(entry, chains?.entry ?? 0, chains?.end ?? 0);
		expect(calls.length).toBeGreaterThanOrEqual(4);
		for (const pc of calls) {
			const lines = run(["addr2line", "-f", "-i", "-e", entry.path, `0x${pc.toString(16)}`])
				.trim()
				.split("\n");
			const expected: string[] = [];
			for (let index = 0; index < lines.length; index += 2) {
				expected.push(`${lines[index]} ${lines[index + 1]?.replace(/^.*\//, "").replace(/ \(.*/, "")}`);
			}
			const frames = binary.symbolize(pc);
			// The tool names the innermost frame by the symbol table, which knows no inlined functions.
			const found = frames.map(({ fn, file, line }, index) => {
				const name = index === 0 ? frames.at(-1)?.fn : fn;
				return `${name} ${file?.replace(/^.*\//, "")}:${line}`;
			});
			expect(found).toEqual(expected);
		}
	});
});

/** Addresses of the last bytes of the call instructions to mapassign functions, by objdump. */
function callsIn(entry: MatrixEntry, start: number, stop: number): number[] {
	const listing = run(["objdump", "-d", `--start-address=${start}`, `--stop-address=${stop}`, entry.path]);
	return [...listing.matchAll(/^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s+call.*<runtime\.mapassign/gm)].map(
		([, address = "", bytes = ""]) => Number.parseInt(address, 16) + bytes.trim().split(" ").length - 1,
	);
}

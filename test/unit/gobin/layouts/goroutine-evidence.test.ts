/** What goroutines are found and named by: runtime.allgs, the wait reasons, and the frame size at every instruction. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { type AllgsReader, allgsFromCode, locateAllgs } from "../../../../src/gobin/layouts/allgs-from-code.ts";
import type { GoFunction } from "../../../../src/gobin/pclntab/function-table.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild, goRoot, run } from "../../../support/go-binaries.ts";
import { MATRIX_ROWS } from "../go-matrix.ts";

setDefaultTimeout(120_000);

/** Address of a symbol by nm. */
function nm(path: string, name: string): number {
	const line = run(["nm", path])
		.split("\n")
		.find((each) => each.endsWith(` ${name}`));
	return Number.parseInt(line?.split(" ")[0] ?? "", 16);
}

describe("runtime.allgs", () => {
	const builds: [string, GoBuildOptions][] = GO_VERSIONS.flatMap((version) => {
		const base = { version, program: "chains" };
		return [
			[`${version} plain`, base],
			[`${version} -N -l`, { ...base, gcflags: "all=-N -l" }],
			[`${version} pie`, { ...base, buildmode: "pie" as const }],
		] as [string, GoBuildOptions][];
	});

	test.each(builds)("%s: symbol table and code agree, and the stripped file says the same", (_what, options) => {
		const path = goBuild(options);
		const address = nm(path, "runtime.allgs");
		expect(address).toBeGreaterThan(0);
		const binary = openGoBinary(fileSource(path));
		expect(binary.allgs).toBe(address);
		expect(allgsFromCode(binary)).toBe(address);
		const stripped = openGoBinary(fileSource(goBuild({ ...options, strip: true })));
		expect(stripped.stripped).toBeTrue();
		expect(stripped.allgs).toBe(address);
	});

	test.each(MATRIX_ROWS)("%s: found, in writable memory", (_what, { binary }) => {
		expect(binary.elf.loadAt(binary.allgs ?? 0)?.writable).toBeTrue();
		expect((binary.allgs ?? 1) % 8).toBe(0);
	});
});

describe("runtime.allgs in code", () => {
	const ENTRY = 0x401000;
	const access =
		(opcode: number, address: number) =>
		(at: number): number[] => {
			const disp = address - (ENTRY + at + 7);
			return [0x48, opcode, 0x05, disp & 255, (disp >> 8) & 255, (disp >> 16) & 255, (disp >> 24) & 255];
		};
	const load = (address: number) => access(0x8b, address);
	const store = (address: number) => access(0x89, address);

	function program(...parts: ((at: number) => number[])[]): AllgsReader {
		const code: number[] = [];
		for (const part of parts) code.push(...part(code.length));
		const fn: GoFunction = { name: "runtime.allgadd", entry: ENTRY, end: ENTRY + code.length };
		return {
			functionsByName: (names) => new Map(names.includes(fn.name) ? [[fn.name, fn]] : []),
			bytesAt: (vaddr, length) => Uint8Array.from(code).subarray(vaddr - ENTRY, vaddr - ENTRY + length),
			elf: { bytesFrom: () => 0, symbol: () => undefined },
		};
	}

	const SLICE = 0x600000;
	const all = [load, store].flatMap((move) => [0, 8, 16].map((offset) => move(SLICE + offset)));

	test("a slice that is appended to", () => {
		expect(allgsFromCode(program(...all))).toBe(SLICE);
		expect(locateAllgs(program(...all))).toBe(SLICE);
		expect(allgsFromCode(program(...all.toReversed(), load(0x700000), store(0x700008)))).toBe(SLICE);
	});

	test.each(all.map((_, missing) => missing))("not without access %d", (missing) => {
		expect(allgsFromCode(program(...all.filter((_, index) => index !== missing)))).toBeUndefined();
	});

	test("not when there are two, when it is not aligned, or when there is no such function", () => {
		const second = [load, store].flatMap((move) => [0, 8, 16].map((offset) => move(0x700000 + offset)));
		expect(allgsFromCode(program(...all, ...second))).toBeUndefined();
		const odd = [load, store].flatMap((move) => [4, 12, 20].map((offset) => move(SLICE + offset)));
		expect(allgsFromCode(program(...odd))).toBeUndefined();
		expect(allgsFromCode({ ...program(...all), functionsByName: () => new Map() })).toBeUndefined();
	});

	test("the symbol comes first", () => {
		const named = program(...all);
		expect(locateAllgs({ ...named, elf: { ...named.elf, symbol: () => ({ value: 0x555000 }) } })).toBe(0x555000);
	});
});

/** The strings of waitReasonStrings in the order of their constants, from the toolchain's own source. */
function reasonsInSource(version: string): string[] {
	const source = readFileSync(join(goRoot(version), "src/runtime/runtime2.go"), "utf8");
	const names = /^\twaitReasonZero.*?^\)/ms.exec(source)?.[0].match(/^\twaitReason\w+/gm) ?? [];
	const strings = new Map(
		[...source.matchAll(/^\t(waitReason\w+): +"(.*)",/gm)].map(([, name = "", value = ""]) => [name, value]),
	);
	return names.map((name) => strings.get(name.trim()) ?? `no string for ${name}`);
}

describe("wait reasons are those of the Go source", () => {
	test.each(MATRIX_ROWS)("%s", (_what, { binary, options }) => {
		const expected = reasonsInSource(options.version);
		expect(expected.length).toBeGreaterThan(20);
		expect(expected[0]).toBe("");
		expect(binary.waitReasons?.slice(0, expected.length)).toEqual(expected);
	});
});

/** Rows of call frame information: from this address on, the return address is so many bytes above the stack pointer. */
function* callFrameRows(path: string): Generator<{ from: number; to: number; size: number }> {
	let row: { from: number; size: number } | undefined;
	let end = 0;
	for (const line of `${run(["readelf", "--debug-dump=frames-interp", "-W", path])}\n`.split("\n")) {
		const header = /FDE .* pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
		const [, from, cfa] = /^([0-9a-f]{16}) rsp\+(\d+) /.exec(line) ?? [];
		const next = from === undefined ? undefined : { from: Number.parseInt(from, 16), size: Number(cfa) - 8 };
		if (row !== undefined) yield { ...row, to: next?.from ?? end };
		row = next;
		if (header !== null) end = Number.parseInt(header[2] ?? "", 16);
		// The CIE in front has a row too.
		if (row?.from === 0) row = undefined;
	}
}

describe("frame sizes are those of the call frame information", () => {
	const rows = MATRIX_ROWS.filter(([, { path, withSymbols }]) => path === withSymbols);
	test.each(rows)("%s", (_what, { binary, path }) => {
		const { minpc, maxpc } = binary.moduleData;
		let compared = 0;
		for (const { from, to, size } of callFrameRows(path)) {
			if (from < minpc || from >= maxpc || to <= from) continue;
			compared++;
			const found = [from, to - 1].map((pc) => binary.frameSizeAt(pc));
			// syscall.rawVforkSyscall takes its return address off the stack.
			const expected = size < 0 ? undefined : size;
			if (found[0] !== expected || found[1] !== expected) {
				expect({ pc: from, fn: binary.functionAt(from)?.name, found }).toEqual({ pc: from, fn: "", found: [expected] });
			}
		}
		expect(compared).toBeGreaterThan(3000);
		expect(binary.frameSizeAt(minpc - 1)).toBeUndefined();
	});
});

/**
 * Stacks and what is remembered of them; of a program whose frame pointers may be stale with return addresses from the
 * toolchain's own disassembly.
 */
import { describe, expect, test } from "bun:test";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { type Code, StackDecoder } from "../../../../src/tracer/decode/stacks.ts";
import { fileSource, goBuild, goTool } from "../../../support/go-binaries.ts";
import { plannedProbe } from "../plan-parts.ts";

const VERSION = "1.19";
const path = goBuild({ version: VERSION, program: "grow", arch: "arm64" });
const binary = openGoBinary(fileSource(path));
const plan = makePlan(binary);
const hashGrow = plan.probes.find(({ fn }) => fn === "runtime.hashGrow");

/** Where a call in this function returns to. */
function behindCall(fn: string, callee: string): bigint {
	const code = goTool(VERSION, ["tool", "objdump", "-s", `^${fn.replaceAll(".", "\\.")}$`, path], "", "arm64");
	const call = code.split("\n").find((line) => line.includes(`CALL ${callee}`));
	const address = /0x[0-9a-f]+/.exec(call ?? "")?.[0];
	if (address === undefined) throw new Error(`no call of ${callee} in ${fn}`);
	return BigInt(address) + 4n;
}

const ASSIGN = behindCall("runtime.mapassign_fast64", "runtime.hashGrow(SB)");
const GROW_INT = behindCall("main.growInt", "runtime.mapassign_fast64(SB)");
const MAIN = behindCall("main.main", "main.growInt(SB)");
const RUNTIME_MAIN = behindCall("runtime.main", "(R");
const DOWN_TO_MAIN = ["runtime.hashGrow", "runtime.mapassign_fast64", "main.growInt", "main.main", "runtime.main"];

function decoded(...returns: bigint[]): { names: string[]; truncated: boolean } {
	if (hashGrow === undefined) throw new Error("no hashGrow");
	const decoder = new StackDecoder({ binary, plan });
	const stack = decoder.decode(hashGrow, BigUint64Array.from(returns), 0);
	return { names: stack.map(({ fn }) => fn), truncated: decoder.isTruncated(stack, false) };
}

describe("arm64, Go 1.19", () => {
	test("a stack down to runtime.main is whole", () => {
		expect(decoded(ASSIGN, GROW_INT, MAIN, RUNTIME_MAIN)).toEqual({ names: DOWN_TO_MAIN, truncated: false });
	});

	test("one that ends before is not", () => {
		expect(decoded(ASSIGN, GROW_INT, MAIN)).toEqual({ names: DOWN_TO_MAIN.slice(0, 4), truncated: true });
		expect(decoded(ASSIGN, GROW_INT, 0n)).toEqual({ names: DOWN_TO_MAIN.slice(0, 3), truncated: true });
	});

	test("what does not call the function inside is no part of it", () => {
		expect(decoded(ASSIGN, MAIN, RUNTIME_MAIN)).toEqual({ names: DOWN_TO_MAIN.slice(0, 2), truncated: true });
		expect(decoded(ASSIGN, GROW_INT, 0x4000_0000n)).toEqual({ names: DOWN_TO_MAIN.slice(0, 3), truncated: true });
	});
});

/** An executable with a function every 256 bytes from 0x1000 to 0x2000; counts how often it is asked. */
function pretended(firstLine: number, module = "main"): { code: Code; asked: () => number } {
	let asked = 0;
	const symbolize = (address: number) => {
		asked++;
		if (address < 0x1000 || address >= 0x2000) return [];
		const fn = `${module}.f${Math.floor(address / 256)}`;
		return [{ fn, file: "/src/main.go", line: firstLine + (address % 256) }];
	};
	const binary = { symbolize, functionAt: () => undefined, bytesAt: () => new Uint8Array(4) };
	return { code: { binary, plan: {} }, asked: () => asked };
}

describe("what is remembered", () => {
	const probe = plannedProbe("runtime.hashGrow");
	const at = { ...probe, site: { ...probe.site, address: 0x1f08 } };
	const moved = (bias: number, ...addresses: number[]) =>
		BigUint64Array.from(addresses, (address) => BigInt(address === 0 ? 0 : address + bias));
	const [HERE, THERE] = [0x5555_5540_0000, 0x7fff_f7a0_0000];

	test("is shared by processes of one executable, wherever it was loaded", () => {
		const { code, asked } = pretended(1);
		const decoder = new StackDecoder(code);
		const stack = decoder.decode(at, moved(HERE, 0x1101, 0x1202), HERE);
		expect(stack).toEqual([
			{ fn: "main.f31", file: "/src/main.go", line: 9 },
			{ fn: "main.f17", file: "/src/main.go", line: 1 },
			{ fn: "main.f18", file: "/src/main.go", line: 2 },
		]);
		const before = asked();
		expect(decoder.decode(at, moved(THERE, 0x1101, 0x1202), THERE)).toBe(stack);
		expect(decoder.decode(at, moved(0, 0x1101, 0x1202), 0)).toBe(stack);
		const caller = decoder.caller(0x1101 + HERE, HERE);
		expect(caller).toEqual([{ fn: "main.f17", file: "/src/main.go", line: 1 }]);
		expect(decoder.caller(0x1101 + THERE, THERE)).toBe(caller);
		expect(decoder.function(0x1100 + THERE, THERE)).toBe("main.f17");
		expect(asked()).toBe(before);
	});

	test("is not shared by executables: the same address is another line", () => {
		const [old, moved500] = [new StackDecoder(pretended(1).code), new StackDecoder(pretended(501).code)];
		const lineOf = (decoder: StackDecoder) => decoder.decode(at, moved(0, 0x1101), 0)[1]?.line;
		expect([lineOf(old), lineOf(moved500), lineOf(old)]).toEqual([1, 501, 1]);
		const callerOf = (decoder: StackDecoder) => decoder.caller(0x1101, 0)[0]?.line;
		expect([callerOf(old), callerOf(moved500), callerOf(old)]).toEqual([1, 501, 1]);
	});

	test("of addresses outside the executable is what the process has", () => {
		const { code, asked } = pretended(1);
		const decoder = new StackDecoder(code);
		const names = (bias: number) => decoder.decode(at, moved(bias, 0x9000, 0x1101), bias).map(({ fn }) => fn);
		const spelled = (bias: number) => `[0x${(0x9000 - 1 + bias).toString(16)}]`;
		for (const bias of [HERE, THERE, HERE]) expect(names(bias)).toEqual(["main.f31", spelled(bias), "main.f17"]);
		for (const bias of [HERE, THERE, HERE])
			expect(decoder.caller(0x9000 + bias, bias)).toEqual([{ fn: spelled(bias) }]);
		const before = asked();
		expect(decoder.decode(at, moved(THERE, 0x9000, 0x1101), THERE)).toBe(
			decoder.decode(at, moved(THERE, 0x9000, 0x1101), THERE),
		);
		expect(decoder.caller(0x9000 + THERE, THERE)).toBe(decoder.caller(0x9000 + THERE, THERE));
		expect(asked()).toBe(before);
	});

	test("tells an address that could not be read from the beginning of the file", () => {
		const decoder = new StackDecoder(pretended(1).code);
		expect(decoder.decode(at, moved(HERE, 0), HERE)).toHaveLength(1);
		expect(decoder.decode(at, BigUint64Array.of(BigInt(HERE)), HERE)).toHaveLength(2);
		expect(decoder.decode(at, moved(THERE, 0), THERE)).toHaveLength(1);
	});
});

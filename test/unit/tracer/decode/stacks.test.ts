/** Stacks of a program whose frame pointers may be stale, with return addresses from the toolchain's own disassembly. */
import { describe, expect, test } from "bun:test";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { StackDecoder, type Symbols } from "../../../../src/tracer/decode/stacks.ts";
import { fileSource, goBuild, goTool } from "../../../support/go-binaries.ts";

const VERSION = "1.19";
const path = goBuild({ version: VERSION, program: "grow", arch: "arm64" });
const binary = openGoBinary(fileSource(path));
const target: Symbols = {
	identity: { pid: 4711, name: "grow", exe: path, openPath: path },
	plan: makePlan(binary),
	binary,
};
const hashGrow = target.plan.probes.find(({ fn }) => fn === "runtime.hashGrow");

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
	const decoder = new StackDecoder();
	const stack = decoder.decode(target, hashGrow, BigUint64Array.from(returns), 0);
	return { names: stack.map(({ fn }) => fn), truncated: decoder.isTruncated(target, stack, false) };
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

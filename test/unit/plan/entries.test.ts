/** Where calls of functions without a stack check begin: compiled ones, and a walk over all ways that objdump shows. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { entryWithoutCheck } from "../../../src/plan/plan-entry.ts";
import type { ProbeSite } from "../../../src/plan/probe-plan.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { fileSource, GO_VERSIONS, goBuild } from "../../support/go-binaries.ts";
import { type ListedInstruction, listing } from "../../support/objdump.ts";

setDefaultTimeout(120_000);

function siteIn(version: string, name: string): { site: ProbeSite | string; entry: number; end: number; path: string } {
	const path = goBuild({ version, program: "nosplit" });
	const binary = openGoBinary(fileSource(path));
	const { entry, end } = binary.functionsByName([name]).get(name) ?? { entry: 0, end: 0 };
	return { site: entryWithoutCheck(binary, entry, end), entry, end, path };
}

/** Destination of an instruction in AT&T syntax, when it is one of the registers of the first four arguments, or of part of one. */
const ARGUMENT = /^(?!cmp|test|push|j|call|bt )[a-z]+ .*%([er]?(ax|bx|cx|di)|[abc][lh]|dil|r14.?|r?bp)$/;

/** Faults of an entry site: each way to a RET has to pass it once, with nothing pushed and no argument written before. */
async function entryFaults(path: string, entry: number, end: number, site: number): Promise<string[]> {
	const code = new Map<number, ListedInstruction & { next: number }>();
	let last: ListedInstruction | undefined;
	for await (const instruction of listing(`--start-address=${entry}`, `--stop-address=${end}`, path)) {
		if (last !== undefined) code.set(last.address, { ...last, next: instruction.address });
		last = instruction;
	}
	const faults = new Set<string>();
	const seen = new Set<string>();
	const pending = [{ address: entry, passed: 0 }];
	for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
		const { address, passed } = state;
		const instruction = code.get(address);
		if (seen.has(`${address} ${passed}`)) continue;
		seen.add(`${address} ${passed}`);
		if (instruction === undefined) return [`lost at ${address.toString(16)}`];
		const { text, flow, target, next } = instruction;
		const here = address === site ? passed + 1 : passed;
		if (here > 1) {
			faults.add("passed twice");
			continue;
		}
		if (here === 0 && (ARGUMENT.test(text) || /%rsp$|^(push|pop|call)/.test(text))) faults.add(`${text} before`);
		if (flow === "return" && here === 0) faults.add("returns without passing it");
		if ((flow === "jump" || flow === "branch") && target !== undefined) pending.push({ address: target, passed: here });
		if (["next", "branch", "call", "indirect-call"].includes(flow)) pending.push({ address: next, passed: here });
	}
	return [...faults];
}

const FUNCTIONS: [name: string, cost: "emulated" | "stepped", instruction: RegExp][] = [
	["leaf", "stepped", /^[0-9a-f]+$/],
	["framed", "emulated", /^push rbp$/],
	["branchFirst", "emulated", /^j/],
	["branchLater", "stepped", /^[0-9a-f]+$/],
	["loopFirst", "emulated", /^jmp /],
];

describe.each(GO_VERSIONS.filter((version) => version !== "1.15"))("Go %s", (version) => {
	for (const [name, cost, instruction] of FUNCTIONS) {
		testWith(missingCommands("objdump"))(name, async () => {
			const { site, entry, end, path } = siteIn(version, `main.${name}`);
			if (typeof site === "string") throw new Error(site);
			expect(await entryFaults(path, entry, end, site.address)).toEqual([]);
			// The frame pointer is not pushed before Go 1.21, and a subtraction is not emulated.
			const pushes = name !== "framed" || Number(version.slice(2)) >= 21;
			expect(site.cost).toBe(pushes ? cost : "stepped");
			if (pushes) expect(site.instruction).toMatch(instruction);
			expect(site.reason).toContain("no known stack check");
			expect(site.bytes.length).toBeGreaterThan(0);
		});
	}

	test("functions that do not return have none", () => {
		expect(siteIn(version, "main.endless").site).toBe("it does not return");
	});
});

test("a switch that jumps through a table is not followed", () => {
	expect(siteIn("1.23", "main.jumpTable").site).toStartWith("indirect jump at +0x");
});

test("before Go 1.17 nothing but the stack check knows the goroutine", () => {
	expect(siteIn("1.15", "main.framed").site).toBe("only the stack check knows the goroutine before Go 1.17");
});

testWith(missingCommands("objdump"))("the walk notices other sites", async () => {
	const faultsAt = async (name: string, distance: number): Promise<string> => {
		const { entry, end, path } = siteIn("1.23", `main.${name}`);
		return (await entryFaults(path, entry, end, entry + distance)).join();
	};
	expect(await faultsAt("loopFirst", 6)).toContain("passed twice");
	expect(await faultsAt("branchFirst", 5)).toContain("returns without passing it");
	expect(await faultsAt("leaf", 4)).toContain("imul   %rbx,%rax before");
	expect(await faultsAt("framed", 1)).toContain("push   %rbp before");
});

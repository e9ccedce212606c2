/** The plans of arm64 programs of every release, against what binutils shows. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { requireArchitecture } from "../../../src/plan/architecture.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild } from "../../support/go-binaries.ts";
import { thrownBy } from "../../support/thrown.ts";
import { type ListedInstruction, listText, targetOf } from "../isa/arm64/objdump.ts";

// The first build of a release compiles the standard library.
setDefaultTimeout(300_000);

const CLASSIC = [
	"runtime.hashGrow",
	...["", "_fast32", "_fast64", "_faststr"].flatMap((v) => [`runtime.growWork${v}`, `runtime.evacuate${v}`]),
];
const SWISS = [
	"(*Map).growToTable",
	"(*table).rehash",
	"(*table).grow",
	"(*table).split",
	"(*table).pruneTombstones",
].map((name) => `internal/runtime/maps.${name}`);

const BUILDS: [what: string, options: GoBuildOptions][] = [
	...GO_VERSIONS.map((version): [string, GoBuildOptions] => [version, { version, program: "chains", arch: "arm64" }]),
	["1.24 noswissmap", { version: "1.24", program: "chains", arch: "arm64", experiment: "noswissmap" }],
	["1.23 -N -l", { version: "1.23", program: "chains", arch: "arm64", gcflags: "all=-N -l" }],
];

/** Whether the caller of a function puts its first two arguments on the stack, by the instructions before the call. */
function passesOnStack(listed: readonly ListedInstruction[], fn: string): boolean {
	const call = listed.findIndex(({ mnemonic, operands }) => mnemonic === "bl" && operands.endsWith(`<${fn}>`));
	expect(call).toBeGreaterThan(0);
	const before = listed.slice(Math.max(0, call - 12), call);
	return [8, 16].every((slot) =>
		before.some(
			({ mnemonic, operands }) =>
				(mnemonic === "str" && operands.endsWith(`, [sp, #${slot}]`)) ||
				(mnemonic === "stp" && operands.endsWith(`, [sp, #8]`)),
		),
	);
}

describe.each(BUILDS)("Go %s for arm64", (_what, options) => {
	const path = goBuild(options);
	const binary = openGoBinary(fileSource(path));
	const plan = makePlan(binary);
	const text = listText(path);
	const minor = Number(options.version.slice(2));
	const swiss = minor >= 24 && options.experiment === undefined;

	test("every growth function has a site", () => {
		const names = (swiss ? SWISS : CLASSIC).filter((name) => minor >= 25 || !name.endsWith("pruneTombstones"));
		expect(plan.probes.map(({ fn }) => fn)).toEqual(names);
		expect(plan.limits).toBeUndefined();
		expect(plan.goroutine?.goid).toBe(minor === 23 || minor === 24 ? 160 : 152);
	});

	test("the sites are the branches to morestack", () => {
		for (const { fn, entry, site, gRegister } of plan.probes) {
			const listed = text.filter((line) => line.fn === fn);
			expect(listed[0]?.address).toBe(entry);
			const at = listed.find(({ address }) => address === site.address);
			expect(at?.mnemonic).toBe("b.ls");
			expect(new DataView(site.bytes.slice().buffer).getUint32(0, true)).toBe(at?.word ?? -1);
			const target = targetOf(at as ListedInstruction) ?? 0;
			expect(site.instruction).toBe(`b.ls +0x${(target - entry).toString(16)}`);
			const slow = listed.filter(({ address }) => address >= target);
			const call = slow.find(({ mnemonic }) => /^(b|bl|br|ret)/.test(mnemonic));
			expect(call?.operands).toMatch(/<runtime\.morestack_noctxt(\.abi0)?>$/);
			expect([gRegister, site.cost]).toEqual(["x28", "emulated"]);
			expect(binary.bytesAt(site.address, 4)).toEqual(site.bytes);
			expect(site.fileOffset).toBe(binary.fileOffset(site.address) ?? -1);
		}
	});

	test("the exits are all its returns", () => {
		for (const { fn, exits, exitsMissing } of plan.probes) {
			const listed = text.filter((line) => line.fn === fn);
			expect(exitsMissing).toBeUndefined();
			const returns = listed.filter(({ mnemonic }) => mnemonic === "ret");
			expect(returns.length).toBeGreaterThan(0);
			expect(exits.map(({ address }) => address)).toEqual(returns.map(({ address }) => address));
			for (const { address, bytes, entrySp, cost, fileOffset } of exits) {
				expect([...bytes]).toEqual([0xc0, 0x03, 0x5f, 0xd6]);
				expect([entrySp, cost, fileOffset]).toEqual(["stack-pointer", "emulated", binary.fileOffset(address) ?? -1]);
			}
			// Nothing leaves it in another way.
			const own = new Set(listed.map(({ address }) => address));
			const jumps = listed.filter(({ mnemonic }) => /^(b|b\.[a-z]{2}|cbn?z|tbn?z|br)$/.test(mnemonic));
			expect(jumps.filter((jump) => !own.has(targetOf(jump) ?? -1))).toEqual([]);
		}
	});

	test("arguments are where the callers put them", () => {
		const [first] = plan.probes;
		const stack = passesOnStack(text, first?.fn ?? "");
		expect(new Set(plan.probes.map(({ argAbi }) => argAbi))).toEqual(new Set([stack ? "stack" : "regs"]));
		expect(stack).toBe(minor < 18);
	});

	test("they are for arm64 machines only", () => {
		expect(thrownBy(() => requireArchitecture(binary, "amd64"))).toMatchObject({ code: "E-BIN-ARCH" });
		expect(() => requireArchitecture(binary, "arm64")).not.toThrow();
	});
});

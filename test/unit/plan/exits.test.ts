/** Where the calls of growth functions end, for every Go release: what is chosen, and that each way through the code leaves exactly once. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { ExitSite, PlannedProbe, ProbePlan } from "../../../src/plan/probe-plan.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { disassemble, exitSummary, planFaults } from "../../support/exit-check.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild } from "../../support/go-binaries.ts";
import { expectGolden } from "../report/golden.ts";

setDefaultTimeout(120_000);

const BUILDS: GoBuildOptions[] = [
	...GO_VERSIONS.map((version) => ({ version, program: "chains" })),
	{ version: "1.24", program: "chains", experiment: "noswissmap" },
	{ version: "1.25", program: "chains", experiment: "noswissmap" },
	{ version: "1.23", program: "chains", gcflags: "all=-N -l" },
	{ version: "1.27", program: "chains", gcflags: "all=-N -l" },
];
const nameOf = ({ version, experiment, gcflags }: GoBuildOptions): string =>
	[version, experiment, gcflags].filter((part) => part !== undefined).join(" ");

const needed = missingCommands("objdump");

function planOf(options: GoBuildOptions): ProbePlan {
	return makePlan(openGoBinary(fileSource(goBuild(options))));
}

test("what is chosen", async () => {
	const lines = BUILDS.flatMap((options) => {
		const rows = planOf(options).probes.map(({ fn, exits, exitsMissing }) => {
			return `  ${fn}\n${exits.map((exit) => `    ${exitSummary(exit)}`).join("\n") || `    none: ${exitsMissing}`}`;
		});
		return [nameOf(options), ...rows];
	});
	await expectGolden("exit-sites.txt", `${lines.join("\n")}\n`);
});

describe("every way through the code", () => {
	for (const options of BUILDS) {
		testWith(needed)(`leaves exactly once: ${nameOf(options)}`, async () => {
			const path = goBuild(options);
			const binary = openGoBinary(fileSource(path));
			const plan = makePlan(binary);
			const code = await disassemble(binary, plan, path);
			expect(planFaults(plan, code)).toEqual([]);
			for (const { exits, entry } of plan.probes) {
				expect(exits.length).toBeGreaterThan(0);
				for (const exit of exits) {
					expect(binary.bytesAt(exit.address, exit.bytes.length)).toEqual(exit.bytes);
					expect(binary.fileOffset(exit.address)).toBe(exit.fileOffset);
					const shown = code.get(exit.address);
					expect((shown?.end ?? 0) - exit.address).toBe(exit.bytes.length);
					// "je +0x66" is "je 410046 <runtime.growWork+0x66>".
					const [mnemonic, operand] = exit.instruction.split(" ");
					expect(shown?.text).toStartWith(mnemonic ?? "");
					if (operand?.startsWith("+0x")) expect(shown?.target).toBe(entry + Number(operand.slice(1)));
					expect(exit.cost).toBe(mnemonic === "ret" ? "stepped" : "emulated");
				}
			}
		});
	}
});

describe("the check finds", () => {
	const options: GoBuildOptions = { version: "1.27", program: "chains" };
	const classic: GoBuildOptions = { version: "1.23", program: "chains" };
	const faultsWith = async (
		build: GoBuildOptions,
		fn: string,
		change: (exits: ExitSite[], probe: PlannedProbe) => ExitSite[],
	): Promise<string> => {
		const path = goBuild(build);
		const binary = openGoBinary(fileSource(path));
		const plan = makePlan(binary);
		const code = await disassemble(binary, plan, path);
		const probes = plan.probes.map((probe) =>
			probe.fn.endsWith(fn) ? { ...probe, exits: change([...probe.exits], probe) } : probe,
		);
		return planFaults({ ...plan, probes }, code).join("\n");
	};

	const cases: [string, GoBuildOptions, string, (exits: ExitSite[], probe: PlannedProbe) => ExitSite[], string][] = [
		["a way without an exit", options, "pruneTombstones", (exits) => exits.slice(1), "returns inside"],
		[
			"a call behind the outcome that goes on",
			options,
			"pruneTombstones",
			(exits) => exits.map(({ leavesWhen: _, ...exit }) => exit),
			"calls  when it was left",
		],
		[
			"a way with two exits",
			classic,
			"hashGrow",
			(exits) => exits.map(({ leavesWhen: _, ...exit }) => exit),
			"left a second time",
		],
		[
			"the wrong outcome",
			classic,
			"growWork",
			(exits) => exits.map((exit) => ({ ...exit, leavesWhen: { condition: 4, taken: false } })),
			"calls runtime.evacuate when it was left",
		],
		[
			"the wrong last function",
			classic,
			"growWork",
			(exits) => exits.map((exit) => ({ ...exit, handsOverTo: "runtime.hashGrow" })),
			"instead of the last function",
		],
		[
			"a call behind an exit",
			classic,
			"evacuate",
			(exits) => exits.map((exit) => ({ ...exit, tail: { ...exit.tail, calls: [] } })),
			"calls runtime.advanceEvacuationMark when it was left",
		],
		[
			"a frame pointer that is not there",
			options,
			"(*table).split",
			(exits) => exits.map((exit) => ({ ...exit, entrySp: "frame-pointer" as const })),
			"the entry's stack pointer is not there",
		],
		[
			"an exit that is passed again and again",
			options,
			"(*table).grow",
			(exits, { entry }) => [
				{ ...exits[0], address: entry + 0x80, leavesWhen: { condition: 0, taken: true } } as ExitSite,
			],
			"passed twice",
		],
	];
	for (const [what, build, fn, change, fault] of cases) {
		testWith(needed)(what, async () => {
			expect(await faultsWith(build, fn, change)).toContain(fault);
		});
	}
});

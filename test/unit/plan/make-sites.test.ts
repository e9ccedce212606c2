/** Where makes are seen in programs of all releases, and that the words of the frame are those that the disassembler shows. */
import { describe, expect, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { surveyMakes } from "../../../src/plan/make-sites.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild, run } from "../../support/go-binaries.ts";

const program = "makes";

type Build = Omit<GoBuildOptions, "program"> & { program?: string };

function found(options: Build) {
	const path = goBuild({ program, ...options });
	const binary = openGoBinary(fileSource(path));
	const probes = surveyMakes(binary).map(({ wanted, probe }) => {
		if (typeof probe === "string") throw new Error(`${wanted.fn}: ${probe}`);
		return probe;
	});
	return { path, binary, probes, makes: probes.filter(({ role }) => role !== "collect") };
}

/** The instructions of a function as objdump shows them: address and text. */
function disassembled(path: string, fn: string, arch: "amd64" | "arm64"): { address: number; text: string }[] {
	const tool = arch === "amd64" ? "objdump" : "aarch64-linux-gnu-objdump";
	const lines = run([tool, "-d", "--no-show-raw-insn", `--disassemble=${fn}`, path]).split("\n");
	return lines.flatMap((line) => {
		const [, address, text] = /^\s+([0-9a-f]+):\s+(.*)$/.exec(line) ?? [];
		return address === undefined || text === undefined ? [] : [{ address: Number.parseInt(address, 16), text }];
	});
}

/** How the word is written that the seed is stored with, and the one that is loaded before. */
const SHAPES = {
	amd64: {
		load: (at: number) => `0x${at.toString(16)}(%rsp),%rcx`,
		store: (seed: number) => new RegExp(`^mov\\s+%[er]ax,0x${seed.toString(16)}\\(%rcx\\)`),
		call: /^call\b.*rand/,
	},
	arm64: {
		load: (at: number) => `x1, [sp, #${at}]`,
		store: (seed: number) => new RegExp(`^str\\s+[wx]0, \\[x1, #${seed}\\]`),
		call: /^bl\b.*rand/,
	},
};

for (const arch of ["amd64", "arm64"] as const) {
	describe(`makes on ${arch}`, () => {
		for (const version of GO_VERSIONS) {
			test(`Go ${version}`, () => {
				const { path, binary, makes } = found({ version, arch });
				expect(makes.map(({ role }) => role)).toEqual(["makeSmall", "make"]);
				const seed = binary.mapImpl === "swiss" ? 8 : 12;
				for (const { fn, site, make, everyPass } of makes) {
					expect(site.cost).toBe("emulated");
					if (Number(version.slice(2)) < 22) {
						expect({ make, everyPass }).toEqual({ make: {}, everyPass: undefined });
						continue;
					}
					const code = disassembled(path, fn, arch);
					const at = code.findIndex(({ address }) => address === site.address);
					const [call, load, store] = code.slice(at, at + 3);
					expect(call?.text).toMatch(SHAPES[arch].call);
					expect(load?.text).toContain(SHAPES[arch].load(make?.headerAt ?? 0));
					expect(store?.text).toMatch(SHAPES[arch].store(seed));
					expect(make?.hintAt !== undefined && make.typeAt !== undefined).toBe(fn !== "runtime.makemap_small");
				}
			});
		}
	});
}

describe("makes of other builds are found, too", () => {
	const builds: [string, Build][] = [
		["stripped", { version: "1.24", ldflags: "-s -w" }],
		["position-independent", { version: "1.23", buildmode: "pie" }],
		["without optimisation", { version: "1.23", gcflags: "all=-N -l" }],
		["without optimisation, swiss maps", { version: "1.27", gcflags: "all=-N -l" }],
		["cgo", { version: "1.24", cgo: true, program: "exports" }],
		["classic maps of 1.24", { version: "1.24", experiment: "noswissmap" }],
	];
	for (const [what, options] of builds) {
		test(what, () => {
			const { makes } = found(options);
			expect(makes.map(({ make }) => make?.headerAt !== undefined)).toEqual([true, true]);
			expect(makes.map(({ make }) => make?.hintAt !== undefined)).toEqual([false, true]);
		});
	}
});

describe("the plan", () => {
	test("has makes only when they are asked for, and states what it cannot link", () => {
		const { binary } = found({ version: "1.19" });
		expect(makePlan(binary).probes.filter(({ tier }) => tier === "make")).toEqual([]);
		const { probes, limits = [] } = makePlan(binary, { makes: true });
		expect(probes.filter(({ tier }) => tier === "make").map(({ fn }) => fn)).toEqual([
			...["runtime.makemap_small", "runtime.makemap", "runtime.gcMarkTermination"],
		]);
		expect(limits.join("\n")).toContain("runtime.makemap_small and runtime.makemap are counted, but");
		const newer = makePlan(found({ version: "1.27" }).binary, { makes: true });
		expect((newer.limits ?? []).join("\n")).not.toContain("not linked");
	});
});

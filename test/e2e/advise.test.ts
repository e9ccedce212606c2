/** Advice from recordings alone: applied by the tool's own patch, the program built and run again. */
import { describe, expect } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Advice, AdviceRecord } from "../../src/advise/record.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { goTool, run } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";
import { validateRecords } from "../support/schema.ts";
import { GOMAPGROW, parseRecords } from "../support/trace.ts";

const tracingTest = testWith(missingForTracing() ?? missingCommands("patch"));
const TIMEOUT = 300_000;
const SCENARIOS = ["fixed", "two", "huge", "tiny"] as const;
/** TotalAlloc holds what the runtime allocates for itself, too. */
const PRECISION = 0.05;

interface Seen {
	/** Bytes allocated, without probes. */
	allocated: number;
	growths: number;
}

/** Builds the program in its folder and runs each scenario, alone and recorded to NAME-SCENARIO.ndjson. */
function measure(folder: string, version: string, name: string): Map<string, Seen> {
	const program = join(folder, "prog");
	goTool(version, ["build", "-o", program, join(folder, "main.go")]);
	return new Map(
		SCENARIOS.map((what) => {
			const allocated = Number(run([program, "-what", what]));
			const file = join(folder, `${name}-${what}.ndjson`);
			run([GOMAPGROW, "run", "--makes", "--no-latency", "--budget", "off", "-o", file, "--", program, "-what", what]);
			const end = parseRecords(readFileSync(file, "utf8")).at(-1);
			if (end?.type !== "end" || typeof end.growths !== "number") throw new Error("no exact growths");
			return [what, { allocated, growths: end.growths }];
		}),
	);
}

function advise(folder: string, args: readonly string[]): { out: string; code: number | null } {
	const { stdout, exitCode } = Bun.spawnSync([GOMAPGROW, "advise", ...args], { cwd: folder, stderr: "pipe" });
	return { out: stdout.toString(), code: exitCode };
}

/** Of lines of the program, whose functions begin so. */
const sums = (advice: readonly Advice[], functions: RegExp) => {
	const mine = advice.filter(({ kind, make_at }) => kind === "presize" && functions.test(make_at.fn));
	return {
		growths: mine.reduce((sum, each) => sum + each.growths_saved, 0),
		bytes: mine.reduce((sum, each) => sum + each.bytes_saved, 0),
	};
};

describe.each(["1.23", "1.27"])("Go %s", (version) => {
	tracingTest(
		"what is promised comes true, and what needs no hint is left alone",
		() => {
			const folder = temporaryFolder(`advise-${version}`);
			cpSync(join(import.meta.dir, "../programs/sized/main.go"), join(folder, "main.go"));
			const before = measure(folder, version, "before");
			const recordings = SCENARIOS.map((what) => `before-${what}.ndjson`);
			const record: AdviceRecord = JSON.parse(advise(folder, ["--json", ...recordings]).out);
			expect(validateRecords([record])).toEqual([]);
			const mine = record.advice.filter(({ make_at }) => make_at.fn.startsWith("main."));
			expect(mine.map(({ kind, make_at }) => `${make_at.fn} ${kind}`).sort()).toEqual([
				...["main.huge presize", "main.newIndex presize", "main.newLarge presize", "main.newSmall presize"],
				"main.newTiny leave",
			]);
			expect(mine.every(({ own }) => own)).toBe(true);
			const grower = mine.find(({ make_at }) => make_at.fn === "main.newIndex")?.grows_at;
			expect(grower?.fn).toBe("main.(*index).fill");

			const { out: patch } = advise(folder, ["--patch", ...recordings]);
			writeFileSync(join(folder, "hints.patch"), patch);
			run(["patch", "-d", folder, "-p1", "-i", "hints.patch"]);
			expect(readFileSync(join(folder, "main.go"), "utf8")).toContain("m := make(map[int]int, ");
			const after = measure(folder, version, "after");
			const functions = { fixed: /newIndex/, two: /newSmall|newLarge/, huge: /huge/ };
			for (const [what, names] of Object.entries(functions)) {
				const [was, is] = [before.get(what), after.get(what)];
				if (was === undefined || is === undefined) throw new Error(what);
				const promised = sums(mine, names);
				expect(was.growths - is.growths).toBe(promised.growths);
				const saved = was.allocated - is.allocated;
				expect(Math.abs(saved - promised.bytes)).toBeLessThan(PRECISION * promised.bytes);
				expect(advise(folder, ["--check", `before-${what}.ndjson`, `after-${what}.ndjson`])).toMatchObject({ code: 0 });
			}
			expect(after.get("tiny")?.growths).toBe(before.get("tiny")?.growths as number);
			// Nothing has changed, or other work: it cannot be judged.
			expect(advise(folder, ["--check", "before-fixed.ndjson", "before-fixed.ndjson"]).code).toBe(1);
			expect(advise(folder, ["--check", "before-fixed.ndjson", "after-huge.ndjson"]).code).toBe(1);
		},
		TIMEOUT,
	);
});

/** The gate for CI on real recordings: exact counts of fixed work, of this version and of one that grows more. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

testWith(missingForTracing())("report --diff passes equal work, and finds the call site that grows more", async () => {
	const folder = temporaryFolder("report-diff");
	const grow = buildProgram("grow", "1.27");
	const gomapgrow = async (args: string[], env: Record<string, string> = {}) => {
		const program = start([GOMAPGROW, ...args], { env: { ...process.env, GITHUB_ACTIONS: "", ...env } });
		return { code: (await program.exited).code, text: program.stdout, errors: program.stderr };
	};
	const record = async (name: string, keys: string) => {
		const output = join(folder, `${name}-{name}.ndjson.gz`);
		const { code, errors } = await gomapgrow(["run", "--budget", "off", "-o", output, "--", grow, "str", keys]);
		expect(`${code} ${errors}`).toStartWith("0 ");
		return join(folder, `${name}-${grow.split("/").at(-1)}.ndjson.gz`);
	};
	const [base, same, more] = [await record("base", "2000"), await record("same", "2000"), await record("more", "4000")];
	const limits = ["--fail-above", "growths=0%"];
	const equal = await gomapgrow(["report", same, "--diff", base, ...limits]);
	expect([equal.code, equal.text]).toEqual([0, expect.stringContaining("within the limits")]);
	const summary = join(folder, "summary.md");
	const github = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary };
	const flame = join(folder, "diff.svg");
	const above = await gomapgrow(["report", more, "--diff", base, "--flame", flame, ...limits], github);
	expect(above.code).toBe(5);
	expect(above.text).toMatch(/^::error file=\S+main\.go,line=\d+,title=map growth::main\.growStr /m);
	expect(readFileSync(summary, "utf8")).toContain("main.growStr");
	expect(readFileSync(flame, "utf8")).toContain("before ");
	const rates = await gomapgrow(["report", more, "--diff", base, "--per", "second", ...limits]);
	expect([rates.code, rates.errors]).toEqual([1, expect.stringContaining("cannot judge: ")]);
});

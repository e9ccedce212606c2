/** Every jq recipe of the README works on a recording made as the README says. */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { temporaryFolder } from "../support/processes.ts";
import { runTraced } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const README = readFileSync(resolve(import.meta.dir, "../../README.md"), "utf8");
const section = README.slice(README.indexOf("## Recipes"), README.indexOf("## Safe?"));
const recipes = [...section.matchAll(/^(.+)\n\n```sh\n(jq [\s\S]*?)```/gm)].map((match) => ({
	title: match[1] ?? "",
	command: match[2] ?? "",
}));

const recipeTest = testWith(missingForTracing(), missingCommands("jq"));

describe("recipes of the README", () => {
	const folder = temporaryFolder("recipes");
	let recorded = false;

	async function record(): Promise<void> {
		if (recorded) return;
		const trace = await runTraced([buildProgram("demo", "1.23"), "-for", "3s"]);
		expect(trace.end.complete).toBe(true);
		writeFileSync(join(folder, "run.ndjson"), trace.stdout);
		recorded = true;
	}

	test("are found", () => {
		expect(recipes.length).toBeGreaterThanOrEqual(6);
	});

	for (const { title, command } of recipes) {
		recipeTest(
			title,
			async () => {
				await record();
				const result = Bun.spawnSync(["bash", "-euo", "pipefail", "-c", command], { cwd: folder });
				expect(result.stderr.toString()).toBe("");
				expect(result.exitCode).toBe(0);
				const lines = result.stdout.toString().trimEnd().split("\n");
				expect(lines.filter((line) => line.trim() === "" || /\bnull\b/.test(line))).toEqual([]);
			},
			60_000,
		);
	}
});

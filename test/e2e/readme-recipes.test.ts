/** Every jq recipe of the README and of the page of records works on a recording of the demo service. */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { temporaryFolder } from "../support/processes.ts";
import { runTraced } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const PAGES = ["README.md", "docs/records.md"];

/** The part of a page below this heading, up to the next one of the same rank. */
function sectionOf(page: string, heading: string): string {
	const text = readFileSync(resolve(import.meta.dir, "../..", page), "utf8");
	const [, rest = ""] = text.split(`\n## ${heading}\n`);
	return rest.split("\n## ")[0] ?? "";
}

const recipes = PAGES.map((page) => sectionOf(page, "Recipes")).flatMap((section) =>
	[...section.matchAll(/^(.+)\n\n```sh\n(jq [\s\S]*?)```/gm)].map(([, title = "", command = ""]) => ({
		title,
		command,
	})),
);

const recipeTest = testWith(missingForTracing(), missingCommands("jq"));

describe("recipes", () => {
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
		expect(recipes.length).toBeGreaterThanOrEqual(10);
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

/** Values of options and operands reach the commands as they were typed. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cac } from "cac";
import { asTyped, keepTyped } from "../../../src/cli/as-typed.ts";
import { temporaryFolder } from "../../support/processes.ts";
import { syntheticRecording } from "../../support/synthetic-recording.ts";

const MAIN = resolve(import.meta.dir, "../../../src/cli/main.ts");
const WORDS = [
	"07",
	"0x10",
	"1e3",
	"12345678901234567890",
	"1.50",
	"-",
	"",
	"true",
	"false",
	"Infinity",
	"etcd",
	"a=07",
];

function parsed(args: string[]) {
	const cli = cac("tool");
	cli.command("watch [...operands]", "").option("--json", "").option("-o, --output <file>", "");
	cli.parse(["", "", ...keepTyped(args)], { run: false });
	return { operands: cli.args.map(asTyped), output: asTyped(cli.options.output), json: cli.options.json };
}

describe("stays as it was typed:", () => {
	test.each(WORDS)("%p", (word) => {
		const expected = { operands: [word], output: word, json: true };
		expect(parsed(["watch", "--json", word, "--output", word])).toEqual(expected);
		expect(parsed(["watch", word, "--json", "-o", word])).toEqual(expected);
		expect(parsed(["watch", `--output=${word}`, "--json", word])).toEqual(expected);
	});

	test("what stands behind --", () => {
		expect(keepTyped(["watch", "7", "--", "7", "--output=7", "-"])).toEqual([
			...["watch", "\u00007", "--", "7", "--output=7", "-"],
		]);
	});

	test("the name of a file that is written and of one that is read", () => {
		const folder = temporaryFolder("typed");
		writeFileSync(join(folder, "0x20"), syntheticRecording({ seed: 1, windows: 1, growthsPerWindow: 5 }).text);
		for (const name of ["07", "0x10", "12345678901234567890"]) {
			const run = Bun.spawnSync([process.execPath, MAIN, "report", "0x20", "--flame", name], { cwd: folder });
			expect(run.stderr.toString()).toBe("");
			expect(existsSync(join(folder, name))).toBe(true);
		}
		expect(readdirSync(folder).sort()).toEqual(["07", "0x10", "0x20", "12345678901234567890"]);
	});
});

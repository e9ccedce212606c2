/** What stands behind -- names something as what stands before it does: it must never be taken for nothing. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../../src/cli/main.ts");
const NAME = "gmg-no-such-name";

function gomapgrow(...args: string[]): { code: number; stdout: string; stderr: string } {
	const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args]);
	return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

describe("behind --", () => {
	for (const [command, code] of [
		["snapshot", "E-TARGET-NOT-FOUND"],
		["inspect", "E-TARGET-NOT-FOUND"],
		["report", "E-IO"],
	] as const) {
		test(`${command} finds its operand`, () => {
			const { stderr, stdout } = gomapgrow(command, "--", NAME);
			expect(stderr).toStartWith(`error[${code}]: `);
			expect(stderr).toContain(NAME);
			expect(stdout).toBe("");
		});
	}
	test("a name that looks like an option is a name", () => {
		expect(gomapgrow("snapshot", "--", "--json").stderr).toContain('one process named "--json"; found none');
		expect(gomapgrow("snapshot", "--json", "--", "--help").stderr).toContain('one process named "--help"; found none');
	});
	test("a name that looks like a number stays as it was typed", () => {
		expect(gomapgrow("snapshot", "--", "0x10").stderr).toContain('one process named "0x10"; found none');
	});
	test("operands on both sides are all counted", () => {
		const { stderr } = gomapgrow("snapshot", NAME, "--", NAME);
		expect(stderr).toStartWith("error[E-USAGE]: ");
		expect(stderr).toContain("found 2");
	});
	test("a shell's name is an operand, too", () => {
		expect(gomapgrow("completion", "--", "bash").stdout).toContain("gomapgrow");
	});
});

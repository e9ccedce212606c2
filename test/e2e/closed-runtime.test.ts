/**
 * Whatever the environment says, the executable runs nothing but gomapgrow: it is started as root, or has capabilities
 * of its own.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { closeRuntime } from "../../build/close-runtime.ts";
import { temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW } from "../support/trace.ts";

const folder = temporaryFolder("closed");
const ran = join(folder, "ran");
const foreign = join(folder, "foreign.ts");
writeFileSync(foreign, `require("node:fs").writeFileSync(${JSON.stringify(ran)}, "");\n`);
const code = `require("node:fs").writeFileSync(${JSON.stringify(ran)}, "")`;

function runWith(env: Record<string, string>, args: string[]) {
	const run = Bun.spawnSync([GOMAPGROW, ...args], {
		env: { PATH: "/usr/bin:/bin", ...env },
		cwd: folder,
		timeout: 20_000,
	});
	return { code: run.exitCode, stdout: run.stdout.toString(), stderr: run.stderr.toString() };
}

const usual = runWith({}, ["--version"]);

describe("the executable", () => {
	test("says its version", () => {
		expect(usual.stdout).toMatch(/^gomapgrow \d/);
		expect(usual).toMatchObject({ code: 0, stderr: "" });
	});

	test.each([
		{ BUN_BE_BUN: "1" },
		{ BUN_OPTIONS: `--preload ${foreign}` },
		{ BUN_OPTIONS: `--require=${foreign} --inspect-brk=127.0.0.1:0` },
		{ BUN_INSPECT: "ws://127.0.0.1:0/x?wait=1" },
		{
			BUN_INSPECT: `ws+unix://${join(folder, "inspect")}?wait=1`,
			BUN_INSPECT_NOTIFY: `unix://${join(folder, "notify")}`,
		},
		{ BUN_INSPECT_CONNECT_TO: "ws://127.0.0.1:9/" },
		{ BUN_INSPECT_PRELOAD: foreign },
		{ NODE_OPTIONS: `--require ${foreign}` },
		{ BUN_BYTECODE_ORDER_OUT: join(folder, "order"), BUN_BYTECODE_DIGEST_OUT: join(folder, "digest") },
		{ BUN_BYTECODE_ORDER_OUT: join(folder, "order"), BUN_BYTECODE_ORDER_NAMES_OUT: join(folder, "names") },
	] as Record<string, string>[])("is not told otherwise by %p", (env) => {
		expect(runWith(env, ["--version"])).toEqual(usual);
		expect(existsSync(ran)).toBe(false);
		expect(readdirSync(folder)).toEqual(["foreign.ts"]);
	});

	test("is no interpreter, under any of Bun's names", () => {
		const refused = runWith({ BUN_BE_BUN: "1" }, ["-e", code]);
		expect(refused).toMatchObject({ code: 2, stderr: "" });
		expect(refused.stdout).toContain("usage:  gomapgrow <command>");
		expect(runWith({ BUN_BE_BUN: "1" }, ["run", foreign]).stderr).toContain("error[E-");
		for (const name of ["bun", "node", "bunx"]) {
			const run = Bun.spawnSync(["bash", "-c", 'exec -a "$1" "$0" -e "$2"', GOMAPGROW, name, code], {
				env: { BUN_BE_BUN: "1" },
			});
			expect(run.exitCode).not.toBe(0);
		}
		expect(existsSync(ran)).toBe(false);
	});

	test("was closed by the build, which fails where a name is not found", () => {
		const name = Buffer.from("BUN_BE_BUN");
		const elf = readFileSync(process.execPath);
		const at = elf.indexOf(name);
		expect(at).toBeGreaterThan(0);
		elf.write("_", at);
		expect(() => closeRuntime(elf)).toThrow("wanted the name BUN_BE_BUN");
	});
});

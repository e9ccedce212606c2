/** How every error must look to the user. */
import { expect } from "bun:test";
import { ERROR_CODES, type ErrorCode } from "../../src/errors/error.ts";
import type { Program } from "./processes.ts";

/** The program ends with this error: one sentence on standard error, its exit code, nothing on standard output. Returns standard error. */
export async function expectError(program: Program, code: ErrorCode): Promise<string> {
	const exit = await program.finish();
	expect(program.stderr).toStartWith(`error[${code}]: wanted `);
	expect(program.stderr).toContain("; found ");
	expect(program.stderr.match(/^error\[/gm)).toHaveLength(1);
	expect(program.stderr).not.toMatch(/^\s+at .*[:(]|\.ts:|undefined|\[object|\bNaN\b/m);
	expect(program.stdout).toBe("");
	expect(exit).toEqual({ code: ERROR_CODES[code], signal: undefined });
	return program.stderr;
}

/** `gomapgrow doctor` that finds the host unusable: what it printed, in which that error is. */
export async function expectDiagnosis(program: Program, code: ErrorCode): Promise<string> {
	const exit = await program.finish();
	expect(program.stderr).toBe("");
	expect(program.stdout).toContain(`\nnot ready: error[${code}]: wanted `);
	expect(exit).toEqual({ code: ERROR_CODES[code], signal: undefined });
	return program.stdout;
}

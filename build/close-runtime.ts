/**
 * bun build/close-runtime.ts EXECUTABLE: makes the Bun in a compiled executable deaf to the environment variables
 * that would have it run other code than what it was compiled with, or write files of its own. Bun has no option
 * for that, and code of ours comes too late: BUN_BE_BUN is read first. So the first byte of these names is set to 0
 * where the runtime keeps them, and no variable has such a name: for C the name is empty, for Rust it holds a byte
 * that the environment cannot hold. What begins inside a name (the linker shares tails of strings) stays.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { openElf } from "../src/elf/elf-file.ts";
import { memorySource } from "../src/elf/memory-source.ts";

/** BUN_INSPECT: also what begins so, like BUN_INSPECT_PRELOAD. */
export const CLOSED_NAMES = [
	"BUN_BE_BUN",
	"BUN_OPTIONS",
	"BUN_INSPECT",
	"BUN_BYTECODE_ORDER_OUT",
	"BUN_BYTECODE_ORDER_NAMES_OUT",
	"BUN_BYTECODE_DIGEST_OUT",
] as const;

/**
 * Changes the bytes of an executable. Throws when a name is not there: another version of Bun may keep it in
 * another way.
 */
export function closeRuntime(bytes: Uint8Array): void {
	const constants = openElf(memorySource(bytes)).section(".rodata");
	if (constants === undefined) throw new Error("wanted a section .rodata; found none");
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = constants.offset + constants.size;
	for (const name of CLOSED_NAMES) {
		let count = 0;
		for (let at = view.indexOf(name, constants.offset); at >= 0 && at < end; at = view.indexOf(name, at + 1)) {
			view[at] = 0;
			count++;
		}
		if (count === 0) throw new Error(`wanted the name ${name} in the runtime; found none`);
	}
}

if (import.meta.main) {
	const [path] = process.argv.slice(2);
	if (path === undefined) throw new Error("wanted the path of an executable");
	const bytes = readFileSync(path);
	closeRuntime(bytes);
	writeFileSync(path, bytes);
}

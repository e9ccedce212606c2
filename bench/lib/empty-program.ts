/** A BPF program that does nothing (bench/empty.bpf.c), compiled and loaded: what any probe costs at least. */
import type { Pointer } from "bun:ffi";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { errnoName } from "../../src/kernel/errno.ts";
import { type AttachMode, BPF_TRACE_UPROBE_MULTI } from "../../src/kernel/features.ts";
import { cstring, libbpf, pointerOrNull } from "../../src/kernel/libbpf.ts";
import type { LoadedPrograms } from "../../src/kernel/uprobe-link.ts";

const TOP = resolve(import.meta.dir, "../..");

export class EmptyProgram implements LoadedPrograms {
	readonly mode: AttachMode;
	readonly #object: Pointer;
	// libbpf points into it until the object is loaded.
	readonly #image: Uint8Array;

	constructor(mode: AttachMode) {
		this.mode = mode;
		const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
		try {
			const path = join(folder, "empty.bpf.o");
			const built = Bun.spawnSync(["build/bpf-object.sh", "bench/empty.bpf.c", path], { cwd: TOP, stderr: "inherit" });
			if (!built.success) throw new Error(`build/bpf-object.sh ended with ${built.exitCode}`);
			const file = readFileSync(path);
			this.#image = new Uint8Array(new ArrayBuffer(file.length));
			this.#image.set(file);
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
		const object = pointerOrNull(libbpf().bpf_object__open_mem(this.#image, this.#image.length, null));
		if (object === null) throw new Error("the empty program cannot be opened");
		this.#object = object;
		if (mode === "multi") libbpf().bpf_program__set_expected_attach_type(this.program("empty"), BPF_TRACE_UPROBE_MULTI);
		const code = libbpf().bpf_object__load(object);
		if (code !== 0) throw new Error(`the empty program cannot be loaded: ${errnoName(code)}`);
	}

	program(name: string): Pointer {
		const program = pointerOrNull(libbpf().bpf_object__find_program_by_name(this.#object, cstring(name)));
		if (program === null) throw new Error(`no program ${name}`);
		return program;
	}
}

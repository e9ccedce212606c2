/**
 * Where the running kernel keeps fields of a thread, from the type information that it has of itself
 * (BTF: Documentation/bpf/btf.rst), read with libbpf.
 */
import { CString, type Pointer, read } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cstring, type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";

const PATH = "/sys/kernel/btf/vmlinux";
/** In securityfs, which need not be mounted. */
const LOCKDOWN = "/sys/kernel/security/lockdown";

/** BTF_KIND_STRUCT and BTF_KIND_UNION; struct btf_type and struct btf_member (include/uapi/linux/btf.h). */
const KIND = { struct: 4, union: 5 } as const;
const TYPE = { bytes: 12, info: 4 } as const;
const MEMBER = { bytes: 12, name: 0, type: 4, offset: 8 } as const;
/**
 * Structs without a name in structs without a name, and so on: a kernel with shuffled structs has one level of them.
 */
const MAX_DEPTH = 4;

/** In bytes from the beginning of struct task_struct; absent where the kernel does not say. */
export interface TaskOffsets {
	/** thread.fsbase, on x86-64 (arch/x86/include/asm/processor.h, Linux 4.7 and newer). */
	fsBase?: number;
	/** se.sum_exec_runtime and se.exec_start, in nanoseconds (include/linux/sched.h, struct sched_entity). */
	sumExecRuntime?: number;
	execStart?: number;
}

class KernelTypes {
	readonly #lib: Libbpf;
	readonly #btf: Pointer;

	constructor(lib: Libbpf, btf: Pointer) {
		this.#lib = lib;
		this.#btf = btf;
	}

	/** The byte offset of a member of a struct, also of one in members of it that have no name. */
	offset(struct: string, member: string): number | undefined {
		const id = this.#lib.btf__find_by_name_kind(this.#btf, cstring(struct), KIND.struct);
		return id < 0 ? undefined : this.#offsetIn(id, member, MAX_DEPTH);
	}

	#offsetIn(id: number, wanted: string, depth: number): number | undefined {
		const type = pointerOrNull(this.#lib.btf__type_by_id(this.#btf, id));
		if (type === null) return undefined;
		const info = read.u32(type, TYPE.info);
		const kind = (info >>> 24) & 0x1f;
		if (kind !== KIND.struct && kind !== KIND.union) return undefined;
		// With the flag the offset's upper 8 bits are the size of a bit field.
		const mask = info >>> 31 === 1 ? 0xffffff : 0xffffffff;
		for (let i = 0; i < (info & 0xffff); i++) {
			const at = TYPE.bytes + i * MEMBER.bytes;
			const offset = ((read.u32(type, at + MEMBER.offset) & mask) >>> 0) / 8;
			const name = this.#name(read.u32(type, at + MEMBER.name));
			if (name === wanted) return offset;
			if (name !== "" || depth === 0) continue;
			const inner = this.#offsetIn(read.u32(type, at + MEMBER.type), wanted, depth - 1);
			if (inner !== undefined) return offset + inner;
		}
		return undefined;
	}

	#name(offset: number): string {
		const name = pointerOrNull(this.#lib.btf__name_by_offset(this.#btf, offset));
		return name === null ? "" : String(new CString(name));
	}
}

function sum(outer: number | undefined, inner: number | undefined): number | undefined {
	return outer === undefined || inner === undefined ? undefined : outer + inner;
}

/**
 * What the running kernel says of its threads; some 30 ms. Nothing when it has no BTF, or is in the stricter mode of
 * lockdown, in which no BPF program may read the kernel's memory (include/linux/security.h, LOCKDOWN_BPF_READ_KERNEL).
 * Throws E-HOST-LIBBPF.
 */
export function taskOffsets(path = PATH, lockdown = LOCKDOWN): TaskOffsets {
	if (textIfThere(lockdown).includes("[confidentiality]")) return {};
	const lib = libbpf();
	const btf = pointerOrNull(lib.btf__parse_raw(cstring(path)));
	if (btf === null) return {};
	try {
		const types = new KernelTypes(lib, btf);
		const fsBase = sum(types.offset("task_struct", "thread"), types.offset("thread_struct", "fsbase"));
		const entity = types.offset("task_struct", "se");
		const sumExecRuntime = sum(entity, types.offset("sched_entity", "sum_exec_runtime"));
		const execStart = sum(entity, types.offset("sched_entity", "exec_start"));
		return {
			...(fsBase === undefined ? {} : { fsBase }),
			...(sumExecRuntime === undefined ? {} : { sumExecRuntime }),
			...(execStart === undefined ? {} : { execStart }),
		};
	} finally {
		lib.btf__free(btf);
	}
}

/** Empty for a file that is not there or is not for us. */
function textIfThere(path: string): string {
	try {
		return readFileSync(path, "latin1");
	} catch {
		return "";
	}
}

/**
 * Where the running kernel keeps fields of a thread, from the type information that it has of itself
 * (BTF: Documentation/bpf/btf.rst), read with libbpf.
 */
import { CString, type Pointer, read } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cstring, type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import type { FOLLOW_OFFSETS } from "./wire.ts";

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

/** What the programs of bpf/follow.h read, in bytes from the beginning of each struct. Names of fields as in wire.ts, FOLLOW_OFFSETS. */
export type FollowOffsets = Record<Exclude<keyof typeof FOLLOW_OFFSETS, "size">, number>;

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
	return kernelOffsets(path, lockdown).task;
}

/** As taskOffsets; `follow`: absent where the kernel does not say all of it. */
export function kernelOffsets(path = PATH, lockdown = LOCKDOWN): { task: TaskOffsets; follow?: FollowOffsets } {
	if (textIfThere(lockdown).includes("[confidentiality]")) return { task: {} };
	const lib = libbpf();
	const btf = pointerOrNull(lib.btf__parse_raw(cstring(path)));
	if (btf === null) return { task: {} };
	try {
		const types = new KernelTypes(lib, btf);
		const follow = followOffsets(types);
		return { task: ofTask(types), ...(follow === undefined ? {} : { follow }) };
	} finally {
		lib.btf__free(btf);
	}
}

/** Linux 6.7 has renamed the time of an inode, 6.11 has split it. */
function mtimeOf(types: KernelTypes): { seconds: number | undefined; ns: number | undefined } {
	const seconds = types.offset("inode", "i_mtime_sec");
	if (seconds !== undefined) return { seconds, ns: types.offset("inode", "i_mtime_nsec") };
	const time = types.offset("inode", "__i_mtime") ?? types.offset("inode", "i_mtime");
	return { seconds: time, ns: sum(time, 8) };
}

function followOffsets(types: KernelTypes): FollowOffsets | undefined {
	const mtime = mtimeOf(types);
	const offsets: Record<keyof FollowOffsets, number | undefined> = {
		taskTgid: types.offset("task_struct", "tgid"),
		taskExitCode: types.offset("task_struct", "exit_code"),
		taskSignal: types.offset("task_struct", "signal"),
		signalLive: types.offset("signal_struct", "live"),
		signalFlags: types.offset("signal_struct", "flags"),
		signalGroupExitCode: types.offset("signal_struct", "group_exit_code"),
		binprmFile: types.offset("linux_binprm", "file"),
		fileInode: types.offset("file", "f_inode"),
		inodeSb: types.offset("inode", "i_sb"),
		sbDev: types.offset("super_block", "s_dev"),
		inodeIno: types.offset("inode", "i_ino"),
		inodeGeneration: types.offset("inode", "i_generation"),
		inodeSize: types.offset("inode", "i_size"),
		inodeMtime: mtime.seconds,
		inodeMtimeNs: mtime.ns,
	};
	const known = (all: typeof offsets): all is FollowOffsets => Object.values(all).every((one) => one !== undefined);
	return known(offsets) ? offsets : undefined;
}

function ofTask(types: KernelTypes): TaskOffsets {
	const fsBase = sum(types.offset("task_struct", "thread"), types.offset("thread_struct", "fsbase"));
	const entity = types.offset("task_struct", "se");
	const sumExecRuntime = sum(entity, types.offset("sched_entity", "sum_exec_runtime"));
	const execStart = sum(entity, types.offset("sched_entity", "exec_start"));
	return {
		...(fsBase === undefined ? {} : { fsBase }),
		...(sumExecRuntime === undefined ? {} : { sumExecRuntime }),
		...(execStart === undefined ? {} : { execStart }),
	};
}

/** Empty for a file that is not there or is not for us. */
function textIfThere(path: string): string {
	try {
		return readFileSync(path, "latin1");
	} catch {
		return "";
	}
}

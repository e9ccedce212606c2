/**
 * Offsets in structs of the running kernel, from the type information that it has of itself (BTF: Documentation/bpf/btf.rst). Only what is asked for is
 * decoded: the types are walked over once.
 */
import { readFileSync } from "node:fs";

const PATH = "/sys/kernel/btf/vmlinux";
/** In securityfs, which need not be mounted. */
const LOCKDOWN = "/sys/kernel/security/lockdown";
const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;

/** BTF_KIND_… (include/uapi/linux/btf.h); bytes behind struct btf_type by kind: fixed ones and those of each of its `vlen` parts. */
const KIND = {
	int: 1,
	array: 3,
	struct: 4,
	union: 5,
	enum: 6,
	funcProto: 13,
	variable: 14,
	section: 15,
	tag: 17,
	enum64: 19,
} as const;
const KIND_LAST = 19;
const FIXED: Record<number, number> = { [KIND.int]: 4, [KIND.array]: 12, [KIND.variable]: 4, [KIND.tag]: 4 };
const PART: Record<number, number> = {
	...{
		[KIND.struct]: 12,
		[KIND.union]: 12,
		[KIND.enum]: 8,
		[KIND.funcProto]: 8,
		[KIND.section]: 12,
		[KIND.enum64]: 12,
	},
};

interface Sections {
	view: DataView;
	types: number;
	typesEnd: number;
	strings: number;
	stringsEnd: number;
}

function sectionsOf(bytes: Uint8Array): Sections | undefined {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < HEADER_BYTES || view.getUint16(0, true) !== MAGIC) return undefined;
	const start = view.getUint32(4, true);
	const types = start + view.getUint32(8, true);
	const typesEnd = types + view.getUint32(12, true);
	const strings = start + view.getUint32(16, true);
	const stringsEnd = strings + view.getUint32(20, true);
	if (typesEnd > bytes.length || stringsEnd > bytes.length) return undefined;
	return { view, types, typesEnd, strings, stringsEnd };
}

/** Whether the string at this offset of the string section is this name. */
function isNamed({ view, strings, stringsEnd }: Sections, offset: number, name: string): boolean {
	const at = strings + offset;
	if (at + name.length + 1 > stringsEnd || view.getUint8(at + name.length) !== 0) return false;
	for (let i = 0; i < name.length; i++) if (view.getUint8(at + i) !== name.charCodeAt(i)) return false;
	return true;
}

/** The byte offset of a member, for each struct of this name that has one; anonymous members are not looked into. */
function memberOffset(sections: Sections, struct: string, member: string): number | undefined {
	const { view, types, typesEnd } = sections;
	for (let at = types; at + TYPE_BYTES <= typesEnd; ) {
		const info = view.getUint32(at + 4, true);
		const kind = (info >>> 24) & 0x1f;
		if (kind === 0 || kind > KIND_LAST) return undefined;
		const parts = info & 0xffff;
		const next = at + TYPE_BYTES + (FIXED[kind] ?? 0) + parts * (PART[kind] ?? 0);
		if (next > typesEnd) return undefined;
		if (kind === KIND.struct && isNamed(sections, view.getUint32(at, true), struct)) {
			// With the flag the offset's upper 8 bits are the size of a bit field.
			const mask = info >>> 31 === 1 ? 0xffffff : 0xffffffff;
			for (let i = 0; i < parts; i++) {
				const field = at + TYPE_BYTES + i * 12;
				if (isNamed(sections, view.getUint32(field, true), member)) {
					return ((view.getUint32(field + 8, true) & mask) >>> 0) / 8;
				}
			}
		}
		at = next;
	}
	return undefined;
}

/**
 * Where a thread's FS base is in struct task_struct, in bytes, on x86-64: thread.fsbase (arch/x86/include/asm/processor.h, Linux 4.7 and newer). Undefined
 * when `bytes`, the kernel's BTF, does not say.
 */
export function fsBaseIn(bytes: Uint8Array): number | undefined {
	const sections = sectionsOf(bytes);
	if (sections === undefined) return undefined;
	const thread = memberOffset(sections, "task_struct", "thread");
	const base = memberOffset(sections, "thread_struct", "fsbase");
	return thread === undefined || base === undefined ? undefined : thread + base;
}

/**
 * The same of the running kernel; undefined when it has no BTF, is not for x86-64, or is in the stricter mode of lockdown, in which no BPF program may read
 * the kernel's memory (include/linux/security.h, LOCKDOWN_BPF_READ_KERNEL).
 */
export function fsBaseOffset(path = PATH, lockdown = LOCKDOWN): number | undefined {
	if (readIfThere(lockdown)?.toString("latin1").includes("[confidentiality]")) return undefined;
	const bytes = readIfThere(path);
	return bytes === undefined ? undefined : fsBaseIn(bytes);
}

/** Undefined for a file that is not there or is not for us. */
function readIfThere(path: string): Buffer | undefined {
	try {
		return readFileSync(path);
	} catch {
		return undefined;
	}
}

/**
 * What this kernel can do, found by trying and never by its version number: loading a program does not reveal whether it can be
 * linked (6.1 loads a uprobe_multi program but cannot attach it).
 */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { cstring, type Libbpf, libbpf } from "./libbpf.ts";

const BPF_MAP_TYPE_RINGBUF = 27;
const BPF_PROG_TYPE_KPROBE = 2;
export const BPF_TRACE_UPROBE_MULTI = 48;
const BPF_FUNC_GET_ATTACH_COOKIE = 174;

/** `error` names the errno that the kernel answered with, for features it refused. */
export interface Feature {
	ok: boolean;
	error?: string;
}

export interface KernelFeatures {
	/** A program of the uprobe kind loads at all. */
	bpf: Feature;
	/** BPF ring buffer (5.8). */
	ringBuffer: Feature;
	/** Attach cookies (5.15). */
	cookie: Feature;
	/** Many uprobes in one link, with a process filter that works (6.10; links exist since 6.6). */
	uprobeMulti: Feature;
}

const instruction = (code: number, imm = 0): number[] => [
	code,
	0,
	0,
	0,
	imm & 0xff,
	(imm >> 8) & 0xff,
	(imm >> 16) & 0xff,
	(imm >> 24) & 0xff,
];
const MOV_R0_ZERO = instruction(0xb7);
const EXIT = instruction(0x95);
const CALL = (helper: number) => instruction(0x85, helper);

/** struct bpf_prog_load_opts up to expected_attach_type (libbpf bpf.h); shorter structs are allowed, the rest counts as zero. */
function loadOptions(expectedAttachType: number): Uint8Array {
	const bytes = new Uint8Array(new ArrayBuffer(16));
	const view = new DataView(bytes.buffer);
	view.setBigUint64(0, 16n, true);
	view.setUint32(12, expectedAttachType, true);
	return bytes;
}

/** Loads a tiny program; its descriptor or -errno. */
function loadProgram(lib: Libbpf, instructions: number[][], expectedAttachType = 0): number {
	const code = new Uint8Array(new ArrayBuffer(instructions.length * 8));
	code.set(instructions.flat());
	return lib.bpf_prog_load(
		BPF_PROG_TYPE_KPROBE,
		null,
		cstring("GPL"),
		code,
		instructions.length,
		loadOptions(expectedAttachType),
	);
}

function featureOf(fd: number): Feature {
	if (fd < 0) return { ok: false, error: errnoName(fd) };
	closeSync(fd);
	return { ok: true };
}

/** struct bpf_link_create_opts with its uprobe_multi part (libbpf bpf.h). */
function linkOptions(path: Buffer, offset: BigUint64Array, pid: number): Uint8Array {
	const bytes = new Uint8Array(new ArrayBuffer(80));
	const view = new DataView(bytes.buffer);
	view.setBigUint64(0, 80n, true);
	view.setUint32(36, 1, true); // cnt
	view.setBigUint64(40, BigInt(ptr(path)), true);
	view.setBigUint64(48, BigInt(ptr(offset)), true);
	view.setInt32(72, pid, true);
	return bytes;
}

/**
 * A link on "/" fails with EBADF where uprobe_multi exists; with process -1 it fails with EINVAL where the process filter is the
 * repaired one, because only that version checks the number (kernel/trace/bpf_trace.c, 6.10).
 */
function uprobeMulti(lib: Libbpf): Feature {
	const fd = loadProgram(lib, [MOV_R0_ZERO, EXIT], BPF_TRACE_UPROBE_MULTI);
	if (fd < 0) return { ok: false, error: errnoName(fd) };
	const path = cstring("/");
	const offset = new BigUint64Array(new ArrayBuffer(8));
	try {
		const expected = [
			{ pid: 0, code: -ERRNO.EBADF },
			{ pid: -1, code: -ERRNO.EINVAL },
		];
		for (const { pid, code } of expected) {
			const options = linkOptions(path, offset, pid);
			const link = lib.bpf_link_create(fd, -1, BPF_TRACE_UPROBE_MULTI, options);
			if (link >= 0) closeSync(link);
			if (link !== code) return { ok: false, error: link >= 0 ? "accepted a wrong argument" : errnoName(link) };
		}
		return { ok: true };
	} finally {
		closeSync(fd);
	}
}

/** Tries each feature once. Throws E-HOST-LIBBPF only when the library cannot be loaded. */
export function detectFeatures(): KernelFeatures {
	const lib = libbpf();
	const bpf = featureOf(loadProgram(lib, [MOV_R0_ZERO, EXIT]));
	return {
		bpf,
		ringBuffer: featureOf(lib.bpf_map_create(BPF_MAP_TYPE_RINGBUF, null, 0, 0, 4096, null)),
		cookie: featureOf(loadProgram(lib, [CALL(BPF_FUNC_GET_ATTACH_COOKIE), MOV_R0_ZERO, EXIT])),
		uprobeMulti: uprobeMulti(lib),
	};
}

/** How probes are attached: one link for many sites, or one perf event for each, told apart by cookie or by address. */
export type AttachMode = "multi" | "perf-cookie" | "perf-address";

const MODES: readonly AttachMode[] = ["multi", "perf-cookie", "perf-address"];

/** The best mode that the kernel has; `wanted` (GOMAPGROW_ATTACH) takes another one, to test it on a newer kernel. Throws E-USAGE. */
export function attachModeOf(features: KernelFeatures, wanted = process.env.GOMAPGROW_ATTACH): AttachMode {
	if (wanted) {
		const mode = MODES.find((candidate) => candidate === wanted);
		if (mode !== undefined) return mode;
		throw new GomapgrowError("E-USAGE", {
			wanted: `GOMAPGROW_ATTACH to be ${MODES.join(", ")}`,
			found: JSON.stringify(wanted),
		});
	}
	if (features.uprobeMulti.ok && features.cookie.ok) return "multi";
	return features.cookie.ok ? "perf-cookie" : "perf-address";
}

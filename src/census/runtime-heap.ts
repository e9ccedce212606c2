/**
 * Where the runtime keeps its heap (runtime.mheap_), from the program's own x86-64 code: no symbols are needed.
 * Three functions have to agree (runtime/malloc.go, mgc.go, mheap.go; Go 1.15 to 1.27).
 */
import { i32 } from "../elf/little-endian.ts";
import type { GoBinary } from "../gobin/go-binary.ts";

const INIT = "runtime.(*mheap).init";
const MALLOC_INIT = "runtime.mallocinit";
const SWEEP = "runtime.gcSweep";
const RECORD_SPAN = "runtime.recordspan";
/** Longest of them seen: 2,500 bytes, without optimisation. */
const MAX_CODE = 16384;
const MAX_OFFSET = 1 << 20;

/** Addresses are without the load bias. */
export interface RuntimeHeap {
	/** runtime.mheap_ */
	mheap: number;
	/** mheap_.sweepgen */
	sweepgen: number;
	/** mheap_.allspans, a slice */
	allspans: number;
	/** sizeof(runtime.mspan); undefined when the code does not show it. */
	spanBytes: number | undefined;
}

/** Undefined when the code does not look as expected. */
export function locateHeap(binary: GoBinary): RuntimeHeap | undefined {
	if (binary.arch !== "amd64") return undefined;
	const functions = binary.functionsByName([INIT, MALLOC_INIT, SWEEP, RECORD_SPAN]);
	const code = (name: string): { at: number; bytes: Uint8Array } | undefined => {
		const fn = functions.get(name);
		if (fn === undefined) return undefined;
		return { at: fn.entry, bytes: binary.bytesAt(fn.entry, Math.min(MAX_CODE, fn.end - fn.entry)) };
	};
	const [init, mallocInit, sweep, record] = [INIT, MALLOC_INIT, SWEEP, RECORD_SPAN].map(code);
	if (init === undefined || mallocInit === undefined || sweep === undefined || record === undefined) return undefined;
	const receivers = new Set(receiversOf(mallocInit.bytes, mallocInit.at, init.at));
	const { loaded, incremented } = sweepgenOf(sweep.bytes, sweep.at);
	const slices = sliceOffsets(record.bytes);
	const [mheap] = receivers;
	const [sweepgen] = incremented;
	const [offset] = slices;
	if (receivers.size !== 1 || incremented.size !== 1 || slices.length !== 1) return undefined;
	if (mheap === undefined || sweepgen === undefined || offset === undefined || !loaded.has(mheap)) return undefined;
	// allspans is the first field behind sweepgen and its padding, and up to 1.15 sweepdone and another one.
	const distance = mheap + offset - sweepgen;
	if (distance !== 8 && distance !== 16) return undefined;
	return { mheap, sweepgen, allspans: mheap + offset, spanBytes: firstSize(init.bytes) };
}

const isLea = (code: Uint8Array, at: number): boolean =>
	code[at] === 0x48 && code[at + 1] === 0x8d && code[at + 2] === 0x05;

/** lea rax, [rip+x]; with the stack ABI mov [rsp], rax; nops; call `callee`. */
function receiversOf(code: Uint8Array, base: number, callee: number): number[] {
	const found: number[] = [];
	for (let at = 0; at + 12 <= code.length; at++) {
		if (!isLea(code, at)) continue;
		let next = at + 7;
		if (i32(code, next) === 0x24048948) next += 4;
		next = skipNops(code, next);
		if (code[next] !== 0xe8 || next + 5 > code.length) continue;
		if (base + next + 5 + i32(code, next + 1) === callee) found.push(base + at + 7 + i32(code, at + 3));
	}
	return found;
}

function skipNops(code: Uint8Array, start: number): number {
	for (let at = start; ; ) {
		const opcode = at + (code[at] === 0x66 ? 1 : 0);
		if (code[opcode] === 0x90) at = opcode + 1;
		else if (code[opcode] === 0x0f && code[opcode + 1] === 0x1f) {
			const modrm = code[opcode + 2] ?? 0;
			const displacement = [0, 1, 4, 0][modrm >> 6] ?? 0;
			at = opcode + 3 + ((modrm & 7) === 4 ? 1 : 0) + displacement;
		} else return at;
	}
}

/** add dword [rip+x], 2, and what lea rax, [rip+y] loads. */
function sweepgenOf(code: Uint8Array, base: number): { loaded: Set<number>; incremented: Set<number> } {
	const loaded = new Set<number>();
	const incremented = new Set<number>();
	for (let at = 0; at + 8 <= code.length; at++) {
		if (isLea(code, at)) loaded.add(base + at + 7 + i32(code, at + 3));
		if (code[at] === 0x83 && code[at + 1] === 0x05 && code[at + 6] === 2) {
			incremented.add(base + at + 7 + i32(code, at + 2));
		}
	}
	return { loaded, incremented };
}

/** Offsets d for which the words [reg+d], [reg+d+8] and [reg+d+16] are all loaded or compared, and stored. */
function sliceOffsets(code: Uint8Array): number[] {
	const loaded = new Set<number>();
	const stored = new Set<number>();
	for (let at = 0; at + 7 <= code.length; at++) {
		const [rex, opcode, modrm] = [code[at] ?? 0, code[at + 1] ?? 0, code[at + 2] ?? 0];
		if ((rex & 0xf8) !== 0x48 || modrm >> 6 !== 2 || (modrm & 7) === 4) continue;
		const offset = i32(code, at + 3);
		if (offset <= 0 || offset >= MAX_OFFSET) continue;
		if (opcode === 0x8b || opcode === 0x3b) loaded.add(offset);
		else if (opcode === 0x89 || opcode === 0x39) stored.add(offset);
	}
	return [...stored].filter((offset) => [0, 8, 16].every((d) => loaded.has(offset + d) && stored.has(offset + d)));
}

/**
 * h.spanalloc.init(sizeof(mspan), …) is the first call: its size is the first small immediate that is moved into
 * ebx; where the call is inlined (1.15), into a field.
 */
function firstSize(code: Uint8Array): number | undefined {
	for (let at = 0; at + 11 <= code.length; at++) {
		const inRegister = code[at] === 0xbb ? i32(code, at + 1) : undefined;
		const isStore = code[at] === 0x48 && code[at + 1] === 0xc7 && ((code[at + 2] ?? 0) & 0xf8) === 0x80;
		const size = inRegister ?? (isStore ? i32(code, at + 7) : undefined);
		if (size !== undefined && size > 64 && size < 1024 && size % 8 === 0) return size;
	}
	return undefined;
}

/**
 * Where a function that makes a map draws its hash seed, with the map's address in a word of its frame: the call of the
 * random function behind the allocation. Since Go 1.22; before, the code of that function is mostly inlined.
 */
import type { GoBinary } from "../gobin/go-binary.ts";
import { argumentSlots } from "../isa/amd64/argument-slots.ts";
import type { Encoding } from "../isa/amd64/decode.ts";
import { RSP, regField, rmRegister } from "../isa/amd64/registers.ts";
import { instructionText } from "../isa/amd64/text.ts";
import { bits, hasBits, WORD_BYTES, wordAt } from "../isa/arm64/word.ts";
import { FunctionCode } from "./function-code.ts";
import type { MakeSite } from "./probe-plan.ts";

/** runtime/rand.go, runtime/stubs.go, internal/runtime/maps/runtime.go. */
export const RANDOM_FUNCTIONS = [
	...["rand", "rand32", "fastrand", "fastrand64", "bootstrapRand"].map((name) => `runtime.${name}`),
	"internal/runtime/maps.rand",
] as const;

export interface SeedCall extends Required<Pick<MakeSite, "headerAt">> {
	offset: number;
	length: number;
	text: string;
	hintAt?: number;
	typeAt?: number;
}

interface Code {
	binary: GoBinary;
	entry: number;
	end: number;
	/** Offset of the seed in the map's header, and its bytes. */
	seed: { at: number; bytes: number };
	/** Whether the function has the arguments (type, hint, map). */
	hinted: boolean;
}

/** Instructions behind the call in which the seed is stored. */
const REACH = 16;

/** The call, or why there is none that will do. */
export function findSeedCall(code: Code): SeedCall | string {
	return code.binary.arch === "amd64" ? onAmd64(code) : onArm64(code);
}

const isRandom = (name: string | undefined): boolean => (RANDOM_FUNCTIONS as readonly string[]).includes(name ?? "");

function onAmd64({ binary, entry, end, seed, hinted }: Code): SeedCall | string {
	const fn = FunctionCode.read(binary, entry, end);
	if (typeof fn === "string") return fn;
	for (const [offset, { instruction, inCycle }] of fn.graph.nodes) {
		const { flow, target, emulated, length } = instruction;
		if (flow !== "call" || target === undefined || !isRandom(fn.calleeAt(target))) continue;
		if (inCycle || !emulated || !fn.hasOwnFrame(offset)) continue;
		const headerAt = headerSlot(fn, offset, seed);
		if (headerAt === undefined) continue;
		const text = instructionText(fn.code, offset, (address) => fn.calleeAt(address));
		const call = { offset, length, text, headerAt };
		if (!hinted) return call;
		const slot = (argument: number): number | undefined =>
			argumentSlots(
				{
					graph: fn.graph,
					encodingAt: (at) => fn.encodingAt(at),
					stackPointerAt: (at) => fn.stackPointerAt(at),
					framePointerAt: (at) => fn.framePointerAt(at),
					writes: (at) => fn.writes(at),
				},
				argument,
				[offset],
				{ ownFrame: true, orZero: true },
			).get(offset);
		const [typeAt, hintAt] = [slot(0), slot(1)];
		if (typeAt === undefined || hintAt === undefined) return "where its hint is kept is not known";
		return { ...call, typeAt, hintAt };
	}
	return "no call of a random function whose result becomes a map's seed";
}

/** The word of the stack that the map's address is loaded from behind the call, to store the seed. */
function headerSlot(fn: FunctionCode, call: number, seed: Code["seed"]): number | undefined {
	const loaded = new Map<number, number>();
	let [offset] = fn.graph.nodes.get(call)?.successors ?? [];
	for (let i = 0; i < REACH && offset !== undefined; i++) {
		const encoding = fn.encodingAt(offset);
		if (encoding === undefined) return undefined;
		const slot = loadedSlot(encoding);
		const stored = storedTo(encoding, seed.bytes === 8);
		if (stored !== undefined && stored.displacement === seed.at) {
			const at = loaded.get(stored.base);
			if (at !== undefined) return at;
		}
		const written = fn.writes(offset);
		for (const register of loaded.keys()) if ((written >> register) & 1) loaded.delete(register);
		if (slot !== undefined && fn.stackPointerAt(offset) === fn.stackPointerAt(call))
			loaded.set(regField(encoding), slot);
		const next: readonly number[] = fn.graph.nodes.get(offset)?.successors ?? [];
		if (next.length !== 1) return undefined;
		offset = next[0];
	}
	return undefined;
}

const REX_W = 8;

/** Of `mov r, [rsp+n]` n. */
function loadedSlot({ kind, map, opcode, rex, modrm, sib, displacement }: Encoding): number | undefined {
	if (kind !== "legacy" || map !== 0 || opcode !== 0x8b || (rex & REX_W) === 0 || modrm >= 0xc0) return undefined;
	return (modrm & 7) === 4 && (sib & 0x3f) === 0x24 && (rex & 3) === 0 ? displacement : undefined;
}

/** Of `mov [base+displacement], r`. */
function storedTo(encoding: Encoding, wide: boolean): { base: number; displacement: number } | undefined {
	const { kind, map, opcode, rex, modrm, displacement } = encoding;
	if (kind !== "legacy" || map !== 0 || opcode !== 0x89 || wide !== ((rex & REX_W) !== 0)) return undefined;
	if (rmRegister(encoding) !== undefined || modrm < 0 || (modrm & 7) === RSP || modrm >> 6 === 0) return undefined;
	return { base: (modrm & 7) | ((rex & 1) << 3), displacement };
}

const X = 5;
/** The number that stands for SP as the base of a load or store. */
const SP = 31;
const LINK_REGISTERS = 32;

/** In the order of addresses: the compiler lays these functions out straight, with what is rare behind the RET. */
function onArm64({ binary, entry, end, seed, hinted }: Code): SeedCall | string {
	const code = binary.bytesAt(entry, Math.min(end - entry, 1 << 15));
	/** By register, and by word of the frame, the argument that is there. */
	const registers = new Map<number, number>([
		[0, 0],
		[1, 1],
	]);
	const slots = new Map<number, number>();
	for (let offset = 0; offset + WORD_BYTES <= code.length; offset += WORD_BYTES) {
		const word = wordAt(code, offset) ?? 0;
		if (hasBits(word, 0xfc00_0000, 0x9400_0000)) {
			const name = calleeOf(binary, entry + offset, word);
			const headerAt = isRandom(name) ? headerSlotOnArm64(code, offset, seed) : undefined;
			if (headerAt !== undefined) {
				const call = { offset, length: WORD_BYTES, text: `bl ${name}`, headerAt };
				if (!hinted) return call;
				const slot = (argument: number): number | undefined => [...slots].find(([, held]) => held === argument)?.[0];
				const [typeAt, hintAt] = [slot(0), slot(1)];
				if (typeAt === undefined || hintAt === undefined) return "where its hint is kept is not known";
				return { ...call, typeAt, hintAt };
			}
			registers.clear();
			continue;
		}
		followOnArm64(word, registers, slots);
	}
	return "no call of a random function whose result becomes a map's seed";
}

function followOnArm64(word: number, registers: Map<number, number>, slots: Map<number, number>): void {
	const [low, base] = [bits(word, 0, X), bits(word, X, X)];
	// str x, [sp, #n]; stp x, x, [sp, #n]
	if (hasBits(word, 0xffc0_0000, 0xf900_0000)) {
		if (base === SP) keep(slots, 8 * bits(word, 10, 12), registers.get(low));
		return;
	}
	if (hasBits(word, 0xffc0_0000, 0xa900_0000)) {
		if (base !== SP) return;
		const at = 8 * ((bits(word, 15, 7) << 25) >> 25);
		keep(slots, at, registers.get(low));
		keep(slots, at + 8, registers.get(bits(word, 10, X)));
		return;
	}
	// Branches, and other stores, write no register.
	if (bits(word, 26, 3) === 5 || (bits(word, 25, 1) === 0 && bits(word, 27, 1) === 1 && bits(word, 22, 1) === 0))
		return;
	// mov x, x; of zero it leaves an argument that was refused.
	if (hasBits(word, 0xffe0_ffe0, 0xaa00_03e0)) {
		const from = bits(word, 16, X);
		if (from === 31) return;
		const held = registers.get(from);
		if (held === undefined) registers.delete(low);
		else registers.set(low, held);
		return;
	}
	// movz x, #0
	if (hasBits(word, 0xffff_ffe0, 0xd280_0000)) return;
	if (low < LINK_REGISTERS) registers.delete(low);
}

function keep(slots: Map<number, number>, at: number, held: number | undefined): void {
	if (held === undefined) slots.delete(at);
	else slots.set(at, held);
}

function calleeOf(binary: GoBinary, address: number, word: number): string | undefined {
	const target = address + ((bits(word, 0, 26) << 6) >> 6) * WORD_BYTES;
	const callee = binary.functionAt(target);
	return callee?.entry === target ? callee.name : undefined;
}

function headerSlotOnArm64(code: Uint8Array, call: number, seed: Code["seed"]): number | undefined {
	const loaded = new Map<number, number>();
	for (let i = 1; i <= REACH; i++) {
		const word = wordAt(code, call + i * WORD_BYTES);
		if (word === undefined) return undefined;
		const [low, base] = [bits(word, 0, X), bits(word, X, X)];
		// ldr x, [sp, #n]
		if (hasBits(word, 0xffc0_0000, 0xf940_0000)) {
			if (base === SP) loaded.set(low, 8 * bits(word, 10, 12));
			else loaded.delete(low);
			continue;
		}
		// str w, [x, #n]; str x, [x, #n]
		const wide = hasBits(word, 0xffc0_0000, 0xf900_0000);
		if (wide || hasBits(word, 0xffc0_0000, 0xb900_0000)) {
			const at = loaded.get(base);
			const size = wide ? 8 : 4;
			if (at !== undefined && size === seed.bytes && size * bits(word, 10, 12) === seed.at) return at;
			continue;
		}
		if (bits(word, 26, 3) === 5) return undefined;
		loaded.delete(low);
	}
	return undefined;
}

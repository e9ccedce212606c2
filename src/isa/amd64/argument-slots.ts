/**
 * Where a Go function keeps its first arguments while it runs: in which words of its stack they are for certain, on
 * every way. They come in RAX, RBX and RCX, and are spilled above the return address, where no callee writes
 * (src/cmd/compile/abi-internal.md).
 */
import type { FlowGraph } from "../flow-graph.ts";
import { type Encoding, PREFIX } from "./decode.ts";
import { RAX, RBP, RBX, RCX, type RegisterSet, RSP, regField, rmRegister } from "./registers.ts";

/** What the analysis has to know about the function. */
export interface ArgumentQuestion {
	graph: FlowGraph;
	encodingAt(offset: number): Encoding | undefined;
	/** Distance of RSP and of RBP from where RSP was at the entry; undefined when not known. */
	stackPointerAt(offset: number): number | undefined;
	framePointerAt(offset: number): number | undefined;
	/** The registers that an instruction may write. */
	writes(offset: number): RegisterSet;
}

/** Other questions than the usual one, which is about functions as a whole and their unchanged arguments. */
export interface ArgumentRules {
	/** Words of the function's own frame count, too: what it has stored there it may read again behind a call. */
	ownFrame?: boolean;
	/** So does an argument that the function may have set to zero. */
	orZero?: boolean;
}

/**
 * By place the number of the argument that is there. Places: registers by number; words of the stack from STACK on.
 */
type Places = ReadonlyMap<number, number>;

/** Added to the distance of a word from where RSP was at the entry. */
const STACK = 1 << 30;
const REGISTERS = 16;
/** The first word above the return address. */
const INCOMING = STACK + 8;
/** More than any instruction writes (64 bytes of AVX-512). */
const MOST_WRITTEN = 64;
const WORD = 8;
const REX_W = 8;
const STORE_IMMEDIATE = 0xc7;
/** Joins of states: growth functions take some hundred. */
const MAX_STEPS = 100_000;

/**
 * Opcodes that only read their memory operand: add, or, and, sub, xor, cmp, test, movsxd, mov, lea; movzx, movsx,
 * imul.
 */
const READS_ONE_BYTE = new Set([0x02, 0x03, 0x0a, 0x0b, 0x22, 0x23, 0x2a, 0x2b, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x3b]);
for (const opcode of [0x63, 0x84, 0x85, 0x8a, 0x8b, 0x8d]) READS_ONE_BYTE.add(opcode);
const READS_TWO_BYTES = new Set([0x10, 0x28, 0x6f, 0xaf, 0xb6, 0xb7, 0xbe, 0xbf]);

/**
 * Distance from RSP, before each instruction of `at`, to a word that holds the argument; absent where none does for
 * certain.
 */
export function argumentSlots(
	question: ArgumentQuestion,
	argument: number,
	at: readonly number[],
	rules: ArgumentRules = {},
): ReadonlyMap<number, number> {
	const found = new Map<number, number>();
	const states = placesBefore(question, rules);
	const first = rules.ownFrame === true ? REGISTERS : INCOMING;
	for (const offset of at) {
		const stackPointer = question.stackPointerAt(offset);
		for (const [place, held] of states.get(offset) ?? []) {
			if (held === argument && place >= first && stackPointer !== undefined) {
				found.set(offset, place - STACK - stackPointer);
			}
		}
	}
	return found;
}

function placesBefore(question: ArgumentQuestion, rules: ArgumentRules): ReadonlyMap<number, Places> {
	const kept = rules.ownFrame === true ? REGISTERS : INCOMING;
	const { graph } = question;
	const states = new Map<number, Places>([
		[
			0,
			new Map([
				[RAX, 0],
				[RBX, 1],
				[RCX, 2],
			]),
		],
	]);
	const pending = [0];
	let steps = 0;
	for (let offset = pending.pop(); offset !== undefined; offset = pending.pop()) {
		if (steps++ === MAX_STEPS) return new Map();
		const before = states.get(offset);
		const node = graph.nodes.get(offset);
		if (before === undefined || node === undefined) continue;
		const { flow } = node.instruction;
		const isCall = flow === "call" || flow === "indirect-call";
		const after = isCall ? behindCall(before, kept) : step(question, offset, before, rules);
		for (const successor of node.successors) {
			const known = states.get(successor);
			const joined = known === undefined ? after : common(known, after);
			if (known !== undefined && joined.size === known.size) continue;
			states.set(successor, joined);
			pending.push(successor);
		}
	}
	return states;
}

/**
 * A callee may write all registers, and the words where it spills its own arguments: those below the return
 * address.
 */
const behindCall = (before: Places, kept: number): Places => new Map([...before].filter(([place]) => place >= kept));

const common = (a: Places, b: Places): Places => new Map([...a].filter(([place, held]) => b.get(place) === held));

function step(question: ArgumentQuestion, offset: number, before: Places, rules: ArgumentRules): Places {
	const encoding = question.encodingAt(offset);
	if (encoding === undefined) return new Map();
	const address = stackAddress(question, offset, encoding);
	if (rules.orZero === true && isZeroed(encoding)) {
		const place = encoding.opcode === STORE_IMMEDIATE ? address : regField(encoding);
		if (typeof place === "number" && before.has(place)) return before;
	}
	const source = isMove(encoding) ? sourceOf(encoding, address) : undefined;
	const moved = source === undefined ? undefined : before.get(source);
	const after = new Map(before);
	const written = question.writes(offset);
	for (let register = 0; register < REGISTERS; register++) if ((written >> register) & 1) after.delete(register);
	if (address === "unknown") {
		for (const place of after.keys()) if (place >= REGISTERS) after.delete(place);
	} else if (address !== undefined && !onlyReads(encoding)) {
		for (const place of after.keys()) {
			if (place > address - WORD && place < address + MOST_WRITTEN && place >= REGISTERS) {
				const isWordStore = isMove(encoding) && place >= address + WORD;
				if (!isWordStore) after.delete(place);
			}
		}
	}
	const target = isMove(encoding) ? targetOf(encoding, address) : undefined;
	if (target !== undefined && moved !== undefined) after.set(target, moved);
	return after;
}

/** xor of a register with itself; `mov` of a zero of 64 bits to memory. */
function isZeroed(encoding: Encoding): boolean {
	const { kind, map, opcode, immediate, rex } = encoding;
	if (kind !== "legacy" || map !== 0) return false;
	if (opcode === STORE_IMMEDIATE) return immediate === 0 && (rex & REX_W) !== 0 && rmRegister(encoding) === undefined;
	return (opcode === 0x31 || opcode === 0x33) && rmRegister(encoding) === regField(encoding);
}

/** `mov` of 64 bits between registers and memory. */
function isMove({ kind, map, opcode, rex, prefixes }: Encoding): boolean {
	return (
		kind === "legacy" && map === 0 && prefixes === 0 && (opcode === 0x89 || opcode === 0x8b) && (rex & REX_W) !== 0
	);
}

function sourceOf(encoding: Encoding, address: number | "unknown" | undefined): number | undefined {
	return encoding.opcode === 0x89 ? regField(encoding) : placeOf(encoding, address);
}

function targetOf(encoding: Encoding, address: number | "unknown" | undefined): number | undefined {
	return encoding.opcode === 0x8b ? regField(encoding) : placeOf(encoding, address);
}

function placeOf(encoding: Encoding, address: number | "unknown" | undefined): number | undefined {
	return rmRegister(encoding) ?? (address === "unknown" ? undefined : address);
}

function onlyReads({ kind, map, opcode, modrm }: Encoding): boolean {
	if (kind !== "legacy") return false;
	if (map === 1) return READS_TWO_BYTES.has(opcode);
	if (map !== 0) return false;
	// cmp with an immediate.
	if (opcode >= 0x80 && opcode <= 0x83) return ((modrm >> 3) & 7) === 7;
	return READS_ONE_BYTE.has(opcode);
}

/**
 * The place of a memory operand in the stack; undefined for operands elsewhere, "unknown" for those whose place is
 * not known.
 */
function stackAddress(question: ArgumentQuestion, offset: number, encoding: Encoding): number | "unknown" | undefined {
	const { modrm, sib, rex, displacement, prefixes, kind } = encoding;
	if (modrm < 0 || modrm >= 0xc0 || (prefixes & (PREFIX.fsGs | PREFIX.addressSize)) !== 0) return undefined;
	const low = modrm & 7;
	const mod = modrm >> 6;
	// EVEX scales short displacements, and its fields are not decoded.
	if (kind === "evex") return "unknown";
	const extended = (rex & 1) << 3;
	const base = low === 4 ? (sib & 7) | extended : low | extended;
	const hasNoBase = mod === 0 && (low === 5 || (low === 4 && (sib & 7) === 5));
	if (hasNoBase || (base !== RSP && base !== RBP)) return undefined;
	const pointer = base === RSP ? question.stackPointerAt(offset) : question.framePointerAt(offset);
	// An index of 4 without REX.X is none.
	const hasIndex = low === 4 && (((sib >> 3) & 7) !== 4 || (rex & 2) !== 0);
	return pointer === undefined || hasIndex ? "unknown" : STACK + pointer + displacement;
}

/**
 * Global variables that are maps, from the calls of the runtime's map functions: their first arguments are a map
 * type and the map, and the compiler loads both right before. x86-64, Go 1.15 to 1.27.
 */
import { i32 } from "../elf/little-endian.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { type Encoding, instructionOf, parse } from "../isa/amd64/decode.ts";
import { RAX, RBX, regField, rmRegister, writtenRegisters } from "../isa/amd64/registers.ts";

const FUNCTIONS = [
	...["mapassign", "mapaccess1", "mapaccess2", "mapdelete"].flatMap((name) =>
		["", "_fat", "_fast32", "_fast32ptr", "_fast64", "_fast64ptr", "_faststr"].map((kind) => `runtime.${name}${kind}`),
	),
	...["mapiterinit", "mapIterStart", "mapclear"].map((name) => `runtime.${name}`),
];
/** First release that passes arguments in registers. */
const REGISTERS_SINCE = 17;
/** Bytes before the call that are looked at. */
const REACH = 96;
const PIECE = 1 << 20;
const RSP = 4;

export interface GlobalMap {
	/** Without the load bias. */
	address: number;
	/** Map type; the same at every call, or it is left out. */
	type: number;
	/** A function that uses it. */
	fn: string | undefined;
}

/** `isMapType`: of an address without the load bias. */
export function globalMapsFromCode(binary: GoBinary, isMapType: (address: number) => boolean): GlobalMap[] {
	if (binary.arch !== "amd64") return [];
	const targets = new Set([...binary.functionsByName(FUNCTIONS).values()].map(({ entry }) => entry));
	const { text, etext } = binary.moduleData;
	const found = new Map<number, { type: number; call: number; conflict: boolean }>();
	for (let from = text; from < etext; from += PIECE) {
		const start = Math.max(text, from - REACH);
		const code = binary.bytesAt(start, Math.min(from + PIECE, etext) - start);
		scanCalls(binary, code, start, from - start, targets, isMapType, (address, type, call) => {
			const known = found.get(address);
			if (known === undefined) found.set(address, { type, call, conflict: false });
			else if (known.type !== type) known.conflict = true;
		});
	}
	return [...found]
		.filter(([, { conflict }]) => !conflict)
		.map(([address, { type, call }]) => ({ address, type, fn: binary.symbolize(call).at(0)?.fn }));
}

function scanCalls(
	binary: GoBinary,
	code: Uint8Array,
	base: number,
	first: number,
	targets: ReadonlySet<number>,
	isMapType: (address: number) => boolean,
	visit: (global: number, type: number, call: number) => void,
): void {
	const bytes = Buffer.from(code.buffer, code.byteOffset, code.byteLength);
	const inRegisters = binary.version.minor >= REGISTERS_SINCE;
	for (let at = bytes.indexOf(0xe8, first); at >= 0 && at + 5 <= code.length; at = bytes.indexOf(0xe8, at + 1)) {
		if (!targets.has(base + at + 5 + i32(code, at + 1))) continue;
		const found = argumentsOf(binary, code, base, at, inRegisters, isMapType);
		if (found !== undefined) visit(found.global, found.type, base + at);
	}
}

/** An address that a register or an argument's place holds, or that it was loaded from. */
interface Value {
	address: number;
	loaded: boolean;
}

function argumentsOf(
	binary: GoBinary,
	code: Uint8Array,
	base: number,
	call: number,
	inRegisters: boolean,
	isMapType: (address: number) => boolean,
): { type: number; global: number } | undefined {
	const starts: number[] = [];
	let types = 0;
	let globals = 0;
	for (let at = Math.max(0, call - REACH); at + 7 <= call; at++) {
		const [rex, opcode, modrm] = [code[at] ?? 0, code[at + 1] ?? 0, code[at + 2] ?? 0];
		if ((rex !== 0x48 && rex !== 0x4c) || (opcode !== 0x8d && opcode !== 0x8b) || (modrm & 0xc7) !== 5) continue;
		const target = base + at + 7 + i32(code, at + 3);
		if (opcode === 0x8d && isMapType(target)) types++;
		else if (opcode === 0x8b && isVariable(binary, target)) globals++;
		else continue;
		starts.push(at);
	}
	if (types === 0 || globals === 0) return undefined;
	for (const start of starts) {
		const state = follow(code, base, start, call);
		const type = inRegisters ? state?.registers.get(RAX) : state?.stack.get(0);
		const global = inRegisters ? state?.registers.get(RBX) : state?.stack.get(8);
		if (type === undefined || global === undefined || type.loaded || !global.loaded) continue;
		if (isMapType(type.address) && isVariable(binary, global.address)) {
			return { type: type.address, global: global.address };
		}
	}
	return undefined;
}

function isVariable(binary: GoBinary, address: number): boolean {
	return address % 8 === 0 && binary.elf.loadAt(address)?.writable === true;
}

interface State {
	registers: Map<number, Value>;
	stack: Map<number, Value>;
}

/**
 * Executes moves from `start` to the call; undefined when something else passes control on, or no instruction begins
 * at the call.
 */
function follow(code: Uint8Array, base: number, start: number, call: number): State | undefined {
	const state: State = { registers: new Map(), stack: new Map() };
	for (let at = start; at < call; ) {
		const encoding = parse(code, at);
		if (encoding === undefined || instructionOf(encoding).flow !== "next") return undefined;
		step(encoding, base, state);
		at += encoding.length;
		if (at === call) return state;
	}
	return undefined;
}

function step(encoding: Encoding, base: number, { registers, stack }: State): void {
	const { kind, map, opcode, rex, modrm, sib, offset, length, displacement } = encoding;
	const plain = kind === "legacy" && map === 0 && (rex & 8) !== 0;
	const relative = (modrm & 0xc7) === 5;
	const target = base + offset + length + displacement;
	let value: Value | undefined;
	const register = regField(encoding);
	if (plain && relative && opcode === 0x8d) value = { address: target, loaded: false };
	else if (plain && relative && opcode === 0x8b) value = { address: target, loaded: true };
	else if (plain && opcode === 0x89) {
		const to = rmRegister(encoding);
		const from = registers.get(register);
		if (to !== undefined) {
			set(registers, to, from);
			return;
		}
		// mov [rsp+n], reg
		if ((modrm & 7) === RSP && sib === 0x24) set(stack, displacement, from);
		return;
	} else if (plain && opcode === 0x8b && modrm >= 0xc0) value = registers.get(rmRegister(encoding) ?? -1);
	const written = writtenRegisters(encoding);
	for (const known of [...registers.keys()]) if ((written >>> known) & 1) registers.delete(known);
	if (value !== undefined) registers.set(register, value);
}

function set(places: Map<number, Value>, place: number, value: Value | undefined): void {
	if (value === undefined) places.delete(place);
	else places.set(place, value);
}

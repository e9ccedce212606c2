import { ByteCursor } from "./byte-cursor.ts";
import type { LineHeader } from "./line-header.ts";
import { malformed, place } from "./malformed.ts";

/** The largest units of C have a few hundred thousand rows; 16 bytes each are kept. */
const MAX_ROWS = 4 * 1024 * 1024;

/** Opcodes (DWARF 5, tables 7.25 and 7.26). */
const LNS = {
	extended: 0,
	copy: 1,
	advancePc: 2,
	advanceLine: 3,
	setFile: 4,
	constAddPc: 8,
	fixedAdvancePc: 9,
} as const;
const LNE = { endSequence: 1, setAddress: 2 } as const;

export interface LineRow {
	/** Number in the file table. */
	readonly file: number;
	/** Line from 1; 0 when the compiler knows none. */
	readonly line: number;
}

/** One contiguous run of code: rows [first, end) cover addresses [low, high). */
interface Sequence {
	readonly low: number;
	readonly high: number;
	readonly first: number;
	readonly end: number;
}

/** The rows of one line number program, packed. */
export class LineTable {
	readonly header: LineHeader;
	#addresses = new Float64Array(256);
	#files = new Uint32Array(256);
	#lines = new Uint32Array(256);
	#rows = 0;
	readonly #sequences: Sequence[] = [];

	/** Runs the program. @throws GomapgrowError E-BIN-MALFORMED when an opcode leaves the program. */
	constructor(line: Uint8Array, header: LineHeader) {
		this.header = header;
		this.#run(new ByteCursor(line, ".debug_line", header.programStart, header.end));
		this.#sequences.sort((a, b) => a.low - b.low);
	}

	/** The row that covers an address of the code. */
	rowAt(pc: number): LineRow | undefined {
		const sequences = this.#sequences;
		const sequence = sequences[lastAtMost(0, sequences.length, (i) => (sequences[i] as Sequence).low, pc)];
		if (!sequence || pc >= sequence.high) return undefined;
		const row = lastAtMost(sequence.first, sequence.end, (i) => this.#addresses[i] as number, pc);
		return { file: this.#files[row] as number, line: this.#lines[row] as number };
	}

	#run(at: ByteCursor): void {
		const { header } = this;
		let address = 0;
		let operation = 0;
		let file = 1;
		let line = 1;
		let first = 0;
		const advance = (operations: number): void => {
			const total = operation + operations;
			address += header.minInstructionLength * Math.floor(total / header.maxOperations);
			operation = total % header.maxOperations;
		};
		while (at.left > 0) {
			const opcode = at.u8();
			if (opcode >= header.opcodeBase) {
				const special = opcode - header.opcodeBase;
				advance(Math.floor(special / header.lineRange));
				line += header.lineBase + (special % header.lineRange);
				this.#append(address, file, line, at);
				continue;
			}
			switch (opcode) {
				case LNS.extended: {
					const length = at.uleb();
					const start = at.pos;
					at.skip(length);
					if (length === 0) break;
					const operand = new ByteCursor(at.bytes, ".debug_line", start, at.pos);
					const extended = operand.u8();
					if (extended === LNE.setAddress) {
						address = operand.unsigned(operand.left);
						operation = 0;
					} else if (extended === LNE.endSequence) {
						this.#endSequence(first, address);
						first = this.#rows;
						address = 0;
						operation = 0;
						file = 1;
						line = 1;
					}
					break;
				}
				case LNS.copy:
					this.#append(address, file, line, at);
					break;
				case LNS.advancePc:
					advance(at.uleb());
					break;
				case LNS.advanceLine:
					line += at.sleb();
					break;
				case LNS.setFile:
					file = at.uleb();
					break;
				case LNS.constAddPc:
					advance(Math.floor((255 - header.opcodeBase) / header.lineRange));
					break;
				case LNS.fixedAdvancePc:
					address += at.u16();
					operation = 0;
					break;
				default:
					// Columns, flags and opcodes of the future: no effect on addresses and lines.
					for (let left = header.operandCounts[opcode - 1] ?? 0; left > 0; left--) at.skipLeb();
			}
		}
	}

	#append(address: number, file: number, line: number, at: ByteCursor): void {
		const row = this.#rows;
		if (row === this.#addresses.length) {
			if (row >= MAX_ROWS) throw malformed(`at most ${MAX_ROWS} rows`, `more at ${place(".debug_line", at.pos)}`);
			this.#addresses = grown(this.#addresses, new Float64Array(row * 2));
			this.#files = grown(this.#files, new Uint32Array(row * 2));
			this.#lines = grown(this.#lines, new Uint32Array(row * 2));
		}
		this.#addresses[row] = address;
		this.#files[row] = file;
		this.#lines[row] = line;
		this.#rows = row + 1;
	}

	#endSequence(first: number, high: number): void {
		if (this.#rows === first) return;
		const low = this.#addresses[first] as number;
		// Code that the linker dropped keeps its rows, at address 0.
		if (high > low && low > 0) this.#sequences.push({ low, high, first, end: this.#rows });
	}
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
	to.set(from);
	return to;
}

/** The last index in [from, to) whose key is at most `wanted`; `from` - 1 without one. Keys ascend. */
function lastAtMost(from: number, to: number, key: (index: number) => number, wanted: number): number {
	let low = from;
	let high = to;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (key(middle) <= wanted) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}

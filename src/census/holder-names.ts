/** Names for what holds maps without being in a struct: global variables and frames of goroutines. */
import type { GoroutineState } from "../snapshot/goroutine-state.ts";
import { ProgramCode } from "../snapshot/program-code.ts";
import { walkStack } from "../snapshot/unwind.ts";
import { globalNames } from "./global-names.ts";
import type { GlobalMap } from "./globals-from-code.ts";
import type { HolderNames } from "./holders.ts";
import type { MapTable } from "./map-table.ts";
import { type BatchReader, ReadBatch } from "./read-batch.ts";
import { REFERRER } from "./references.ts";
import type { Program } from "./scan.ts";
import type { Area, Walk } from "./walk.ts";

/** Different addresses of static memory that are named. */
const MAX_NAMED = 1 << 16;
const MAX_FRAMES = 128;
const MAX_STACK_BYTES = 1 << 20;
const MAX_STACKS = 4096;

interface Frame {
	start: number;
	end: number;
	fn: string;
}

export class HolderNaming implements HolderNames {
	readonly #program: Program;
	readonly #batch: ReadBatch;
	readonly #globals: readonly GlobalMap[];
	readonly #goroutines: ReadonlyMap<number, GoroutineState>;
	#names: ReadonlyMap<number, string> = new Map();
	readonly #stacks = new Map<number, readonly Frame[]>();
	readonly #code: ProgramCode;

	constructor(
		program: Program,
		memory: BatchReader,
		globals: readonly GlobalMap[],
		goroutines: readonly GoroutineState[],
	) {
		this.#program = program;
		this.#batch = new ReadBatch(memory, { bytes: 0, batches: 0, pieces: 0 });
		this.#globals = globals;
		this.#goroutines = new Map(goroutines.map((goroutine) => [goroutine.goid, goroutine]));
		this.#code = new ProgramCode(program.binary, program.bias);
	}

	/** Looks up the names of all global variables that are needed, in one pass over the symbols. */
	prepare(table: MapTable, walk: Walk, areas: readonly Area[]): void {
		const { bias, binary } = this.#program;
		const wanted = new Set(this.#globals.map(({ address }) => address - bias));
		for (const { area, offset } of walk.rootReferrers.values()) {
			const { start, goid } = areas[area] ?? { start: 0, goid: 0 };
			if (goid === undefined && wanted.size < MAX_NAMED) wanted.add(start + offset - bias);
		}
		for (let row = 0; row < table.count && wanted.size < MAX_NAMED; row++) {
			const holder = table.number("holder", row);
			const area = holder <= REFERRER.area ? areas[REFERRER.area - holder] : undefined;
			if (area !== undefined && area.goid === undefined) wanted.add(area.start + table.word("offset", row) - bias);
		}
		this.#names = globalNames(binary.elf, [...wanted]);
	}

	global(number: number): string {
		const global = this.#globals[number];
		if (global === undefined) return "global variable";
		return this.#names.get(global.address - this.#program.bias) ?? unnamed(global, this.#program.bias);
	}

	variable(address: number): string {
		const { bias } = this.#program;
		const known = this.#globals.find((global) => global.address === address);
		return (
			this.#names.get(address - bias) ??
			(known === undefined ? `global variable at 0x${(address - bias).toString(16)}` : unnamed(known, bias))
		);
	}

	frame({ goid }: Area, address: number): string {
		const goroutine = this.#goroutines.get(goid ?? -1);
		if (goroutine === undefined) return "its stack";
		let frames = this.#stacks.get(goroutine.goid);
		if (frames === undefined && this.#stacks.size < MAX_STACKS) {
			frames = this.#framesOf(goroutine);
			this.#stacks.set(goroutine.goid, frames);
		}
		const outwards = frames?.filter(({ end }) => address < end) ?? [];
		// What the runtime has on its stack it has from the program.
		return (outwards.find(({ fn }) => !fn.startsWith("runtime.")) ?? outwards[0])?.fn ?? "its stack";
	}

	/** The goroutine may have gone on since the census: then the frames may not be found, or be those of now. */
	#framesOf({ status, pc, sp, stackHi }: GoroutineState): Frame[] {
		if (status === "running" || sp === 0 || sp % 8 !== 0) return [];
		this.#batch.clear();
		this.#batch.add(sp, Math.min(MAX_STACK_BYTES, stackHi - sp));
		this.#batch.read();
		if (!this.#batch.isComplete(0)) return [];
		const copy = { address: sp, bytes: this.#batch.bytes.slice(0, this.#batch.length) };
		const { frames } = walkStack(this.#code, copy, { pc, sp }, MAX_FRAMES);
		// Arguments and results that the caller passes in memory lie above the return address, in the caller's frame.
		return frames.map(({ pc: at, sp: start, end }) => ({
			start,
			end: end + 8,
			fn: this.#code.functionOf(at) ?? "its stack",
		}));
	}
}

/** Without symbols: where it is used. */
function unnamed({ address, fn }: GlobalMap, bias: number): string {
	const at = `0x${(address - bias).toString(16)}`;
	return fn === undefined ? `global variable at ${at}` : `global variable at ${at} (used by ${fn})`;
}

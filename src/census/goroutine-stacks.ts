/** The stacks of all goroutines as ranges of memory: maps can be held by them, and headers of maps can lie there. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { decodeGoroutine, type GoroutineState, goroutineBytes } from "../snapshot/goroutine-state.ts";
import type { ReadBatch } from "./read-batch.ts";
import { readWords } from "./spans.ts";

const MAX_GOROUTINES = 1 << 18;
const PIECE = 1024;

/** Undefined when the program's list of goroutines is not found: then nothing is known of its stacks. */
export function listGoroutines(batch: ReadBatch, binary: GoBinary, bias: number): GoroutineState[] | undefined {
	const { allgs, layouts } = binary;
	if (allgs === undefined || layouts.g === undefined) return undefined;
	const layout = { ...layouts.g, goid: binary.goidInCode ?? layouts.g.goid };
	const [list = 0, length = 0, capacity = 0] = readWords(batch, allgs + bias, 3);
	if (!(length > 0 && length <= capacity && list % 8 === 0)) return undefined;
	const found: GoroutineState[] = [];
	const bytes = Math.ceil(goroutineBytes(layout) / 8) * 8;
	const total = Math.min(length, MAX_GOROUTINES);
	for (let from = 0; from < total; from += PIECE) {
		const addresses = readWords(batch, list + from * 8, Math.min(PIECE, total - from));
		batch.clear();
		for (const address of addresses) batch.add(Math.floor(address / 8) * 8, bytes);
		batch.read();
		addresses.forEach((address, number) => {
			if (!batch.isComplete(number)) return;
			const at = batch.offset(number);
			const state = decodeGoroutine(batch.bytes.subarray(at, at + bytes), layout, address);
			if (state !== undefined && state !== "none") found.push(state);
		});
	}
	return found;
}

/** The part of its stack that is in use; all of it while it runs. */
export function stackInUse({ status, sp, stackLo, stackHi }: GoroutineState): { start: number; end: number } {
	const known = status !== "running" && sp >= stackLo && sp < stackHi;
	return { start: known ? Math.floor(sp / 8) * 8 : stackLo, end: stackHi };
}

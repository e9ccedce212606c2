/**
 * Goes through all memory that can hold references once: who refers to a map, which interfaces hold something that
 * leads to one, and which objects carry their type.
 */

import { MAX_WITHOUT_HEADER } from "../gomap/size-classes.ts";
import { addLiveBits, forLive, type LiveBits, MAX_CHUNK, spanPieces } from "./live-objects.ts";
import { FLAG, HOW } from "./map-table.ts";
import { KIND } from "./type-table.ts";
import { type Area, ROOT, type Walk, type WalkContext } from "./walk.ts";

/** Words that may be itabs, and pairs that wait for the answer. */
const MAX_ITABS = 1 << 18;
const MAX_WAITING = 1 << 20;
/** Objects that carry their type and whose referrers are looked for. */
const MAX_ROOTS = 1 << 18;
const PART_BYTES = 65_536;
const ITAB_BYTES = 16;
const TWO_32 = 4294967296;

/** Holders of maps to which no chain leads: an object of unknown type, or a word of the n-th area (`area` - n). */
export const REFERRER = { object: -3_000_000, area: -4_000_000 } as const;

interface RootObject {
	type: number;
	values: number;
	/** The first word that refers to it; variables come before stacks. */
	referrer: { area: number; offset: number } | undefined;
}

/** Pairs of words whose first may be an itab. */
interface Waiting {
	words: number[];
	data: number[];
	roots: number[];
}

export class References {
	readonly #context: WalkContext;
	readonly #walk: Walk;
	readonly #inlineMarks: boolean;
	readonly #types: { start: number; end: number };
	readonly #itabs = new Map<number, number>();
	#waiting: Waiting = { words: [], data: [], roots: [] };
	/** Objects that carry their type and lead to maps, by address. */
	readonly #roots = new Map<number, RootObject>();
	/** Spans that hold something else by now. */
	readonly #gone: Uint8Array;

	constructor(context: WalkContext, walk: Walk, types: { start: number; end: number }, inlineMarks: boolean) {
		this.#context = context;
		this.#walk = walk;
		this.#types = types;
		this.#inlineMarks = inlineMarks;
		this.#gone = new Uint8Array(context.spans.base.length);
	}

	/**
	 * Objects that begin with the address of their type, and large ones whose span has it (1.22+). Those that a
	 * variable or a stack refers to come first: what slices have outgrown may still be there, and holds the same maps.
	 */
	findTypedObjects(): void {
		const { spans, areas, onProgress } = this.#context;
		if (!spans.classes.headers) return;
		for (const piece of spanPieces(spans, (span) => (spans.elemSize[span] as number) > MAX_WITHOUT_HEADER)) {
			this.#updateSpans(piece);
			this.#typedObjects(piece.filter((span) => this.#gone[span] === 0));
			onProgress();
		}
		areas.forEach((area, number) => {
			this.#eachChunk(area.start, area.end, (at, bytes, offset) => this.#findReferrers(at, bytes, number, offset));
		});
		const follow = (referred: boolean): void => {
			for (const [address, { type, values, referrer }] of this.#roots) {
				if ((referrer !== undefined) !== referred) continue;
				const node = this.#walk.push(address, type, values, ROOT.object, 0);
				if (node >= 0 && referrer !== undefined) this.#walk.rootReferrers.set(node, referrer);
			}
		};
		follow(true);
		follow(false);
		this.#roots.clear();
		this.#walk.drain();
	}

	#findReferrers(at: number, bytes: number, area: number, offset: number): void {
		const { spans, batch } = this.#context;
		const { integers, words } = batch;
		const { lowestHigh, highestHigh } = spans;
		const [first, end] = [at >>> 2, (at + bytes) >>> 2];
		for (let i = first; i < end; i += 2) {
			const high = integers[i + 1] as number;
			if (high < lowestHigh || high > highestHigh) continue;
			const low = words[i] as number;
			const span = spans.atWords(low, high);
			if (span < 0 || (spans.elemSize[span] as number) <= MAX_WITHOUT_HEADER) continue;
			const root = this.#roots.get(high * TWO_32 + low);
			if (root !== undefined) root.referrer ??= { area, offset: offset + (i - first) * 4 };
		}
	}

	#typedObjects(piece: readonly number[]): void {
		const { spans, batch, graph } = this.#context;
		const small = piece.filter((span) => spans.sizeClass[span] !== 0);
		const push = (address: number, descriptor: number, room: number): void => {
			const type = graph.numberOf(descriptor);
			const found = graph.types[type];
			// The elements of a map are followed from its header, which has a holder.
			if (found === undefined || !found.leadsToMaps || graph.isGroup(type) || found.descriptor.size === 0) return;
			const values = Math.floor(room / found.descriptor.size);
			if (this.#roots.size < MAX_ROOTS) this.#roots.set(address, { type, values, referrer: undefined });
			else this.#walk.push(address, type, values, ROOT.object, 0);
		};
		for (const span of piece) {
			const type = spans.largeType[span] as number;
			if (type !== 0) push(spans.base[span] as number, type, spans.elemSize[span] as number);
		}
		const live = this.#readLive(small);
		batch.clear();
		const objects: { address: number; size: number }[] = [];
		small.forEach((span, index) => {
			const [base, size] = [spans.base[span] as number, spans.elemSize[span] as number];
			for (const object of live[index] ?? []) {
				objects.push({ address: base + object * size, size });
				batch.add(base + object * size, 8);
			}
		});
		batch.read();
		objects.forEach(({ address, size }, number) => {
			if (batch.isComplete(number)) push(address + 8, batch.word(batch.offset(number)), size - 8);
		});
	}

	/** Numbers of the objects of each span that are allocated. Uses the batch. */
	#readLive(list: readonly number[]): number[][] {
		const { spans, batch } = this.#context;
		batch.clear();
		const places = list.map((span) => addLiveBits(spans, batch, span, this.#inlineMarks));
		batch.read();
		return list.map((span, index) => {
			const { alloc, mark } = places[index] as LiveBits;
			const found: number[] = [];
			forLive(spans, batch, span, alloc, mark, (object) => found.push(object));
			return found;
		});
	}

	/** The collector may have been at work since the spans were read. Uses the batch. */
	#updateSpans(piece: readonly number[]): void {
		const { spans, batch } = this.#context;
		batch.clear();
		for (const span of piece) batch.add(spans.address[span] as number, spans.layout.bytes);
		const generation = spans.addSweepgen(batch);
		batch.read();
		spans.heapSweepgen = spans.sweepgenIn(batch, generation);
		piece.forEach((span, number) => {
			const gone = !batch.isComplete(number) || spans.update(batch, batch.offset(number), span) === "gone";
			this.#gone[span] = Number(gone);
		});
	}

	/** All objects that have pointers, then static memory and stacks. */
	scanAll(): void {
		const { spans, areas, onProgress } = this.#context;
		for (const piece of spanPieces(spans, () => true)) {
			this.#updateSpans(piece);
			this.#scanSpans(piece.filter((span) => this.#gone[span] === 0));
			this.#settle();
			onProgress();
		}
		areas.forEach((area, number) => {
			this.#scanRange(area.start, area.end, area, number);
			this.#settle();
		});
		this.#walk.drain();
	}

	#scanSpans(piece: readonly number[]): void {
		const { spans, batch, index: headers } = this.#context;
		const large = piece.filter((span) => (spans.elemSize[span] as number) > MAX_CHUNK);
		const small = piece.filter((span) => (spans.elemSize[span] as number) <= MAX_CHUNK);
		batch.clear();
		const places = small.map((span) => ({
			bits: addLiveBits(spans, batch, span, this.#inlineMarks),
			memory: batch.add(spans.base[span] as number, spans.bytes[span] as number),
		}));
		batch.read();
		small.forEach((span, index) => {
			const { bits, memory } = places[index] as { bits: LiveBits; memory: number };
			if (!batch.isComplete(memory)) return;
			const size = spans.elemSize[span] as number;
			const at = batch.offset(memory);
			const base = spans.base[span] as number;
			const hasHeaders = headers.isHeaderSpan(span);
			forLive(spans, batch, span, bits.alloc, bits.mark, (object) => {
				// A map refers to its buckets, groups and tables only.
				if (hasHeaders && headers.rowAt(span, base + object * size) >= 0) return;
				this.#scanWords(at + object * size, size, ROOT.heapInterface, REFERRER.object, size, 0);
			});
		});
		for (const span of large) {
			const base = spans.base[span] as number;
			this.#scanRange(base, base + (spans.elemSize[span] as number), undefined, 0);
		}
	}

	#scanRange(start: number, end: number, area: Area | undefined, number: number): void {
		const root =
			area === undefined ? ROOT.heapInterface : area.goid === undefined ? ROOT.staticInterface : ROOT.stackInterface;
		const referrer = area === undefined ? REFERRER.object : REFERRER.area - number;
		// Of a large object its size is shown, of an area where in it.
		const fixed = area === undefined ? end - start : 0;
		this.#eachChunk(start, end, (at, bytes, offset) => this.#scanWords(at, bytes, root, referrer, fixed, offset));
	}

	/** Reads a range; `visit` gets where its bytes are in the batch, how many, and their offset in the range. */
	#eachChunk(start: number, end: number, visit: (at: number, bytes: number, offset: number) => void): void {
		const { batch } = this.#context;
		for (let from = Math.ceil(start / 8) * 8; from < end; from += MAX_CHUNK) {
			const length = Math.floor(Math.min(MAX_CHUNK, end - from) / 8) * 8;
			batch.clear();
			// Some of a segment may not be mapped.
			for (let at = 0; at < length; at += PART_BYTES) batch.add(from + at, Math.min(PART_BYTES, length - at));
			batch.read();
			for (let piece = 0; piece < batch.count; piece++) {
				const at = piece * PART_BYTES;
				if (batch.isComplete(piece)) {
					visit(batch.offset(piece), Math.min(PART_BYTES, length - at), from - start + at);
				}
			}
		}
	}

	/** `offset`: of the first word, for holders; `fixed` stands for it when it is not 0. */
	#scanWords(at: number, bytes: number, root: number, referrer: number, fixed: number, offset: number): void {
		const { spans, batch } = this.#context;
		const { integers, words } = batch;
		const { lowestHigh, highestHigh } = spans;
		const [first, end] = [at >>> 2, (at + bytes) >>> 2];
		for (let i = first; i < end; i += 2) {
			const high = integers[i + 1] as number;
			if (high >= lowestHigh && high <= highestHigh) {
				const span = spans.atWords(words[i] as number, high);
				if (span >= 0) {
					const where = fixed === 0 ? offset + (i - first) * 4 : fixed;
					this.#refers(span, high * TWO_32 + (words[i] as number), referrer, where);
					continue;
				}
			}
			// An interface: a type or an itab, then a reference to an object.
			if (i + 3 >= end) continue;
			const dataHigh = integers[i + 3] as number;
			if (dataHigh < lowestHigh || dataHigh > highestHigh || high < 0 || high > 0xffff) continue;
			const [low, dataLow] = [words[i] as number, words[i + 2] as number];
			if ((low & 7) !== 0 || (high === 0 && low < 0x10000)) continue;
			if (spans.atWords(dataLow, dataHigh) < 0) continue;
			this.#interface(high * TWO_32 + low, dataHigh * TWO_32 + dataLow, root);
		}
	}

	/** A word refers to an object of that span. */
	#refers(span: number, address: number, referrer: number, where: number): void {
		const { index, table } = this.#context;
		if (!index.isHeaderSpan(span)) return;
		const row = index.rowAt(span, address);
		if (row < 0) return;
		const flags = table.flags(row);
		if ((flags & FLAG.referenced) !== 0) return;
		table.setFlags(row, flags | FLAG.referenced);
		if (table.strength(row) !== 0) return;
		table.setNumber("holder", row, referrer);
		table.setWord("offset", row, where);
	}

	/** A word that may be a type or an itab, and the one behind it, which refers to an object. */
	#interface(word: number, data: number, root: number): void {
		const { graph, spans } = this.#context;
		if (word >= this.#types.start && word < this.#types.end) {
			const type = graph.numberOf(word);
			if (type >= 0) {
				this.#holds(type, data, root);
				return;
			}
		}
		const known = this.#itabs.get(word);
		if (known !== undefined) {
			if (known >= 0) this.#holds(known, data, root);
			return;
		}
		const span = spans.at(data);
		if (span < 0 || spans.noscan[span] !== 0) return;
		const waiting = this.#waiting;
		if (waiting.words.length >= MAX_WAITING || this.#itabs.size >= MAX_ITABS) return;
		waiting.words.push(word);
		waiting.data.push(data);
		waiting.roots.push(root);
	}

	#holds(type: number, data: number, root: number): void {
		const { graph, spans } = this.#context;
		const graphType = graph.types[type];
		if (graphType === undefined || !graphType.leadsToMaps) return;
		const { descriptor } = graphType;
		if (descriptor.kind === KIND.map) {
			const how = root === ROOT.stackInterface ? HOW.stackInterface : HOW.interface;
			this.#walk.foundMap(data, type, root, 0, how);
		} else if (descriptor.kind === KIND.pointer) {
			this.#walk.push(data, graph.numberOf(descriptor.elem), 1, root, 0);
		} else if (!descriptor.direct) {
			const span = spans.at(data);
			const object = span < 0 ? 0 : spans.objectAt(span, data);
			if (object !== 0 && (data === object || data === object + 8)) this.#walk.push(data, type, 1, root, 0);
		}
	}

	/**
	 * Looks up what the words are that may be itabs (runtime.itab: the interface's type, the value's type). Uses the
	 * batch.
	 */
	#settle(): void {
		const { batch, graph } = this.#context;
		const { words, data, roots } = this.#waiting;
		this.#waiting = { words: [], data: [], roots: [] };
		const unknown = [...new Set(words)].filter((word) => !this.#itabs.has(word));
		batch.clear();
		for (const word of unknown) batch.add(word, ITAB_BYTES);
		batch.read();
		unknown.forEach((word, number) => {
			let type = -1;
			if (batch.isComplete(number)) {
				const at = batch.offset(number);
				const isInterface = graph.types[graph.numberOf(batch.word(at))]?.descriptor.kind === KIND.interface;
				if (isInterface) type = graph.numberOf(batch.word(at + 8));
			}
			this.#itabs.set(word, type);
		});
		words.forEach((word, number) => {
			const type = this.#itabs.get(word) ?? -1;
			if (type >= 0) this.#holds(type, data[number] ?? 0, roots[number] ?? 0);
		});
		if (this.#walk.pending > 1 << 16) this.#walk.drain();
	}
}

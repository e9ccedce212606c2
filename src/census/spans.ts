/**
 * The spans of the Go heap that are in use: which object is at an address, how large it is, and whether it is
 * allocated.
 */
import { GomapgrowError } from "../errors/error.ts";
import { PAGE, type SizeClasses } from "../gomap/size-classes.ts";
import type { ReadBatch } from "./read-batch.ts";
import type { RuntimeHeap } from "./runtime-heap.ts";
import {
	ARENA_BYTES,
	arenaIndex,
	arenaSpansOffset,
	type PointerBits,
	pointerBitsOf,
	SPAN_CLASS,
	SPAN_ELEM_SIZE,
	SPAN_PAGES,
	SPAN_START,
	SPAN_STATE,
	type SpanLayout,
	STATE_IN_USE,
} from "./span-layout.ts";

/**
 * Of all spans, also those that are not in use: a heap of 2 TB in spans of 8 kB has more, but then the list alone
 * takes 2 GB.
 */
const MAX_SPANS = 1 << 24;
/** Pages in use that are indexed: 256 GB. */
const MAX_PAGES = 1 << 25;
const PIECE = 8192;
const RETRIES = 8;
/** Spans that can be added while a census runs. */
const SPARE = 16384;
const TWO_32 = 4294967296;
const PAGES_PER_ARENA = ARENA_BYTES / PAGE;
/** Share of the spans whose fields may make no sense because they were changed while they were read. */
const MAX_INCONSISTENT = 0.01;

/** What is read of the heap; run-time addresses. */
export interface HeapAddresses extends RuntimeHeap {
	arch: "amd64" | "arm64";
	minor: number;
}

const unreadable = (found: string): GomapgrowError =>
	new GomapgrowError("E-BIN-MALFORMED", { wanted: "the spans of the Go heap (runtime.mheap_)", found });

export class Spans {
	readonly layout: SpanLayout;
	readonly classes: SizeClasses;
	readonly pointerBits: PointerBits;
	readonly #heap: HeapAddresses;
	count = 0;
	base = new Float64Array(0);
	/** Bytes of its pages. */
	bytes = new Float64Array(0);
	elemSize = new Float64Array(0);
	elems = new Uint32Array(0);
	freeIndex = new Uint32Array(0);
	allocBits = new Float64Array(0);
	markBits = new Float64Array(0);
	/** Type of the only object of a large span; 0 without. */
	largeType = new Float64Array(0);
	/** Address of the mspan itself. */
	address = new Float64Array(0);
	sweepgen = new Uint32Array(0);
	/** Size class; 0: one large object. */
	sizeClass = new Uint8Array(0);
	/** Its objects have no pointers. */
	noscan = new Uint8Array(0);
	/** mheap_.sweepgen when the spans were read. */
	heapSweepgen = 0;
	heapBytes = 0;
	inconsistent = 0;
	/** The upper halves of the addresses of the heap. */
	lowestHigh = 0;
	highestHigh = 0;
	#arenas: (Int32Array | undefined)[] = [];
	#firstArena = 0;
	/** Address of the table of arenas, once it was needed; 0: not found. */
	#arenaTable: number | undefined;
	readonly #arenaAddresses = new Map<number, number>();

	constructor(heap: HeapAddresses, layout: SpanLayout, classes: SizeClasses) {
		this.#heap = heap;
		this.layout = layout;
		this.classes = classes;
		this.pointerBits = pointerBitsOf(heap.minor);
	}

	/** Number of the span that holds an address; -1 outside. */
	at(address: number): number {
		const low = address >>> 0;
		return this.atWords(low, (address - low) / TWO_32);
	}

	/** The same for the two halves of a word. */
	atWords(low: number, high: number): number {
		const number = high * 64 + (low >>> 26) - this.#firstArena;
		const arena = number >= 0 && number < this.#arenas.length ? this.#arenas[number] : undefined;
		return arena === undefined ? -1 : (arena[(low >>> 13) & 8191] as number) - 1;
	}

	/** Start of the object that holds the address, 0 behind the last one. */
	objectAt(span: number, address: number): number {
		const [base, size] = [this.base[span] as number, this.elemSize[span] as number];
		const index = Math.floor((address - base) / size);
		return index < (this.elems[span] as number) ? base + index * size : 0;
	}

	isUnswept(span: number, heapSweepgen: number): boolean {
		const generation = this.sweepgen[span] as number;
		return generation !== heapSweepgen && generation !== (heapSweepgen + 3) >>> 0;
	}

	/** Reads all spans. Throws E-BIN-MALFORMED when there are none where they should be. */
	read(batch: ReadBatch): void {
		const { heap, list, total } = this.#readList(batch);
		this.heapSweepgen = heap;
		this.#allocate(total + SPARE);
		let seen = 0;
		for (let from = 0; from < total; from += PIECE) {
			const length = Math.min(PIECE, total - from);
			batch.clear();
			for (let i = 0; i < length; i++) batch.add(list[from + i] as number, this.layout.bytes);
			batch.read();
			for (let i = 0; i < length; i++) {
				if (!batch.isComplete(i)) {
					this.inconsistent++;
					continue;
				}
				seen += Number(this.#add(batch, batch.offset(i), list[from + i] as number));
			}
		}
		if (seen === 0 || this.inconsistent > 16 + total * MAX_INCONSISTENT) {
			throw unreadable(`${seen} spans in use, ${this.inconsistent} of ${total} that make no sense`);
		}
		this.#indexPages(0);
	}

	/** The list of all spans; its words may be from two moments, so they are read until they agree. */
	#readList(batch: ReadBatch): { heap: number; list: Float64Array; total: number } {
		let found = "no plausible list of spans";
		for (let attempt = 0; attempt < RETRIES; attempt++) {
			batch.clear();
			batch.add(this.#heap.allspans, 24);
			batch.add(Math.floor(this.#heap.sweepgen / 8) * 8, 8);
			batch.read();
			if (!batch.isComplete(0) || !batch.isComplete(1)) throw unreadable("nothing mapped there");
			const [address, total, capacity] = [batch.word(0), batch.word(8), batch.word(16)];
			const heap = this.sweepgenIn(batch, 1);
			if (!(total > 0 && total <= capacity && address % 8 === 0)) continue;
			if (total > MAX_SPANS) throw unreadable(`${total} spans, more than ${MAX_SPANS}`);
			const list = new Float64Array(total);
			let complete = true;
			for (let from = 0; from < total && complete; from += PIECE * 16) {
				const length = Math.min(PIECE * 16, total - from);
				batch.clear();
				batch.add(address + from * 8, length * 8);
				batch.read();
				complete = batch.isComplete(0);
				for (let i = 0; i < length && complete; i++) list[from + i] = batch.word(i * 8);
			}
			if (complete) return { heap, list, total };
			found = "a list of spans that is not mapped";
		}
		throw unreadable(found);
	}

	/** Adds the piece that `sweepgenIn` reads. */
	addSweepgen(batch: ReadBatch): number {
		return batch.add(Math.floor(this.#heap.sweepgen / 8) * 8, 8);
	}

	sweepgenIn(batch: ReadBatch, piece: number): number {
		return batch.words[(batch.offset(piece) + (this.#heap.sweepgen % 8)) >>> 2] as number;
	}

	#allocate(size: number): void {
		for (const name of FLOATS) this[name] = new Float64Array(size);
		for (const name of WORDS) this[name] = new Uint32Array(size);
		for (const name of BYTES) this[name] = new Uint8Array(size);
	}

	/** Takes up a span that is in use and makes sense. */
	#add(batch: ReadBatch, offset: number, address: number): boolean {
		const { layout } = this;
		if (batch.bytes[offset + layout.sweepgen + SPAN_STATE] !== STATE_IN_USE) return false;
		if (this.count >= this.base.length) return false;
		if (!this.#decode(batch, offset, address, this.count)) {
			this.inconsistent++;
			return false;
		}
		this.count++;
		return true;
	}

	#decode(batch: ReadBatch, offset: number, address: number, at: number): boolean {
		const { layout } = this;
		const word = (field: number): number => batch.word(offset + field);
		const short = (field: number): number =>
			(batch.bytes[offset + field] ?? 0) + (batch.bytes[offset + field + 1] ?? 0) * 256;
		const count = (field: number): number => (layout.wide ? word(field) : short(field));
		const [base, pages, size] = [word(SPAN_START), word(SPAN_PAGES), word(layout.sweepgen + SPAN_ELEM_SIZE)];
		const elems = count(layout.nelems);
		const spanClass = batch.bytes[offset + layout.sweepgen + SPAN_CLASS] as number;
		const sizeClass = spanClass >> 1;
		const plausible =
			batch.bytes[offset + layout.sweepgen + SPAN_STATE] === STATE_IN_USE &&
			base % PAGE === 0 &&
			base > 0 &&
			base < 2 ** 48 &&
			pages > 0 &&
			pages <= MAX_PAGES &&
			size > 0 &&
			elems > 0 &&
			elems * size <= pages * PAGE &&
			(sizeClass === 0 ? elems === 1 : this.classes.sizeOf(sizeClass) === size);
		if (!plausible) return false;
		this.base[at] = base;
		this.bytes[at] = pages * PAGE;
		this.elemSize[at] = size;
		this.elems[at] = elems;
		this.freeIndex[at] = Math.min(elems, count(layout.freeindex));
		this.allocBits[at] = word(layout.allocBits);
		this.markBits[at] = word(layout.markBits);
		this.largeType[at] = layout.largeType === undefined ? 0 : word(layout.largeType);
		this.address[at] = address;
		this.sweepgen[at] = batch.words[(offset + layout.sweepgen) >>> 2] as number;
		this.sizeClass[at] = sizeClass;
		this.noscan[at] = spanClass & 1;
		return true;
	}

	/**
	 * What the mspan says now, read once more. "same"; "changed": its bits are others, and they are taken up; "gone":
	 * it holds other objects or none.
	 */
	update(batch: ReadBatch, offset: number, span: number): "same" | "changed" | "gone" {
		const { layout } = this;
		const word = (field: number): number => batch.word(offset + field);
		const short = (field: number): number =>
			(batch.bytes[offset + field] ?? 0) + (batch.bytes[offset + field + 1] ?? 0) * 256;
		const count = (field: number): number => (layout.wide ? word(field) : short(field));
		const gone =
			batch.bytes[offset + layout.sweepgen + SPAN_STATE] !== STATE_IN_USE ||
			word(SPAN_START) !== this.base[span] ||
			word(layout.sweepgen + SPAN_ELEM_SIZE) !== this.elemSize[span] ||
			count(layout.nelems) !== this.elems[span];
		if (gone) return "gone";
		const [sweepgen, alloc, mark] = [
			batch.words[(offset + layout.sweepgen) >>> 2] as number,
			word(layout.allocBits),
			word(layout.markBits),
		];
		if (sweepgen === this.sweepgen[span] && alloc === this.allocBits[span] && mark === this.markBits[span])
			return "same";
		this.sweepgen[span] = sweepgen;
		this.allocBits[span] = alloc;
		this.markBits[span] = mark;
		this.freeIndex[span] = Math.min(this.elems[span] as number, count(layout.freeindex));
		return "changed";
	}

	#indexPages(from: number): void {
		let total = this.heapBytes / PAGE;
		for (let span = from; span < this.count; span++) total += (this.bytes[span] as number) / PAGE;
		if (total > MAX_PAGES) throw unreadable(`${total} pages in use, more than ${MAX_PAGES}`);
		this.heapBytes = total * PAGE;
		if (from === 0) {
			let first = Number.POSITIVE_INFINITY;
			let last = 0;
			for (let span = 0; span < this.count; span++) {
				first = Math.min(first, this.base[span] as number);
				last = Math.max(last, (this.base[span] as number) + (this.bytes[span] as number));
			}
			this.lowestHigh = Math.floor(first / TWO_32);
			this.highestHigh = Math.floor(last / TWO_32);
			// Arenas below the first one can be added later.
			this.#firstArena = Math.max(0, Math.floor(first / ARENA_BYTES) - 1024);
		}
		for (let span = from; span < this.count; span++) {
			const pages = (this.bytes[span] as number) / PAGE;
			for (let page = (this.base[span] as number) / PAGE, left = pages; left > 0; page++, left--) {
				const number = Math.floor(page / PAGES_PER_ARENA) - this.#firstArena;
				if (number < 0) break;
				let arena = this.#arenas[number];
				if (arena === undefined) {
					arena = new Int32Array(PAGES_PER_ARENA);
					this.#arenas[number] = arena;
				}
				arena[page % PAGES_PER_ARENA] = span + 1;
			}
		}
	}

	/** Address of the arena's runtime.heapArena; undefined when it cannot be found. Uses the batch the first time. */
	arenaAt(batch: ReadBatch, address: number): number | undefined {
		const index = arenaIndex(address, this.#heap.arch);
		const known = this.#arenaAddresses.get(index);
		if (known !== undefined) return known === 0 ? undefined : known;
		this.#arenaTable ??= this.#findArenaTable(batch) ?? 0;
		const [arena = 0] = this.#arenaTable === 0 ? [] : readWords(batch, this.#arenaTable + index * 8, 1);
		this.#arenaAddresses.set(index, arena);
		return arena === 0 ? undefined : arena;
	}

	/** mheap_.arenas[0] is the word behind allspans through which some spans are found again. */
	#findArenaTable(batch: ReadBatch): number | undefined {
		const words = readWords(batch, this.#heap.allspans, 256);
		const step = Math.max(1, Math.floor(this.count / 16));
		for (const table of words) {
			if (table < 4096 || table % 8 !== 0 || table >= 2 ** 48) continue;
			let confirmed = 0;
			let refuted = false;
			for (let span = 0; span < this.count && !refuted; span += step) {
				const base = this.base[span] as number;
				const [arena] = readWords(batch, table + arenaIndex(base, this.#heap.arch) * 8, 1);
				const [found] = arena === undefined || arena === 0 ? [] : readWords(batch, this.#spanSlot(arena, base), 1);
				if (found === this.address[span]) confirmed++;
				else refuted = confirmed === 0 || found === undefined;
			}
			if (!refuted && confirmed > 0) return table;
		}
		return undefined;
	}

	#spanSlot(arena: number, address: number): number {
		return arena + arenaSpansOffset(this.#heap.minor) + (Math.floor(address / PAGE) % PAGES_PER_ARENA) * 8;
	}

	/** Looks up what is at an address now, for memory that was taken into use meanwhile. Uses the batch. */
	refresh(batch: ReadBatch, address: number): void {
		if (address < 4096 || address >= 2 ** 47) return;
		const arena = this.arenaAt(batch, address);
		if (arena === undefined) return;
		const [mspan] = readWords(batch, this.#spanSlot(arena, address), 1);
		if (mspan === undefined || mspan === 0 || mspan % 8 !== 0) return;
		const known = this.at(address);
		batch.clear();
		batch.add(mspan, this.layout.bytes);
		batch.read();
		if (!batch.isComplete(0)) return;
		if (known >= 0 && this.address[known] === mspan && this.update(batch, 0, known) !== "gone") return;
		const from = this.count;
		if (this.#add(batch, 0, mspan)) this.#indexPages(from);
	}
}

const FLOATS = ["base", "bytes", "elemSize", "allocBits", "markBits", "largeType", "address"] as const;
const WORDS = ["elems", "freeIndex", "sweepgen"] as const;
const BYTES = ["sizeClass", "noscan"] as const;

/** Some words of the memory; none when it is not mapped. Uses the batch. */
export function readWords(batch: ReadBatch, address: number, count: number): number[] {
	batch.clear();
	batch.add(address, count * 8);
	batch.read();
	return batch.isComplete(0) ? Array.from({ length: count }, (_, index) => batch.word(index * 8)) : [];
}

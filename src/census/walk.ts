/**
 * Follows values of known type to the maps that they hold: a map that such a value refers to has the type that it
 * says. The memory is read in batches of many values.
 */
import type { Examiner, MapLayouts } from "./examine.ts";
import type { HeaderIndex } from "./find-maps.ts";
import type { ClassicHeader, SwissHeader } from "./map-layout.ts";
import { FLAG, HOW, type MapTable } from "./map-table.ts";
import { NODE, NodeTable } from "./node-table.ts";
import type { ReadBatch } from "./read-batch.ts";
import { ANY, type Shapes } from "./shapes.ts";
import { type Place, SpanPieces } from "./span-pieces.ts";
import type { Spans } from "./spans.ts";
import type { Slot, TypeGraph } from "./type-graph.ts";

/** Values that are followed: 28 bytes each. */
const MAX_NODES = 3 << 20;
const BATCH_BYTES = 4 << 20;
const BATCH_NODES = 8192;
/** Of one node at once. */
const PIECE_BYTES = 1 << 19;
const CHANNEL_BYTES = 24;

/**
 * Where a chain of holders begins, as parent of the first node. The n-th global of known type is `global` - n, the
 * map in the n-th row, which has its type from a header, `map` - n.
 */
export const ROOT = {
	...{ object: -2, heapInterface: -3, staticInterface: -4, stackInterface: -5, global: -16 },
	map: -1_000_000_000,
} as const;
/** Maps of one batch that are looked up anew. */
const MAX_MOVED = 256;

/** Memory outside the heap that may hold references. */
export interface Area {
	readonly start: number;
	readonly end: number;
	/** Undefined: global variables. */
	readonly goid?: number;
}

export interface WalkContext {
	spans: Spans;
	index: HeaderIndex;
	table: MapTable;
	shapes: Shapes;
	graph: TypeGraph;
	layouts: MapLayouts;
	examiner: Examiner;
	batch: ReadBatch;
	/** Static memory, in which values can lie. */
	areas: readonly Area[];
	/** Called now and then; may throw. */
	onProgress: () => void;
}

export class Walk {
	readonly nodes = new NodeTable(MAX_NODES);
	readonly #context: WalkContext;
	readonly #pieces: SpanPieces;
	#moved: { node: number; address: number }[] = [];
	/** The next node that is to be read. */
	#next = 0;
	/** By node: the word of static memory or of a stack that refers to such an object. */
	readonly rootReferrers = new Map<number, { area: number; offset: number }>();

	constructor(context: WalkContext) {
		this.#context = context;
		this.#pieces = new SpanPieces(context.spans, context.batch);
	}

	/** Nodes that are not followed yet. */
	get pending(): number {
		return this.nodes.count - this.#next;
	}

	/**
	 * A value of a type; values that lead to no maps, or lie where none can, are ignored. Returns the new node's
	 * number, else -1.
	 */
	push(address: number, type: number, values: number, parent: number, offset: number): number {
		const { graph, spans } = this.#context;
		const graphType = graph.types[type];
		if (graphType === undefined || !graphType.leadsToMaps || !(values >= 1)) return -1;
		const room = this.#roomAt(address, spans);
		const most = Math.floor(room / Math.max(1, graphType.descriptor.size));
		if (most < 1) return -1;
		const count = Math.min(values, most, 2 ** 31);
		const isNew = this.nodes.add(address, type, NODE.value, count, parent, offset, this.#strengthOf(parent));
		return isNew ? this.nodes.count - 1 : -1;
	}

	/** Follows a map whose type is known from a header only. */
	adopt(row: number, type: number): void {
		const { table, graph } = this.#context;
		const group = graph.types[type]?.group ?? -1;
		if (graph.types[group]?.leadsToMaps !== true) return;
		this.nodes.add(table.float("address", row), type, NODE.mapHeader, 1, ROOT.map - row, 0, HOW.header);
	}

	/**
	 * Bytes from there to the end of the object or area that holds the address; 0 where no value with pointers can be.
	 */
	#roomAt(address: number, spans: Spans): number {
		if (address % 8 !== 0) return 0;
		const span = spans.at(address);
		if (span >= 0) {
			if (spans.noscan[span] !== 0) return 0;
			const object = spans.objectAt(span, address);
			return object === 0 ? 0 : object + (spans.elemSize[span] as number) - address;
		}
		const area = this.#context.areas.find(({ start, end }) => address >= start && address < end);
		return area === undefined ? 0 : area.end - address;
	}

	/** A map of that type should be at the address. `how`: one of HOW. */
	foundMap(address: number, type: number, parent: number, offset: number, how: number): void {
		const { spans, index, table, graph, shapes } = this.#context;
		const span = spans.at(address);
		const row = span < 0 ? -1 : index.rowAt(span, address);
		const found = graph.types[type]?.descriptor;
		if (row < 0 || found === undefined) return;
		const set = table.number("set", row);
		const fits = set === ANY || shapes.hasGroup(set, found.group);
		const known = graph.types[table.number("type", row)]?.descriptor;
		const strength = table.strength(row);
		if (!fits || (known !== undefined && known.group !== found.group)) {
			// Of two holders of equal strength one is wrong, and which is not known.
			if (strength === 0 || how <= strength) table.addFlags(row, FLAG.conflict);
			if (!fits || how >= strength) return;
		}
		table.addFlags(row, FLAG.referenced);
		if (strength !== 0 && strength <= how) return;
		table.setStrength(row, how);
		table.setNumber("type", row, type);
		table.setNumber("holder", row, parent);
		table.setWord("offset", row, offset);
		const group = graph.types[type]?.group ?? -1;
		if (graph.types[group]?.leadsToMaps === true && !table.has(row, FLAG.empty)) {
			this.nodes.add(address, type, NODE.mapHeader, 1, parent, offset, how);
		}
	}

	/** Follows all that is not followed yet. Uses the batch. */
	drain(): void {
		while (this.#next < this.nodes.count) {
			this.#context.onProgress();
			const first = this.#next;
			const places = this.#addBatch();
			this.#context.batch.read();
			places.forEach((place, number) => {
				const at = place === undefined ? -1 : this.#pieces.offset(place);
				if (at >= 0) this.#visit(first + number, at);
			});
			places.forEach((place, number) => {
				if (place === undefined) this.#visitLarge(first + number);
			});
			this.#visitMoved();
		}
	}

	/** Maps that have grown since into memory that was not in use then. */
	#visitMoved(): void {
		const { batch, spans, examiner } = this.#context;
		for (const { node, address } of this.#moved.splice(0)) {
			spans.refresh(batch, address);
			batch.clear();
			batch.add(this.nodes.address(node), Math.ceil(examiner.headerBytes / 8) * 8);
			batch.read();
			if (batch.isComplete(0) && spans.at(address) >= 0) this.#visitHeader(node, 0);
		}
		this.#moved.length = 0;
	}

	/** Fills the batch with the next nodes; undefined stands for one that is too large. */
	#addBatch(): (Place | undefined)[] {
		const { batch, examiner, spans } = this.#context;
		const places: (Place | undefined)[] = [];
		this.#pieces.clear();
		for (; this.#next < this.nodes.count && places.length < BATCH_NODES; this.#next++) {
			const length = this.#lengthOf(this.#next, examiner.headerBytes);
			if (batch.length > 0 && batch.length + length > BATCH_BYTES) break;
			const address = this.nodes.address(this.#next);
			const span = spans.at(address);
			if (length > PIECE_BYTES) places.push(undefined);
			else if (span >= 0) places.push(this.#pieces.add(span, address, Math.ceil(length / 8) * 8));
			else places.push(this.#pieces.addAlone(address, length));
		}
		return places;
	}

	#lengthOf(node: number, headerBytes: number): number {
		const values = this.nodes.values(node);
		switch (this.nodes.kind(node)) {
			case NODE.mapHeader:
				return headerBytes;
			case NODE.directory:
				return values * 8;
			case NODE.table:
				return this.#context.layouts.impl === "swiss" ? this.#context.layouts.table.bytes : 0;
			case NODE.channel:
				return CHANNEL_BYTES;
			default:
				return values * (this.#context.graph.types[this.nodes.type(node)]?.descriptor.size ?? 0);
		}
	}

	/** Values that are too many for one read. */
	#visitLarge(node: number): void {
		const { batch, graph } = this.#context;
		const isDirectory = this.nodes.kind(node) === NODE.directory;
		const size = isDirectory ? 8 : (graph.types[this.nodes.type(node)]?.descriptor.size ?? 0);
		if (size === 0 || size > PIECE_BYTES) return;
		const atOnce = Math.floor(PIECE_BYTES / size);
		for (let from = 0; from < this.nodes.values(node); from += atOnce) {
			const values = Math.min(atOnce, this.nodes.values(node) - from);
			this.#context.onProgress();
			batch.clear();
			batch.add(this.nodes.address(node) + from * size, values * size);
			batch.read();
			if (!batch.isComplete(0)) continue;
			if (isDirectory) this.#visitDirectory(node, 0, values);
			else this.#visitValues(node, 0, values, from * size);
		}
	}

	#visit(node: number, at: number): void {
		const { batch } = this.#context;
		const { nodes } = this;
		const kind = nodes.kind(node);
		if (kind === NODE.mapHeader) this.#visitHeader(node, at);
		else if (kind === NODE.directory) this.#visitDirectory(node, at, nodes.values(node));
		else if (kind === NODE.table) this.#visitTable(node, at);
		else if (kind === NODE.channel) {
			// runtime.hchan: qcount, dataqsiz, buf
			const [length, buffer] = [batch.word(at + 8), batch.word(at + 16)];
			this.push(buffer, nodes.type(node), length, nodes.parent(node), nodes.offset(node));
		} else this.#visitValues(node, at, nodes.values(node), 0);
	}

	/** From a map's header to its buckets or groups; they take the header as their holder. */
	#visitHeader(node: number, at: number): void {
		const { examiner, batch, graph } = this.#context;
		const header: ClassicHeader | SwissHeader | undefined = examiner.headerIn(batch, at);
		const group = graph.types[this.nodes.type(node)]?.group ?? -1;
		if (header === undefined || group < 0) return;
		const memory = "buckets" in header ? header.buckets : header.directory;
		if (memory !== 0 && this.#context.spans.at(memory) < 0 && this.#moved.length < MAX_MOVED) {
			this.#moved.push({ node, address: memory });
		}
		if ("buckets" in header) {
			const { buckets, oldBuckets, log2, sameSize } = header;
			this.push(buckets, group, 2 ** log2, node, 0);
			if (oldBuckets !== 0) this.push(oldBuckets, group, sameSize ? 2 ** log2 : 2 ** (log2 - 1), node, 0);
		} else if (header.directoryLength === 0) this.push(header.directory, group, 1, node, 0);
		else {
			const room = Math.floor(this.#roomAt(header.directory, this.#context.spans) / 8);
			const length = Math.min(header.directoryLength, room);
			if (length > 0)
				this.nodes.add(header.directory, group, NODE.directory, length, node, 0, this.nodes.strength(node));
		}
	}

	#visitDirectory(node: number, at: number, length: number): void {
		const { batch } = this.#context;
		let last = 0;
		for (let i = 0; i < length; i++) {
			const table = batch.word(at + i * 8);
			if (table !== last && table !== 0 && this.#roomAt(table, this.#context.spans) > 0) {
				this.nodes.add(
					table,
					this.nodes.type(node),
					NODE.table,
					1,
					this.nodes.parent(node),
					0,
					this.nodes.strength(node),
				);
			}
			last = table;
		}
	}

	#visitTable(node: number, at: number): void {
		const { batch, layouts } = this.#context;
		if (layouts.impl !== "swiss") return;
		const { groupsData, groupsLengthMask } = layouts.table;
		const groups = batch.word(at + groupsLengthMask) + 1;
		this.push(batch.word(at + groupsData), this.nodes.type(node), groups, this.nodes.parent(node), 0);
	}

	#visitValues(node: number, at: number, values: number, skipped: number): void {
		const { graph } = this.#context;
		const type = this.nodes.type(node);
		const slots = graph.slotsOf(type);
		const size = graph.types[type]?.descriptor.size ?? 0;
		if (slots.length === 0 || size === 0) return;
		const how = this.nodes.strength(node);
		for (let value = 0; value < values; value++) {
			// Without an iterator: there are millions of values.
			for (let i = 0; i < slots.length; i++) {
				this.#visitSlot(slots[i] as Slot, node, at + value * size, skipped + value * size, how);
			}
		}
	}

	#visitSlot(slot: Slot, node: number, at: number, base: number, how: number): void {
		const { batch, graph } = this.#context;
		const { offset, kind, type } = slot;
		if (kind === "array") {
			for (let i = 0; i < slot.length; i++) {
				const inner = offset + i * slot.size;
				const slots = graph.slotsOf(type);
				for (let n = 0; n < slots.length; n++) {
					this.#visitSlot(slots[n] as Slot, node, at + inner, base + inner, how);
				}
			}
			return;
		}
		const target = batch.word(at + offset);
		if (target === 0) return;
		const from = base + offset;
		if (kind === "map") this.foundMap(target, type, node, from, how);
		else if (kind === "pointer") this.push(target, type, 1, node, from);
		else if (kind === "slice") this.push(target, type, batch.word(at + offset + 16), node, from);
		else if (kind === "overflow") this.push(target, type, 1, this.nodes.parent(node), this.nodes.offset(node));
		else if (this.#roomAt(target, this.#context.spans) >= CHANNEL_BYTES) {
			this.nodes.add(target, type, NODE.channel, 1, node, from, how);
		}
	}

	/** The strength of what a chain begins with that goes on from a node or root. */
	#strengthOf(parent: number): number {
		if (parent >= 0) return this.nodes.strength(parent);
		if (parent === ROOT.object || parent <= ROOT.map) return HOW.header;
		if (parent <= ROOT.global) return HOW.global;
		return parent === ROOT.stackInterface ? HOW.stackInterface : HOW.interface;
	}
}

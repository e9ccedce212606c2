/**
 * Decides which candidates are maps: follows their pointers, compares sizes, pointers and counts. Candidates are
 * examined in batches, each step with one read for all of them.
 */
import type { HmapLayout, SwissMapLayout, SwissTableLayout } from "../gobin/layouts/struct-layouts.ts";
import { GroupEvidence } from "./group-evidence.ts";
import {
	type ClassicHeader,
	classicHeader,
	fullSlots,
	overflowBuckets,
	type SwissHeader,
	type SwissTable,
	swissHeader,
	swissTable,
	type Words,
} from "./map-layout.ts";
import { FLAG, type FoundMap } from "./map-table.ts";
import type { ReadBatch } from "./read-batch.ts";
import { ANY, NONE, type Shapes } from "./shapes.ts";
import { type Place, SpanPieces } from "./span-pieces.ts";
import type { Spans } from "./spans.ts";

/** How the headers of the program look. */
export type MapLayouts =
	| { impl: "classic"; hmap: HmapLayout }
	| { impl: "swiss"; map: SwissMapLayout; table: SwissTableLayout };

/** Largest directory that is followed: 2^40 slots. */
const MAX_DIRECTORY = 2 ** 23;
/** Tables of one map whose bytes are read at once. */
const TABLES_AT_ONCE = 1 << 16;
const EXTRA_BYTES = 24;

/** Why a candidate is no map. The first three say that it cannot have changed while it was read if its header is still the same. */
export type Refusal =
	| "fields"
	| "no object"
	| "no type"
	| "old buckets"
	| "extra"
	| "directory"
	| "table"
	| "used"
	| "full";
export const CERTAIN: ReadonlySet<Refusal> = new Set<Refusal>(["fields", "no object", "no type"]);

/** An object that may be a map's header. */
export interface Candidate {
	address: number;
	header: ClassicHeader | SwissHeader;
	/** What became of it: a map, or why not. */
	map: FoundMap | undefined;
	refusal: Refusal | undefined;
	/** Its header was another one when it was looked at again. */
	changed: boolean;
	/** An address that is in no object as expected: its span may be in use only since. 0: none. */
	missing: number;
}

/** What is still to be read of one. */
interface Pending {
	candidate: Candidate;
	map: FoundMap;
	evidence: number;
	oldEvidence: number;
	control: Place | undefined;
	extra: number;
	directory: number;
	/** Of a map with a directory. */
	tables: number[];
	found: SwissTable[];
}

const NO_TABLES: number[] = [];
const NONE_FOUND: SwissTable[] = [];

/** The object that was not as expected. */
function missingOf({ buckets, oldBuckets, extra }: ClassicHeader, refusal: Refusal): number {
	return refusal === "old buckets" ? oldBuckets : refusal === "extra" ? extra : buckets;
}

export class Examiner {
	readonly #spans: Spans;
	readonly #shapes: Shapes;
	readonly #layouts: MapLayouts;
	readonly #minor: number;
	readonly #batch: ReadBatch;
	readonly #pieces: SpanPieces;
	readonly #evidence: GroupEvidence;

	constructor(
		spans: Spans,
		shapes: Shapes,
		layouts: MapLayouts,
		minor: number,
		batch: ReadBatch,
		inlineMarks: boolean,
	) {
		this.#spans = spans;
		this.#shapes = shapes;
		this.#layouts = layouts;
		this.#minor = minor;
		this.#batch = batch;
		this.#pieces = new SpanPieces(spans, batch);
		this.#evidence = new GroupEvidence(spans, shapes, batch, this.#pieces, inlineMarks);
	}

	/** The header at that place; undefined when it cannot be one. */
	headerIn(memory: Words, at: number): ClassicHeader | SwissHeader | undefined {
		return this.#layouts.impl === "classic"
			? classicHeader(memory, at, this.#layouts.hmap)
			: swissHeader(memory, at, this.#layouts.map, this.#minor);
	}

	get headerBytes(): number {
		return this.#layouts.impl === "classic" ? this.#layouts.hmap.bytes : this.#layouts.map.bytes;
	}

	/** Decides about all of them. Uses the batch. */
	examine(candidates: readonly Candidate[]): void {
		// The arenas' bitmaps are looked up with reads of their own.
		this.#evidence.clear();
		for (const { header } of candidates) {
			if (!("buckets" in header)) continue;
			this.#evidence.prepare(header.buckets);
			this.#evidence.prepare(header.oldBuckets);
		}
		this.#pieces.clear();
		const pending = candidates.flatMap((candidate) => this.#begin(candidate) ?? []);
		this.#batch.read();
		const tabled: Pending[] = [];
		for (const each of pending) {
			if (each.directory >= 0) tabled.push(each);
			else if ("buckets" in each.candidate.header) this.#finishClassic(each, each.candidate.header);
			else this.#finishSmall(each, each.candidate.header);
		}
		this.#examineTables(tabled);
	}

	#begin(candidate: Candidate): Pending | undefined {
		const { header, address } = candidate;
		candidate.map = undefined;
		candidate.refusal = undefined;
		candidate.missing = 0;
		const span = this.#spans.at(address);
		const bytes = span < 0 ? 0 : (this.#spans.elemSize[span] as number);
		const map: FoundMap = { address, entries: header.count, groups: 0, bytes, tombstones: 0, set: ANY, flags: 0 };
		const pending: Pending = {
			candidate,
			map,
			evidence: -1,
			oldEvidence: -1,
			control: undefined,
			extra: -1,
			directory: -1,
			tables: NO_TABLES,
			found: NONE_FOUND,
		};
		if ((("buckets" in header ? header.buckets : header.directory) as number) === 0) {
			map.flags = FLAG.empty;
			candidate.map = map;
			return undefined;
		}
		const refusal = "buckets" in header ? this.#beginClassic(pending, header) : this.#beginSwiss(pending, header);
		if (refusal === undefined) return pending;
		candidate.refusal = refusal;
		candidate.missing = "directory" in header ? header.directory : missingOf(header, refusal);
		return undefined;
	}

	#beginClassic(pending: Pending, header: ClassicHeader): Refusal | undefined {
		const { buckets, oldBuckets, log2, sameSize, extra } = header;
		const refusal = this.#addArray(pending, buckets, log2, true);
		if (refusal !== undefined) return refusal;
		if (oldBuckets !== 0) {
			const oldLog2 = sameSize ? log2 : log2 - 1;
			pending.oldEvidence = this.#evidence.add(oldBuckets, oldLog2, true);
			if (pending.oldEvidence < 0) return "old buckets";
			pending.map.growing = { evacuated: header.evacuated, of: 2 ** oldLog2 };
			pending.map.flags |= FLAG.growing;
		}
		if (extra !== 0) {
			const span = this.#spans.at(extra);
			const isExtra =
				span >= 0 &&
				this.#spans.noscan[span] === 0 &&
				(this.#spans.elemSize[span] as number) <= 32 &&
				this.#spans.objectAt(span, extra) === extra;
			if (!isExtra) return "extra";
			pending.extra = this.#batch.add(extra, EXTRA_BYTES);
			pending.map.bytes += this.#spans.elemSize[span] as number;
		}
		if (log2 === 0) pending.control = this.#addControl(buckets);
		pending.map.groups = 2 ** log2;
		return undefined;
	}

	#beginSwiss(pending: Pending, header: SwissHeader): Refusal | undefined {
		const { directory, directoryLength } = header;
		if (directoryLength === 0) {
			const refusal = this.#addArray(pending, directory, 0, false);
			if (refusal !== undefined) return refusal;
			pending.control = this.#addControl(directory);
			pending.map.groups = 1;
			return undefined;
		}
		const span = this.#spans.at(directory);
		const size = directoryLength * 8;
		const isDirectory =
			span >= 0 &&
			directoryLength <= MAX_DIRECTORY &&
			this.#spans.noscan[span] === 0 &&
			this.#spans.objectAt(span, directory) !== 0 &&
			this.#spans.classes.objectSize(size, false) === this.#spans.elemSize[span] &&
			directory % 8 === 0;
		if (!isDirectory) return "directory";
		pending.directory = this.#batch.add(directory, size);
		pending.tables = [];
		pending.found = [];
		pending.map.bytes += this.#spans.elemSize[span] as number;
		return undefined;
	}

	/** The first eight bytes of a bucket or group say which slots are in use. */
	#addControl(address: number): Place | undefined {
		const span = this.#spans.at(address);
		return span < 0 ? undefined : this.#pieces.add(span, address, 8);
	}

	/** Entries of the only bucket or group; NaN when it could not be read. */
	#fullSlots(control: Place | undefined, swiss: boolean): number {
		const at = control === undefined ? -1 : this.#pieces.offset(control);
		return at < 0 ? Number.NaN : fullSlots(this.#batch.bytes, at, swiss);
	}

	#addArray(pending: Pending, address: number, log2: number, classic: boolean): Refusal | undefined {
		const span = this.#spans.at(address);
		if (span < 0 || address % 8 !== 0) return "no object";
		pending.evidence = this.#evidence.add(address, log2, classic);
		return pending.evidence < 0 ? "no type" : undefined;
	}

	/** Types that the evidence leaves; none: NONE. Adds the bytes of the object. */
	#narrow(map: FoundMap, evidence: number): boolean {
		const { set, exact, bytes } = this.#evidence.result(evidence);
		map.set = this.#shapes.intersect(map.set, set);
		map.bytes += bytes;
		if (exact) map.flags |= FLAG.header;
		return map.set !== NONE;
	}

	#finishClassic(pending: Pending, header: ClassicHeader): void {
		const refusal = this.#checkClassic(pending, header);
		const { candidate, map } = pending;
		candidate.refusal = refusal;
		if (refusal === undefined || refusal === "full") candidate.map = map;
	}

	#checkClassic({ map, evidence, oldEvidence, control, extra }: Pending, header: ClassicHeader): Refusal | undefined {
		if (!this.#narrow(map, evidence)) return "no type";
		const arrayBytes = this.#evidence.result(evidence).bytes;
		if (oldEvidence >= 0 && !this.#narrow(map, oldEvidence)) return "old buckets";
		if (extra >= 0 && !this.#batch.isComplete(extra)) return "extra";
		map.bytes += this.#overflowBytes(map, header, arrayBytes, extra);
		const counted = control === undefined || header.oldBuckets !== 0;
		return counted || this.#fullSlots(control, false) === map.entries ? undefined : "full";
	}

	/**
	 * Overflow buckets that are objects of their own: the first ones come from the end of the array (runtime/map.go,
	 * newoverflow).
	 */
	#overflowBytes(map: FoundMap, header: ClassicHeader, arrayBytes: number, extra: number): number {
		const estimate = overflowBuckets(header);
		const shape = this.#shapes.all[this.#shapes.members(map.set)[0] ?? -1];
		if (estimate === 0 || shape === undefined) return 0;
		const { groupBytes } = shape;
		let used = 0;
		if (header.log2 >= 4) {
			const spare = Math.max(0, Math.floor(arrayBytes / groupBytes) - 2 ** header.log2);
			const next = extra < 0 ? 0 : this.#batch.word(this.#batch.offset(extra) + 16);
			const end = header.buckets + 2 ** header.log2 * groupBytes;
			used = next === 0 ? spare : Math.min(spare, Math.max(0, Math.floor((next - end) / groupBytes)));
		}
		map.tombstones = estimate;
		return Math.max(0, estimate - used) * this.#shapes.arrayBytes(shape, 0, false);
	}

	#finishSmall({ candidate, map, evidence, control }: Pending, header: SwissHeader): void {
		if (!this.#narrow(map, evidence)) candidate.refusal = "no type";
		else {
			candidate.map = map;
			if (this.#fullSlots(control, true) !== header.count) candidate.refusal = "full";
		}
	}

	#examineTables(pending: readonly Pending[]): void {
		const left = pending.filter((each) => this.#takeDirectory(each));
		for (let from = 0; from < left.length; ) {
			const part: Pending[] = [];
			for (let tables = 0; from < left.length && tables < TABLES_AT_ONCE; from++) {
				const each = left[from] as Pending;
				part.push(each);
				tables += each.tables.length;
			}
			this.#readTables(part);
		}
	}

	/** The tables in the directory, each once: a table stands there as often as its depth is less than the map's. */
	#takeDirectory({ candidate, directory, tables }: Pending): boolean {
		const batch = this.#batch;
		const length = (candidate.header as SwissHeader).directoryLength;
		candidate.refusal = "directory";
		if (!batch.isComplete(directory)) return false;
		let last = 0;
		for (let i = 0; i < length; i++) {
			const table = batch.word(batch.offset(directory) + i * 8);
			if (table !== last) tables.push(table);
			last = table;
		}
		candidate.refusal = "table";
		return tables.every((table) => {
			const span = this.#spans.at(table);
			const isTable = span >= 0 && this.#isTable(span, table);
			if (!isTable) candidate.missing = table;
			return isTable;
		});
	}

	#isTable(span: number, address: number): boolean {
		return (
			this.#layouts.impl === "swiss" &&
			this.#spans.elemSize[span] === this.#spans.classes.objectSize(this.#layouts.table.bytes, false) &&
			this.#spans.noscan[span] === 0 &&
			this.#spans.objectAt(span, address) === address
		);
	}

	#readTables(pending: readonly Pending[]): void {
		if (this.#layouts.impl !== "swiss" || pending.length === 0) return;
		const { table } = this.#layouts;
		const batch = this.#batch;
		const places = this.#pieces;
		places.clear();
		const pieces = pending.map(({ tables }) =>
			tables.map((address) => places.add(this.#spans.at(address), address, table.bytes)),
		);
		batch.read();
		const checked = pending.filter((each, index) => {
			const header = each.candidate.header as SwissHeader;
			for (const place of pieces[index] ?? []) {
				const at = places.offset(place);
				const found = at < 0 ? undefined : swissTable(batch, at, table, header);
				if (found === undefined) return false;
				each.found.push(found);
			}
			return true;
		});
		places.clear();
		const evidence = checked.map(({ found }) =>
			found.map(({ groups, capacity }) => this.#evidence.add(groups, Math.log2(capacity / 8), false)),
		);
		batch.read();
		for (const [index, each] of checked.entries()) this.#finishTables(each, evidence[index] ?? []);
	}

	#finishTables({ candidate, map, found }: Pending, evidence: readonly number[]): void {
		const tableBytes = this.#layouts.impl === "swiss" ? this.#layouts.table.bytes : 0;
		let used = 0;
		for (const [index, table] of found.entries()) {
			used += table.used;
			map.groups += table.capacity / 8;
			map.tombstones += table.tombstones;
			map.bytes += this.#spans.classes.objectSize(tableBytes, false);
			const number = evidence[index] ?? -1;
			if (number >= 0 && this.#narrow(map, number)) continue;
			candidate.missing = table.groups;
			return;
		}
		candidate.refusal = "used";
		candidate.map = map;
		if (used === map.entries) candidate.refusal = undefined;
	}
}

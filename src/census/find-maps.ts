/** Finds all maps whose headers are in the heap, and where in the table each header's map is. */
import type { Candidate, Examiner } from "./examine.ts";
import { CERTAIN } from "./examine.ts";
import { type HeaderScan, type HeaderShape, headerSpans, scanHeaders } from "./header-objects.ts";
import { FLAG, type MapTable } from "./map-table.ts";
import type { ReadBatch } from "./read-batch.ts";
import type { Spans } from "./spans.ts";

const BATCH = 4096;
/** How often a candidate that seems to change is looked at again. */
const ROUNDS = 4;
/**
 * Candidates that are looked at again: of a program that changes all its maps, and of objects that only look like
 * headers.
 */
const MAX_AGAIN = 1 << 20;
/** Look-ups of memory that was taken into use meanwhile. */
const MAX_REFRESHED = 20_000;

/** Which row of the table a header's address belongs to. */
export class HeaderIndex {
	readonly #spans: Spans;
	/** By number of the span: number of its first object in `#rows`, -1 for spans without headers. */
	readonly #first: Int32Array;
	readonly #rows: Int32Array;

	constructor(spans: Spans, list: readonly number[]) {
		this.#spans = spans;
		this.#first = new Int32Array(spans.base.length).fill(-1);
		let total = 0;
		for (const span of list) {
			this.#first[span] = total;
			total += spans.elems[span] as number;
		}
		this.#rows = new Int32Array(total);
	}

	set(span: number, address: number, row: number): void {
		const index = (address - (this.#spans.base[span] as number)) / (this.#spans.elemSize[span] as number);
		this.#rows[(this.#first[span] as number) + index] = row + 1;
	}

	isHeaderSpan(span: number): boolean {
		return (this.#first[span] as number) >= 0;
	}

	/** -1 when no map has its header at the address, which is in that span. */
	rowAt(span: number, address: number): number {
		const first = this.#first[span] as number;
		if (first < 0) return -1;
		const index = (address - (this.#spans.base[span] as number)) / (this.#spans.elemSize[span] as number);
		return Number.isInteger(index) && index < (this.#spans.elems[span] as number)
			? (this.#rows[first + index] as number) - 1
			: -1;
	}
}

export interface Search {
	index: HeaderIndex;
	scan: HeaderScan;
}

export function findMaps(
	spans: Spans,
	examiner: Examiner,
	batch: ReadBatch,
	shape: HeaderShape,
	inlineMarks: boolean,
	table: MapTable,
	onProgress: () => void,
): Search {
	const list = headerSpans(spans, shape);
	const index = new HeaderIndex(spans, list);
	const search: Search = { index, scan: { unstable: 0 } };
	let found: Candidate[] = [];
	const again: Candidate[] = [];
	const keep = ({ map, address }: Candidate): void => {
		if (map === undefined) return;
		index.set(spans.at(address), address, table.add(map));
	};
	const examine = (): void => {
		for (let from = 0; from < found.length; from += BATCH) {
			const part = found.slice(from, from + BATCH);
			examiner.examine(part);
			for (const candidate of part) {
				if (candidate.refusal === undefined) keep(candidate);
				else if (again.length < MAX_AGAIN) again.push(candidate);
			}
		}
		found = [];
	};
	search.scan = scanHeaders(
		spans,
		batch,
		list,
		shape,
		inlineMarks,
		(address, at) => {
			const header = examiner.headerIn(batch, at);
			if (header !== undefined)
				found.push({ address, header, map: undefined, refusal: undefined, changed: false, missing: 0 });
		},
		() => {
			examine();
			onProgress();
		},
	);
	lookAgain(spans, examiner, batch, again, keep);
	return search;
}

/**
 * A candidate that was refused may have been changed while it was read: it is read again, fresh, until it is a map
 * or stays the same.
 */
function lookAgain(
	spans: Spans,
	examiner: Examiner,
	batch: ReadBatch,
	refused: readonly Candidate[],
	keep: (candidate: Candidate) => void,
): void {
	let left = refused;
	let refreshes = 0;
	for (let round = 0; round < ROUNDS && left.length > 0; round++) {
		const changed = readAgain(examiner, batch, left);
		for (const { missing } of changed) {
			if (missing !== 0 && refreshes++ < MAX_REFRESHED) spans.refresh(batch, missing);
		}
		const next: Candidate[] = [];
		for (let from = 0; from < changed.length; from += BATCH) {
			const part = changed.slice(from, from + BATCH);
			const before = part.map(({ refusal }) => refusal);
			examiner.examine(part);
			part.forEach((candidate, position) => {
				const { refusal } = candidate;
				if (refusal === undefined) keep(candidate);
				// Twice the same, with everything read anew.
				else if (!CERTAIN.has(refusal) || before[position] !== refusal || round === 0) next.push(candidate);
			});
		}
		left = next;
	}
	for (const candidate of left) {
		const { refusal, changed } = candidate;
		// What looks like a map but for its numbers, and changes meanwhile, is one that is being written.
		if ((refusal === "used" || (refusal === "full" && changed)) && candidate.map !== undefined) {
			candidate.map.flags |= FLAG.changing;
			keep(candidate);
		}
	}
}

/** The candidates with the headers that they have now; those that cannot be headers any more are left out. */
function readAgain(examiner: Examiner, batch: ReadBatch, candidates: readonly Candidate[]): Candidate[] {
	const left: Candidate[] = [];
	for (let from = 0; from < candidates.length; from += BATCH) {
		const part = candidates.slice(from, from + BATCH);
		batch.clear();
		for (const { address } of part) batch.add(address, examiner.headerBytes);
		batch.read();
		part.forEach((candidate, number) => {
			const header = batch.isComplete(number) ? examiner.headerIn(batch, batch.offset(number)) : undefined;
			if (header === undefined) return;
			candidate.changed ||= !sameHeader(candidate.header, header);
			candidate.header = header;
			left.push(candidate);
		});
	}
	return left;
}

function sameHeader(a: Candidate["header"], b: Candidate["header"]): boolean {
	return Object.entries(a).every(([name, value]) => (b as unknown as Record<string, unknown>)[name] === value);
}

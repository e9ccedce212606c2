/**
 * Durations in log-linear buckets: one below 64 ns, then each power of two up to 2^32 ns in 16 equal parts, then one
 * without an end; 418 in all, those of the kernel programs.
 *
 * Error: a quantile between 64 ns and 2^32 ns (4.3 s) is off by at most 1/32 (3.2 %) of the true duration, whatever the
 * distribution: it is the middle of a bucket that is at most 1/16 of its lower end wide. Below 64 ns durations are not
 * told apart; above 2^32 ns they are somewhere up to the longest one. Sums, counts and the longest duration are exact.
 * Counts by powers of two alone, as older recordings have them, are kept as such (`coarse`): there a quantile is off by
 * less than a factor of 2.
 */

const FIRST_LOG2 = 6;
const LAST_LOG2 = 32;
const PARTS_LOG2 = 4;
const PARTS = 1 << PARTS_LOG2;
const FIRST_NS = 2 ** FIRST_LOG2;
const LAST_NS = 2 ** LAST_LOG2;

export const BUCKET_COUNT = 2 + PARTS * (LAST_LOG2 - FIRST_LOG2);
/** Powers of two, with the buckets at both ends. */
export const OCTAVE_COUNT = 2 + LAST_LOG2 - FIRST_LOG2;
/** Most that a quantile between 64 ns and 2^32 ns is off, as a share of the true duration; unless `coarse`. */
export const QUANTILE_ERROR = 1 / (2 * PARTS);

export interface Bounds {
	from: number;
	/** The first duration that is not in it any more. */
	to: number;
}

/** A power of two as recordings spell it. */
export interface OctaveCount {
	/** Lower end, 0 in the first. */
	from_ns: number;
	count: number;
	/** Of its 16 equal parts, without zeros at the end; absent where it has none, and where they are not known. */
	parts?: number[];
}

/** The bucket of a duration. */
export function bucketOf(ns: number): number {
	if (!(ns >= FIRST_NS)) return 0;
	if (ns >= LAST_NS) return BUCKET_COUNT - 1;
	const log2 = 31 - Math.clz32(ns);
	return 1 + PARTS * (log2 - FIRST_LOG2) + ((ns >>> (log2 - PARTS_LOG2)) & (PARTS - 1));
}

/** The power of two that a bucket is part of: 0 for the first bucket, then from 1 on. */
function octaveOf(bucket: number): number {
	return bucket === 0 ? 0 : 1 + Math.floor((bucket - 1) / PARTS);
}

function octaveBounds(octave: number): Bounds {
	const to = octave === OCTAVE_COUNT - 1 ? Number.POSITIVE_INFINITY : 2 ** (octave + FIRST_LOG2);
	return { from: octave === 0 ? 0 : 2 ** (octave + FIRST_LOG2 - 1), to };
}

export function bucketBounds(bucket: number): Bounds {
	const octave = octaveOf(bucket);
	const { from, to } = octaveBounds(octave);
	if (octave === 0 || octave === OCTAVE_COUNT - 1) return { from, to };
	const width = from / PARTS;
	const start = from + ((bucket - 1) % PARTS) * width;
	return { from: start, to: start + width };
}

function total(counts: readonly number[]): number {
	return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Where in a bucket that is not fine the share of its durations lies: as if they were spread evenly by their logarithm.
 */
function spread({ from, to }: Bounds, share: number): number {
	return from === 0 ? to * share : from * (to / from) ** share;
}

/** At most 418 numbers; few where there are few durations. */
export class Histogram {
	/** Buckets that are not empty, in order, and their counts. */
	#buckets: number[] = [];
	#counts: number[] = [];
	/** Durations of which nothing but the power of two is known, by its number. */
	#octaves: number[] | undefined;
	#count = 0;
	#sum = 0;
	#max = 0;

	/**
	 * `counts`: of all 418 buckets. `maxNs`: of these durations or longer ones: what cannot be in the highest bucket is
	 * not believed.
	 */
	static ofCounts(counts: readonly number[], sumNs: number, maxNs: number): Histogram {
		const histogram = new Histogram();
		for (const [bucket, count] of counts.entries()) if (count > 0) histogram.#put(bucket, count);
		return histogram.#with(total(counts), sumNs, maxNs);
	}

	/** The same of 28 powers of two: below 64 ns, from 2^(n+5) to below 2^(n+6) ns, from 2^32 ns on. */
	static ofOctaves(counts: readonly number[], sumNs: number, maxNs: number): Histogram {
		const histogram = new Histogram();
		for (const [octave, count] of counts.entries()) if (count > 0) histogram.#putCoarse(octave, count);
		return histogram.#with(total(counts), sumNs, maxNs);
	}

	/** From a record, which anybody can have written; `count` and `sumNs` are taken as they are. */
	static ofRecord(octaves: readonly OctaveCount[], count: number, sumNs: number, maxNs: number): Histogram {
		const histogram = new Histogram();
		for (const { from_ns, count, parts } of octaves) {
			if (!(from_ns >= 0 && count > 0 && Number.isFinite(count))) continue;
			const first = bucketOf(from_ns);
			const divided = first > 0 && first < BUCKET_COUNT - 1 && octaveBounds(octaveOf(first)).from === from_ns;
			const fine = divided && parts !== undefined && parts.length <= PARTS && total(parts) === count;
			if (fine) for (const [part, n] of parts.entries()) histogram.#put(first + part, n);
			else histogram.#putCoarse(octaveOf(first), count);
		}
		histogram.#count = count;
		histogram.#sum = sumNs;
		histogram.#max = maxNs;
		return histogram;
	}

	#with(count: number, sumNs: number, maxNs: number): this {
		this.#count = count;
		this.#sum = sumNs;
		const coarse = this.#octaves?.findLastIndex((n) => n > 0) ?? -1;
		const fine = this.#buckets.at(-1);
		const ends = [fine === undefined ? 0 : bucketBounds(fine).to, coarse < 0 ? 0 : octaveBounds(coarse).to];
		this.#max = Math.min(maxNs, Math.max(...ends));
		return this;
	}

	/** Adds a duration that stands for `weight` of them. */
	add(ns: number, weight = 1): void {
		this.#put(bucketOf(ns), weight);
		this.#count += weight;
		this.#sum += weight * ns;
		if (ns > this.#max) this.#max = ns;
	}

	#put(bucket: number, count: number): void {
		if (!(count > 0)) return;
		const buckets = this.#buckets;
		let low = 0;
		let high = buckets.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((buckets[middle] ?? 0) < bucket) low = middle + 1;
			else high = middle;
		}
		if (buckets[low] === bucket) this.#counts[low] = (this.#counts[low] ?? 0) + count;
		else if (low === buckets.length) {
			buckets.push(bucket);
			this.#counts.push(count);
		} else {
			buckets.splice(low, 0, bucket);
			this.#counts.splice(low, 0, count);
		}
	}

	#putCoarse(octave: number, count: number): void {
		// At both ends a bucket is a power of two.
		if (octave === 0) this.#put(0, count);
		else if (octave >= OCTAVE_COUNT - 1) this.#put(BUCKET_COUNT - 1, count);
		else {
			this.#octaves ??= new Array<number>(OCTAVE_COUNT).fill(0);
			this.#octaves[octave] = (this.#octaves[octave] ?? 0) + count;
		}
	}

	merge(other: Histogram): void {
		for (const [at, bucket] of other.#buckets.entries()) this.#put(bucket, other.#counts[at] ?? 0);
		for (const [octave, count] of (other.#octaves ?? []).entries()) if (count > 0) this.#putCoarse(octave, count);
		this.#count += other.#count;
		this.#sum += other.#sum;
		this.#max = Math.max(this.#max, other.#max);
	}

	clone(): Histogram {
		const copy = new Histogram();
		copy.#buckets = this.#buckets.slice();
		copy.#counts = this.#counts.slice();
		copy.#octaves = this.#octaves?.slice();
		copy.#count = this.#count;
		copy.#sum = this.#sum;
		copy.#max = this.#max;
		return copy;
	}

	get count(): number {
		return this.#count;
	}

	get sumNs(): number {
		return this.#sum;
	}

	get maxNs(): number {
		return this.#max;
	}

	/** Some durations are known by their power of two only. */
	get coarse(): boolean {
		return this.#octaves !== undefined;
	}

	/** How many numbers it keeps: what it needs of memory. */
	get size(): number {
		return this.#buckets.length + (this.#octaves?.length ?? 0);
	}

	/** The duration that the share `q` (0 to 1) of them does not exceed, in nanoseconds; undefined without durations. */
	quantile(q: number): number | undefined {
		const [bounds, counts] = this.#segments();
		const wanted = Math.min(1, Math.max(0, q)) * total(counts);
		let before = 0;
		for (const [at, count] of counts.entries()) {
			const share = (wanted - before) / count;
			before += count;
			if (share > 1 && at < counts.length - 1) continue;
			const { from, to } = bounds[at] ?? { from: 0, to: 0 };
			if (q >= 1) return Math.max(from, Math.min(to, this.#max));
			const end = Math.max(from, Math.min(to, this.#max));
			const isFine = from > 0 && to - from < from / 2;
			return isFine ? Math.min((from + to) / 2, end) : spread({ from, to: end }, Math.min(1, share));
		}
		return undefined;
	}

	/** Bounds and counts in order. A power of two with durations of which no more is known is one. */
	#segments(): [Bounds[], readonly number[]] {
		const coarse = this.#octaves;
		if (coarse === undefined) return [this.#buckets.map(bucketBounds), this.#counts];
		const bounds: Bounds[] = [];
		const counts: number[] = [];
		let at = 0;
		for (const [octave, more] of coarse.entries()) {
			let count = more;
			for (
				let bucket = this.#buckets[at];
				bucket !== undefined && octaveOf(bucket) === octave;
				bucket = this.#buckets[++at]
			) {
				if (more > 0) count += this.#counts[at] ?? 0;
				else {
					bounds.push(bucketBounds(bucket));
					counts.push(this.#counts[at] ?? 0);
				}
			}
			if (more === 0) continue;
			bounds.push(octaveBounds(octave));
			counts.push(count);
		}
		return [bounds, counts];
	}

	/** By powers of two, as records spell it; empty ones are left out. */
	octaves(): OctaveCount[] {
		const counts = this.#octaves?.slice() ?? new Array<number>(OCTAVE_COUNT).fill(0);
		const parts = new Map<number, number[]>();
		for (const [at, bucket] of this.#buckets.entries()) {
			const octave = octaveOf(bucket);
			const count = this.#counts[at] ?? 0;
			counts[octave] = (counts[octave] ?? 0) + count;
			if (octave === 0 || octave === OCTAVE_COUNT - 1 || this.#octaves?.[octave]) continue;
			const own = parts.get(octave) ?? [];
			parts.set(octave, own);
			while (own.length < (bucket - 1) % PARTS) own.push(0);
			own.push(count);
		}
		return counts.flatMap((count, octave): OctaveCount[] => {
			if (count === 0) return [];
			const row: OctaveCount = { from_ns: octaveBounds(octave).from, count };
			const own = parts.get(octave);
			return [own === undefined ? row : { ...row, parts: own }];
		});
	}
}

/** All of them as one. */
export function mergedHistogram(histograms: Iterable<Histogram>): Histogram {
	const sum = new Histogram();
	for (const histogram of histograms) sum.merge(histogram);
	return sum;
}

/** What was seen of a row in windows, with what its intervals follow from. A row that was always measured in full has none. */
import { WindowedSum } from "../budget/estimate.ts";
import type { Window } from "../budget/window-weight.ts";
import { addFigures, type Figure } from "../records/figure.ts";
import type { Extent, Stream } from "./sampling.ts";

export const SAMPLED_FIGURES = ["growths", "work", "bytes"] as const;
export type SampledFigure = (typeof SAMPLED_FIGURES)[number];

/** By what streams a figure is made of. */
export const STREAMS_OF: Record<SampledFigure, readonly Stream[]> = {
	growths: ["large", "small"],
	bytes: ["large", "small"],
	work: ["work"],
};

/** A row can be of many processes, in the course of days of very many. */
const MAX_SUMS = 4096;

/** Of processes beyond that, and of programs that a process has left: only what was seen is known. */
interface Rest {
	weighted: number;
	seen: number;
}

/** Figures of several processes can be in one row: each process and stream has windows of its own. */
export class SampledSums {
	readonly #sums = new Map<string, WindowedSum>();
	#rest: Map<SampledFigure, Rest> | undefined;

	/** `start`: index of the first window that the sum may hold; `each`: what one hit adds. */
	add(
		pid: number,
		stream: Stream,
		figure: SampledFigure,
		window: Window,
		amount: number,
		each: number,
		start: number,
	): void {
		if (amount === 0) return;
		const key = `${pid}:${stream}:${figure}`;
		let sum = this.#sums.get(key);
		if (sum === undefined) {
			if (this.#sums.size >= MAX_SUMS) {
				this.#addRest(figure, { weighted: window.weight * amount, seen: amount });
				return;
			}
			sum = new WindowedSum(start);
			this.#sums.set(key, sum);
		}
		sum.window(window, amount, each);
	}

	#addRest(figure: SampledFigure, { weighted, seen }: Rest): void {
		this.#rest ??= new Map();
		const rest = this.#rest.get(figure) ?? { weighted: 0, seen: 0 };
		this.#rest.set(figure, { weighted: rest.weighted + weighted, seen: rest.seen + seen });
	}

	/** Takes over the sums of a row that leaves its table. */
	absorb(other: SampledSums): void {
		for (const [key, sum] of other.#sums) {
			if (!this.#sums.has(key) && this.#sums.size < MAX_SUMS) this.#sums.set(key, sum);
			// It came back after it had left the table once before: its windows would not be in order.
			else this.#addRest(figureOf(key), { weighted: sum.estimate, seen: sum.seen });
		}
		for (const [figure, rest] of other.#rest ?? []) this.#addRest(figure, rest);
	}

	/**
	 * The figure: `weighted` is all that the row has, the windows with their weights among it. Undefined when none of the streams was measured.
	 */
	read(figure: SampledFigure, weighted: number, extents: readonly Extent[]): Figure | undefined {
		const rest = this.#rest?.get(figure);
		const sampled = extents.filter(({ exact }) => !exact);
		if (sampled.length === 0 && rest === undefined) return Math.round(weighted);
		if (!extents.some(({ measured }) => measured) && weighted === 0) return undefined;
		let estimated = rest?.weighted ?? 0;
		const parts: Figure[] = rest === undefined ? [] : [{ at_least: rest.seen }];
		for (const { pid, stream, windows, missed } of sampled) {
			const sum = this.#sums.get(`${pid}:${stream}:${figure}`);
			if (sum === undefined) {
				parts.push({ at_least: 0 });
				continue;
			}
			estimated += sum.estimate;
			parts.push(sum.read({ windows, missed }));
		}
		return addFigures([Math.round(weighted - estimated), ...parts]);
	}
}

function figureOf(key: string): SampledFigure {
	return SAMPLED_FIGURES.find((figure) => key.endsWith(`:${figure}`)) ?? "growths";
}

/** Of a row without windows. */
const NO_SUMS = new SampledSums();

export function readFigure(
	sums: SampledSums | undefined,
	figure: SampledFigure,
	weighted: number,
	extents: readonly Extent[],
): Figure | undefined {
	return (sums ?? NO_SUMS).read(figure, weighted, extents);
}

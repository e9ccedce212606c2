/**
 * Growths as a file for speedscope (www.speedscope.app/file-format-schema.json) with a profile for each metric. Its own reader of pprof
 * keeps one line of a location, so that inlined frames would vanish: this has all.
 */
import { OTHER } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import { VERSION } from "../lib/version.ts";
import type { Frame, GrowthRecord } from "../records/records.ts";

/** Bounds for recordings of anybody. */
const MAX_STACKS = 100_000;
const MAX_FRAMES = 200_000;
const MAX_DEPTH = 256;
const MAX_PATH = 4096;

const METRICS = [
	["growths", "none"],
	["bytes allocated", "bytes"],
	["bytes copied", "bytes"],
	["elapsed time", "nanoseconds"],
] as const;

interface SpeedscopeFrame {
	name: string;
	file?: string;
	line?: number;
}

interface Weighted {
	stack: number[];
	weights: [number, number, number, number];
}

export class SpeedscopeBuilder {
	readonly #frames: SpeedscopeFrame[] = [];
	readonly #indexes = new Map<string, number>();
	readonly #stacks = new Map<string, Weighted>();
	readonly #names = new Map<number, string>();

	addProcess(pid: number, name: string): void {
		if (this.#names.size < MAX_STACKS || this.#names.has(pid)) this.#names.set(pid, name);
	}

	add(record: GrowthRecord): void {
		const { weight = 1, bytes = 0, bytes_moved = 0, duration_ns = 0 } = record;
		const { weights } = this.#weighted(record);
		weights[0] += weight;
		weights[1] += weight * bytes;
		weights[2] += weight * bytes_moved;
		weights[3] += weight * duration_ns;
	}

	/** Outermost frame first; the process around them, the map type inside. */
	#weighted({ pid, stack, map_type }: GrowthRecord): Weighted {
		const frames: Frame[] = [
			{ fn: `${this.#names.get(pid) ?? "process"} ${pid}` },
			...stack.slice(0, MAX_DEPTH).toReversed(),
			{ fn: map_type },
		];
		const indexes = frames.map((frame) => this.#index(frame));
		const key = indexes.join(" ");
		const known = this.#stacks.get(key);
		if (known !== undefined) return known;
		const full = this.#stacks.size >= MAX_STACKS;
		const rest = full ? this.#stacks.get(OTHER) : undefined;
		if (rest !== undefined) return rest;
		const made: Weighted = { stack: full ? [this.#index({ fn: OTHER })] : indexes, weights: [0, 0, 0, 0] };
		this.#stacks.set(full ? OTHER : key, made);
		return made;
	}

	#index({ fn, file, line }: Frame): number {
		const key = `${fn}\n${file ?? ""}\n${line ?? ""}`;
		const known = this.#indexes.get(key);
		if (known !== undefined) return known;
		if (this.#frames.length >= MAX_FRAMES && fn !== OTHER) return this.#index({ fn: OTHER });
		const made = this.#frames.length;
		this.#indexes.set(key, made);
		this.#frames.push({
			name: fn === "" ? "(unknown)" : sanitize(fn),
			...(file === undefined ? {} : { file: sanitize(file, MAX_PATH) }),
			...(line === undefined ? {} : { line }),
		});
		return made;
	}

	/** The file's text. `name`: of what it is. */
	text(name: string): string {
		const stacks = [...this.#stacks.values()];
		const profiles = METRICS.map(([metric, unit], index) => {
			const weights = stacks.map((stack) => stack.weights[index] ?? 0);
			const endValue = weights.reduce((sum, weight) => sum + weight, 0);
			const samples = stacks.map(({ stack }) => stack);
			return { type: "sampled", name: metric, unit, startValue: 0, endValue, samples, weights };
		});
		return `${JSON.stringify({
			$schema: "https://www.speedscope.app/file-format-schema.json",
			...{ exporter: `gomapgrow@${VERSION}`, name: sanitize(name), activeProfileIndex: 0 },
			shared: { frames: this.#frames },
			profiles,
		})}\n`;
	}
}

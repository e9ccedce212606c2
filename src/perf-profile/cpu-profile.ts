/** Sums up a CPU profile by what it says of maps: which share of the samples is inside map growth, and who called it. */

import { callSite } from "../gomap/call-site.ts";
import { isGrowthCode, isMapCode } from "../gomap/functions.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import type { Frame } from "../records/records.ts";
import type { PerfFrame, PerfSample } from "./parse-script.ts";

/** What samples stand for: `weight` is in nanoseconds of a clock event, else in units of the event, or the samples themselves. */
export interface Share {
	samples: number;
	weight: number;
}

export interface ProfileRow extends Share {
	fn: string;
	file?: string;
	line?: number;
}

export interface CpuProfile {
	event: string;
	/** Whether weights are nanoseconds of processor time. */
	clock: boolean;
	/** From the first to the last sample; absent when the samples have no times. */
	spanNs?: number;
	threads: number;
	/** Names of the threads, as far as there are few. */
	comms: string[];
	total: Share;
	/** With a growth function anywhere in the stack. */
	growth: Share;
	/** In other map code: access and iteration. */
	otherMapCode: Share;
	/** Each growth function: samples with it anywhere in the stack, what it calls included. */
	functions: ProfileRow[];
	/** Of those inside map growth: the first frame outside map code. */
	callers: ProfileRow[];
	/** Samples whose innermost frame has no name. */
	nameless: Share;
	/** Samples with one frame or none. */
	withoutCallers: number;
	/** Samples of other events than the first one's: left out. */
	otherEvents: number;
}

const CLOCK_EVENT = /^(cpu|task)-clock\b/;

const MAX_CALLERS = 4096;
const MAX_THREADS = 65_536;
const MAX_COMMS = 8;

/** The frames of one that perf saw, innermost first: with those of inlined functions, where they are known. */
export type FrameResolver = (frame: PerfFrame, isReturn: boolean) => readonly Frame[] | undefined;

const none = (): Share => ({ samples: 0, weight: 0 });

function add(share: Share, weight: number): void {
	share.samples++;
	share.weight += weight;
}

type Rows = FoldingTable<string, ProfileRow>;

function newRows(): Rows {
	return new FoldingTable(MAX_CALLERS, OTHER, () => ({ fn: OTHER, ...none() }));
}

/** Most time first, then by function, file and line. */
export function compareProfileRows(a: ProfileRow, b: ProfileRow): number {
	return (
		b.weight - a.weight ||
		compareText(a.fn, b.fn) ||
		compareText(a.file ?? "", b.file ?? "") ||
		(a.line ?? 0) - (b.line ?? 0)
	);
}

export class CpuProfileBuilder {
	readonly #resolve: FrameResolver;
	readonly #total = none();
	readonly #growth = none();
	readonly #otherMapCode = none();
	readonly #nameless = none();
	readonly #functions = newRows();
	readonly #callers = newRows();
	readonly #tids = new Set<number>();
	readonly #comms = new Set<string>();
	#event: string | undefined;
	#first: number | undefined;
	#last: number | undefined;
	#withoutCallers = 0;
	#otherEvents = 0;

	constructor(resolve: FrameResolver) {
		this.#resolve = resolve;
	}

	add(sample: PerfSample): void {
		this.#event ??= sample.event;
		if (sample.event !== this.#event) {
			this.#otherEvents++;
			return;
		}
		const weight = sample.period ?? 1;
		add(this.#total, weight);
		this.#note(sample);
		const stack = this.#stackOf(sample.frames);
		if (stack[0]?.fn === "") add(this.#nameless, weight);
		if (sample.frames.length < 2) this.#withoutCallers++;
		const grows = new Set(stack.map(({ fn }) => fn).filter(isGrowthCode));
		if (grows.size > 0) {
			add(this.#growth, weight);
			for (const fn of grows) this.#addRow(this.#functions, fn, { fn }, weight);
			this.#addCaller(stack, weight);
		} else if (stack.some(({ fn }) => isMapCode(fn))) {
			add(this.#otherMapCode, weight);
		}
	}

	#note({ tid, comm, time }: PerfSample): void {
		if (this.#tids.size < MAX_THREADS) this.#tids.add(tid);
		// Of a thread that has begun before the recording perf may know no name.
		if (this.#comms.size < MAX_COMMS && !comm.startsWith(":")) this.#comms.add(comm);
		if (time === undefined) return;
		this.#first = Math.min(this.#first ?? time, time);
		this.#last = Math.max(this.#last ?? time, time);
	}

	/** Innermost first. A frame without a name has an empty one. */
	#stackOf(frames: readonly PerfFrame[]): Frame[] {
		return frames.flatMap((frame, index) => {
			const resolved = this.#resolve(frame, index > 0);
			if (resolved !== undefined && resolved.length > 0) return resolved;
			const { dso = "", file, line } = frame;
			// [vdso] and the like are no files.
			const fn = frame.fn ?? (dso.startsWith("[") && dso !== "[unknown]" ? dso : "");
			return [{ fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) }];
		});
	}

	#addCaller(stack: readonly Frame[], weight: number): void {
		// From the growth function outwards: what it calls may lie outside map code, too.
		const outwards = stack.slice(stack.findIndex(({ fn }) => isGrowthCode(fn)));
		const site = callSite(outwards);
		if (site === undefined || isMapCode(site.fn)) return;
		const { fn, file, line } = site;
		const place = { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
		this.#addRow(this.#callers, `${fn}\0${file ?? ""}\0${line ?? ""}`, place, weight);
	}

	#addRow(rows: Rows, key: string, place: Omit<ProfileRow, keyof Share>, weight: number): void {
		add(
			rows.getOrAdd(key, () => ({ ...place, ...none() })),
			weight,
		);
	}

	/** Undefined when there was no sample. */
	result(): CpuProfile | undefined {
		const event = this.#event;
		if (event === undefined) return undefined;
		const sorted = (rows: Rows): ProfileRow[] => rows.values().sort(compareProfileRows);
		return {
			event,
			clock: CLOCK_EVENT.test(event) && this.#total.weight > this.#total.samples,
			...(this.#first === undefined || this.#last === undefined
				? {}
				: { spanNs: Math.round((this.#last - this.#first) * 1e9) }),
			threads: this.#tids.size,
			comms: [...this.#comms],
			total: this.#total,
			growth: this.#growth,
			otherMapCode: this.#otherMapCode,
			functions: sorted(this.#functions),
			callers: sorted(this.#callers),
			nameless: this.#nameless,
			withoutCallers: this.#withoutCallers,
			otherEvents: this.#otherEvents,
		};
	}
}

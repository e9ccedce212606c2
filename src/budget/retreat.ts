/**
 * The order of retreat: what is given up, step by step, so that probing a target stays within its limit. The hit that costs least and tells most is given up last:
 *
 * 0 everything; 1 without details of growth work; 2 growth work (and iterations, makes) in windows; 3 durations of growths for a sample; 4 records of growths for a
 * sample, their counts stay exact; 5 growths of small maps in windows, those of large maps stay exact; 6 everything in windows.
 */
import type { Shape } from "./periods.ts";
import { fairShares } from "./promise.ts";
import { chooseShape } from "./shape.ts";

/** What is probed: growths of large and of small maps (by the probe that they hit), and the rest. */
export type Stream = "large" | "small" | "work" | "iteration" | "make";
export const OTHERS = ["work", "iteration", "make"] as const satisfies readonly Stream[];

export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** A stream as it would be if it were probed all the time. Costs are nanoseconds a hit. */
export interface StreamLoad {
	/** Hits a second; undefined as long as nothing was measured. */
	perSecond: number | undefined;
	/** Counting it. */
	countNs: number;
	/** More for its duration: the exit. 0 where there is none. */
	exitNs: number;
	/** More for a record of it (growths), or for details (the others). */
	recordNs: number;
}

/** Streams that are not watched are absent. */
export type Loads = Partial<Record<Stream, StreamLoad>>;

export interface RetreatInput {
	loads: Loads;
	/** What probing the target may cost, nanoseconds per second. */
	limitNs: number;
	/** Time around a window in which hits cost, too. */
	aroundNs: number;
	intervalNs: number;
	/** Loads may multiply at any moment: what a level leaves to windows stays there. */
	unsteady?: boolean;
}

/** "off": not even one window in ten minutes is within the limit. */
export type Probing = "off" | "full" | Shape;

export interface Probed {
	level: Level;
	streams: Partial<Record<Stream, Probing>>;
	/** Exit probes of growths that are probed all the time; with those in windows they are attached in the same windows. */
	exits: Probing;
	/** Part of the growths that become records, drawn in the kernel. */
	recordChance: { large: number; small: number };
	/** Whether growth work has details and durations. */
	workDetails: boolean;
}

/** Part of the limit that is planned for: costs are known to some 20 %. */
const AIM = 0.8;
/** The others have this part of it, whatever growths take. */
const FOR_OTHERS = 0.15;
/** Recording all growths, counting them, or counting all large ones may take this part of the limit: counts are what is given up last. */
const MOST_RECORDING = 0.86;
const MOST_COUNTING = 0.85;
const MOST_LARGE = 0.75;
/** Of what counting leaves of the limit: for durations and records, and for the others. */
const BESIDE_COUNTING = 0.35;
const OTHERS_BESIDE = 0.25;
const LEAST_LEFT = 0.1;
/** On level 4, of what is left: for durations; the rest is for records. */
const COUNTED_EXITS = 0.2;
/** On level 5, of what is left: for durations and for records of large growths; the rest is for windows. */
const LARGE_EXITS = 0.15;
const LARGE_RECORDS = 0.25;
/** What records cost in windows, for each nanosecond of counting. */
const FOR_RECORDS = 0.2;
/** So many growths of each size a second become records at least. */
const LEAST_RECORDS = 20;
/** The longest period of a stream of little importance. */
const RAREST_NS = 600e9;
/** Windows in which nothing is known yet. */
export const FIRST_WINDOWS = { perInterval: 4, n: 50 } as const;

interface Costs {
	large: number;
	counting: number;
	exits: number;
	records: number;
	others: number;
	details: number;
}

function costsOf(loads: Loads): Costs {
	const { large, small } = loads;
	const rate = (load: StreamLoad | undefined): number => load?.perSecond ?? 0;
	const both = (of: (load: StreamLoad) => number): number =>
		(large === undefined ? 0 : rate(large) * of(large)) + (small === undefined ? 0 : rate(small) * of(small));
	const rest = OTHERS.flatMap((name) => loads[name] ?? []);
	return {
		large: rate(large) * (large?.countNs ?? 0),
		counting: both(({ countNs }) => countNs),
		exits: both(({ exitNs }) => exitNs),
		records: both(({ recordNs }) => recordNs),
		others: rest.reduce((sum, load) => sum + rate(load) * load.countNs, 0),
		details: rest.reduce((sum, load) => sum + rate(load) * (load.exitNs + load.recordNs), 0),
	};
}

/** What everything would cost all the time, nanoseconds per second. */
export function fullCost(loads: Loads): number {
	const { counting, exits, records, others, details } = costsOf(loads);
	return counting + exits + records + others + details;
}

function hasOthers(loads: Loads): boolean {
	return OTHERS.some((name) => loads[name] !== undefined);
}

/** What growths may cost. */
function growthLimit({ loads, limitNs }: RetreatInput): number {
	return AIM * limitNs * (hasOthers(loads) ? 1 - FOR_OTHERS : 1);
}

/** The first level that stays within the limit. */
export function neededLevel(input: RetreatInput): Level {
	const { loads, limitNs } = input;
	const { large, counting, exits, records, others, details } = costsOf(loads);
	const all = AIM * limitNs;
	const most = growthLimit(input);
	const known = OTHERS.every((name) => loads[name] === undefined || loads[name].perSecond !== undefined);
	const growths = counting + exits + records;
	if (known && growths + others + details <= all) return 0;
	if (known && growths + others <= all) return 1;
	if (growths <= most) return 2;
	if (counting + records <= MOST_RECORDING * limitNs) return 3;
	if (counting <= MOST_COUNTING * limitNs) return 4;
	return loads.small !== undefined && large <= MOST_LARGE * limitNs ? 5 : 6;
}

/** Where ten seconds do not pay for a window, a rare one is better than none: without it nobody would see that there is less to do. */
function windowsFor(fullNsPerSecond: number, limitNsPerSecond: number, input: RetreatInput): Probing {
	const { aroundNs, intervalNs } = input;
	const needs = { fullNsPerSecond, limitNsPerSecond, aroundNs, intervalNs };
	return chooseShape(needs) ?? chooseShape({ ...needs, longestNs: RAREST_NS }) ?? "off";
}

/** Part of the hits of a stream that become records when these may cost so much. */
function chanceFor(limitNs: number, load: StreamLoad | undefined): number {
	const { perSecond = 0, recordNs = 0 } = load ?? {};
	const full = perSecond * recordNs;
	if (full <= limitNs) return 1;
	return Math.min(1, Math.max(LEAST_RECORDS / perSecond, limitNs / full));
}

function recordsNs(load: StreamLoad | undefined): number {
	return (load?.perSecond ?? 0) * (load?.recordNs ?? 0);
}

interface GrowthsProbed extends Pick<Probed, "streams" | "exits" | "recordChance"> {
	/** What that costs, and what of it goes to those that are counted, or recorded, all the time, nanoseconds per second. */
	ns: number;
	countedNs: number;
}

/** What a level leaves to windows is probed all the time only when it takes no more than this part of what it may: loads change by the second, and every change is a gap. */
const FITS = 0.6;

/** What counting leaves of the limit; in a burst it takes more than all of it for a while. */
function leftBeside(countingNs: number, limitNs: number): number {
	return Math.max(LEAST_LEFT * limitNs, limitNs - countingNs);
}

/** What is left for details of growths that are all counted. */
function roomBeside(countingNs: number, input: RetreatInput): number {
	return Math.max(growthLimit(input) - countingNs, BESIDE_COUNTING * leftBeside(countingNs, input.limitNs));
}

/** Every growth is counted; exits, and on level 4 records, are for a sample. Records of large growths come first. */
function countedGrowths(level: 3 | 4, input: RetreatInput, streams: Probed["streams"]): GrowthsProbed {
	const { large, small } = input.loads;
	const { counting, exits, records } = costsOf(input.loads);
	const room = roomBeside(level === 3 ? counting + records : counting, input);
	const forExits = Math.min(exits, level === 3 ? room : COUNTED_EXITS * room);
	const fits = exits <= FITS * forExits && input.unsteady !== true;
	const shape = fits ? "full" : windowsFor(exits, forExits, input);
	if (level === 3) {
		const ns = counting + records + forExits;
		return { streams, exits: shape, recordChance: { large: 1, small: 1 }, ns, countedNs: counting + records };
	}
	const forRecords = room - forExits;
	const forLarge = chanceFor(forRecords, large);
	const largeNs = forLarge * recordsNs(large);
	const forSmall = chanceFor(forRecords - largeNs, small);
	const ns = counting + forExits + largeNs + forSmall * recordsNs(small);
	return { streams, exits: shape, recordChance: { large: forLarge, small: forSmall }, ns, countedNs: counting };
}

/** What a growth costs in windows, where every hit has its exit and some are records. */
function windowedNs(load: StreamLoad | undefined, recordChance: number): number {
	if (load?.perSecond === undefined) return 0;
	return load.perSecond * (load.countNs + load.exitNs + recordChance * load.recordNs);
}

function windowedChance(load: StreamLoad | undefined): number {
	return chanceFor(FOR_RECORDS * (load?.perSecond ?? 0) * (load?.countNs ?? 0), load);
}

/** Growths at this level, and what that costs. */
function growthsAt(level: Level, input: RetreatInput): GrowthsProbed {
	const { large, small } = input.loads;
	const most = growthLimit(input);
	const watched = (of: Probing): Probed["streams"] => ({ ...(large && { large: of }), ...(small && { small: of }) });
	if (level <= 2) {
		const { counting, exits, records } = costsOf(input.loads);
		return {
			...{ streams: watched("full"), exits: "full", recordChance: { large: 1, small: 1 } },
			...{ ns: counting + exits + records, countedNs: counting },
		};
	}
	if (level === 3 || level === 4) return countedGrowths(level, input, watched("full"));
	const chance = { large: windowedChance(large), small: windowedChance(small) };
	if (level === 6) {
		const both = windowedNs(large, chance.large) + windowedNs(small, chance.small);
		const streams = watched(windowsFor(both, most, input));
		return { streams, exits: "off", recordChance: chance, ns: most, countedNs: 0 };
	}
	const of = costsOf({ ...(large && { large }) });
	const room = roomBeside(of.counting, input);
	const forLarge = chanceFor(LARGE_RECORDS * room, large);
	const forExits = Math.min(of.exits, LARGE_EXITS * room);
	const left = room - forExits - forLarge * of.records;
	const windows = windowsFor(windowedNs(small, chance.small), left, input);
	const exits = of.exits <= forExits ? "full" : windowsFor(of.exits, forExits, input);
	const recordChance = { large: forLarge, small: chance.small };
	return {
		...{ streams: { ...watched("full"), small: windows }, exits: large ? exits : "off", recordChance },
		...{ ns: of.counting + room, countedNs: of.counting },
	};
}

/** What is probed at a level. */
export function probedAt(level: Level, input: RetreatInput): Probed {
	const { loads, limitNs, intervalNs, unsteady = false } = input;
	const { ns, countedNs, ...growths } = growthsAt(level, input);
	const all = AIM * limitNs;
	const names = OTHERS.filter((name) => loads[name] !== undefined);
	const full = names.map((name) => (loads[name]?.perSecond ?? 0) * (loads[name]?.countNs ?? 0));
	const pool = Math.max(Math.min(FOR_OTHERS * all, OTHERS_BESIDE * leftBeside(countedNs, limitNs)), all - ns);
	const shares = fairShares(pool, full);
	const streams = { ...growths.streams };
	for (const [at, name] of names.entries()) {
		const first = { periodNs: intervalNs / FIRST_WINDOWS.perInterval, n: FIRST_WINDOWS.n };
		if (level < 2) streams[name] = "full";
		else if (loads[name]?.perSecond === undefined) streams[name] = first;
		else {
			const { perSecond, countNs, exitNs } = loads[name];
			const share = shares[at] ?? 0;
			// In windows every call has its exit.
			const ns = perSecond * countNs;
			const fits = !unsteady && ns <= share && ns <= (FITS * pool) / names.length;
			const wanted = fits ? "full" : windowsFor(perSecond * (countNs + exitNs), share, input);
			// So few hits that windows are not needed for them.
			streams[name] = unsteady && wanted === "full" ? first : wanted;
		}
	}
	return { ...growths, level, streams, workDetails: level === 0 };
}

/** A program whose growths cost what probing them costs, watched as a ladder decides; a manual clock. */
import { Ladder, type LadderDecision, type StreamTick } from "../../../src/budget/ladder.ts";
import { WindowSchedule } from "../../../src/budget/periods.ts";
import type { Level, Stream, StreamLoad } from "../../../src/budget/retreat.ts";
import type { Prng } from "../../support/prng.ts";

const MS = 1e6;
const SECOND = 1e9;

export interface Behaviour {
	/** Hits a second when nobody looks. */
	rates: Partial<Record<Stream, (ns: number) => number>>;
	cost: Omit<StreamLoad, "perSecond">;
	/** Processors that its hits can use: probes slow it. */
	processors?: number;
	limitNs: number;
	/** A command that is started in order to be observed, and earns its limit by a second of what it uses: so many processors. */
	commandUses?: number;
	aroundNs?: number;
	seconds: number;
}

export interface Observed {
	/** Cost of each millisecond. */
	costs: number[];
	levels: { atNs: number; level: Level }[];
	decisions: { atNs: number; decision: LadderDecision }[];
}

/** Cost of the dearest second. */
export function mostInASecond(costs: readonly number[], fromMs = 0): number {
	let sum = 0;
	let most = 0;
	for (let at = fromMs; at < costs.length; at++) {
		sum += (costs[at] ?? 0) - (at >= fromMs + 1000 ? (costs[at - 1000] ?? 0) : 0);
		most = Math.max(most, sum);
	}
	return most;
}

export function meanCost(costs: readonly number[], fromSecond: number, toSecond: number): number {
	const part = costs.slice(fromSecond * 1000, toSecond * 1000);
	return part.reduce((sum, cost) => sum + cost, 0) / (toSecond - fromSecond);
}

interface StreamState {
	schedule: WindowSchedule | undefined;
	hits: number;
	attachedNs: number;
	costNs: number;
}

/** Whether probes of a stream are attached in this millisecond. */
function attached(
	state: StreamState,
	decision: LadderDecision,
	name: Stream,
	nowNs: number,
	around: number,
	prng: Prng,
) {
	const probing = decision.probed.streams[name] ?? "off";
	if (typeof probing === "string") {
		state.schedule = undefined;
		return probing === "full";
	}
	if (state.schedule === undefined) {
		state.schedule = new WindowSchedule({ intervalNs: SECOND, originNs: 0, random: () => prng.u32() / 2 ** 32 });
		state.schedule.begin(nowNs, probing);
	}
	state.schedule.over(nowNs);
	if (state.schedule.planDue(nowNs)) state.schedule.planNext(probing, nowNs);
	if (decision.overdrawn) return false;
	return state.schedule.gates.some(({ fromNs, toNs }) => nowNs >= fromNs - around / 2 && nowNs < toNs + around / 2);
}

export function observe(prng: Prng, behaviour: Behaviour): Observed {
	const { rates, cost, processors = 16, limitNs: share, commandUses, aroundNs = 20 * MS, seconds } = behaviour;
	const limitNs = share * (commandUses ?? 1);
	const ladder = new Ladder(commandUses !== undefined);
	let tickedNs = 0;
	const observed: Observed = { costs: [], levels: [], decisions: [] };
	const states = new Map<Stream, StreamState>();
	for (const name of Object.keys(rates) as Stream[]) {
		states.set(name, { schedule: undefined, hits: 0, attachedNs: 0, costNs: 0 });
	}
	let decision: LadderDecision | undefined;
	for (let nowNs = 0; nowNs < seconds * SECOND; nowNs += MS) {
		if (decision === undefined || nowNs >= decision.nextTickNs) {
			const streams: Partial<Record<Stream, StreamTick>> = {};
			for (const [name, { hits, attachedNs, costNs }] of states) streams[name] = { hits, attachedNs, costNs, cost };
			const earnedNs = commandUses === undefined ? undefined : (limitNs * (nowNs - tickedNs)) / SECOND;
			tickedNs = nowNs;
			decision = ladder.tick({ nowNs, limitNs, earnedNs, streams, aroundNs, intervalNs: SECOND });
			for (const state of states.values()) Object.assign(state, { hits: 0, attachedNs: 0, costNs: 0 });
			observed.decisions.push({ atNs: nowNs, decision });
			const { level } = decision.probed;
			if (observed.levels.at(-1)?.level !== level) observed.levels.push({ atNs: nowNs, level });
		}
		let spent = 0;
		for (const [name, state] of states) {
			if (!attached(state, decision, name, nowNs, aroundNs, prng)) continue;
			const { exits, recordChance, workDetails } = decision.probed;
			const growth = name === "large" || name === "small";
			const full = decision.probed.streams[name] === "full";
			const timed = full ? (typeof exits === "string" ? (exits === "full" ? 1 : 0) : 1 / exits.n) : 1;
			const each = growth
				? cost.countNs + timed * cost.exitNs + recordChance[name] * cost.recordNs
				: cost.countNs + (workDetails ? cost.exitNs + cost.recordNs : 0);
			const rate = rates[name]?.(nowNs) ?? 0;
			const hits = (rate / (1 + (rate * each) / SECOND / processors)) * (MS / SECOND);
			state.hits += hits;
			state.attachedNs += MS;
			state.costNs += hits * each;
			spent += hits * each;
		}
		observed.costs.push(spent);
	}
	return observed;
}

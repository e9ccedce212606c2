/** A program whose growths and growth work cost what probing them costs, with a manual clock: what the kernel would count of it, and what a budget makes of that. */
import { Governor, type Throttle } from "../../../src/budget/governor.ts";
import type { Stream } from "../../../src/budget/retreat.ts";
import { costOf, type SiteReading, streamCounts, unitCosts } from "../../../src/budget/stream-load.ts";
import type { GateNs, Part } from "../../../src/budget/stream-probes.ts";
import type { StreamControl } from "../../../src/budget/target-budget.ts";
import type { Window } from "../../../src/budget/window-weight.ts";
import type { HitCosts } from "../../../src/kernel/calibration.ts";
import { noCounts } from "../../../src/kernel/counters.ts";
import { Prng } from "../../support/prng.ts";

export const MS = 1e6;
export const SECOND = 1e9;

/** Of a usual machine. */
export const COSTS: HitCosts = {
	...{ workNs: 1000, timedWorkNs: 1600, leaveNs: 1500, growthCountNs: 1500, growthNs: 3500 },
	...{ withinNs: 900, steppedNs: 2000 },
};

export class ManualClock {
	ns = 5 * SECOND;
	/** Attaching and detaching take so long. */
	attachNs = 10 * MS;
	detachNs = 1 * MS;
}

/** Hits a second, by time since the start in seconds. */
export type Rate = (seconds: number) => number;

/** One stream of the program, as the kernel counts it. */
export class SimulatedStream implements StreamControl {
	readonly #clock: ManualClock;
	readonly #rate: Rate;
	readonly #startNs: number;
	#atNs: number;
	#hits = 0;
	#begun = 0;
	#throttled = 0;
	#exits = 0;
	#outside = 0;
	#gates: readonly [GateNs, GateNs] | undefined;
	/** All that there were, and what was counted in each gate and not taken. */
	truth = 0;
	readonly seen: [number, number] = [0, 0];
	readonly attached = { entries: false, exits: false };
	/** What was done to it, with the time. */
	readonly log: { atNs: number; what: string }[] = [];
	chance = 1;
	/** Calls under way. */
	calls = 0;
	cpu: () => number | undefined = () => 0;

	constructor(clock: ManualClock, rate: Rate) {
		this.#clock = clock;
		this.#rate = rate;
		this.#startNs = this.#atNs = clock.ns;
	}

	/** What has happened until now. */
	pass(): void {
		const step = 0.1 * MS;
		while (this.#atNs < this.#clock.ns) {
			const to = Math.min(this.#clock.ns, this.#atNs + step);
			const from = this.#atNs;
			const hits = (this.#rate((from - this.#startNs) / SECOND) * (to - from)) / SECOND;
			this.truth += hits;
			this.#atNs = to;
			if (!this.attached.entries) continue;
			const part = (gate: GateNs): number =>
				Math.max(0, Math.min(to, gate.to) - Math.max(from, gate.from)) / (to - from);
			const open = this.#gates === undefined ? [1, 0] : this.#gates.map(part);
			const inside = hits * ((open[0] ?? 0) + (open[1] ?? 0));
			this.seen[0] += hits * (open[0] ?? 0);
			this.seen[1] += hits * (open[1] ?? 0);
			this.#hits += inside;
			this.#outside += hits - inside;
			this.#throttled += inside * (1 - this.chance);
			if (this.attached.exits) {
				this.#begun += inside;
				this.#exits += hits;
			}
		}
	}

	setAttached(part: Part, on: boolean): void {
		this.pass();
		// Hits come when all is there, and until all is gone.
		this.#clock.ns += on ? this.#clock.attachNs : this.#clock.detachNs;
		if (on) this.#atNs = Math.max(this.#atNs, this.#clock.ns);
		else this.pass();
		this.attached[part] = on;
		this.log.push({ atNs: this.#clock.ns, what: `${part} ${on ? "on" : "off"}` });
	}

	setGates(gates: readonly [GateNs, GateNs] | undefined): void {
		this.pass();
		this.#gates = gates;
		this.log.push({ atNs: this.#clock.ns, what: gates === undefined ? "open" : "gates" });
	}

	get gates(): readonly [GateNs, GateNs] | undefined {
		return this.#gates;
	}

	underWay(): number {
		return this.calls;
	}

	entries(): SiteReading[] {
		this.pass();
		const [hits, begun, throttled, outside] = [this.#hits, this.#begun, this.#throttled, this.#outside];
		return [{ counts: { ...noCounts(), hits, begun, paired: begun, throttled, outside }, stepped: false }];
	}

	exits(): SiteReading[] {
		this.pass();
		return [{ counts: { ...noCounts(), hits: this.#exits }, stepped: false }];
	}

	/** Takes what a gate has counted. */
	take(gate: 0 | 1): number {
		this.pass();
		const seen = this.seen[gate];
		this.seen[gate] = 0;
		return seen;
	}
}

export interface SimulatedTarget {
	pid: number;
	streams: Map<Stream, SimulatedStream>;
	/** Processors that it uses without probes. */
	processors: number;
	allowed?: number;
	/** Sums of each stream: what was seen, weighted, how many windows there were, and how long their periods. */
	taken: Map<Stream, { weighted: number; windows: number; coversNs: number }>;
	/** What probing has cost it so far. */
	costNs(): number;
}

export interface SimulationOptions {
	rate?: number | undefined;
	whole?: boolean;
	processors?: number;
	ownCpuNs?: () => number;
	seed?: number;
}

/** Some programs under one governor. */
export class Simulation {
	readonly clock = new ManualClock();
	readonly targets: SimulatedTarget[] = [];
	readonly throttles: Throttle[] = [];
	readonly governor: Governor<SimulatedTarget>;
	readonly #startNs: number;
	/** Cost of each target in each period of 10 ms. */
	readonly costs = new Map<number, number[]>();
	readonly #whole: boolean;

	constructor(options: SimulationOptions = {}) {
		const { rate, whole = false, processors = 4, ownCpuNs = () => 0, seed = 1 } = options;
		const { clock } = this;
		const prng = new Prng(seed, 9);
		this.#startNs = clock.ns;
		this.#whole = whole || rate === undefined;
		const governed = {
			targets: this.targets,
			streamsOf: ({ streams }: SimulatedTarget) => streams,
			setGrowthChance: ({ streams }: SimulatedTarget, stream: "large" | "small", chance: number) => {
				const one = streams.get(stream);
				one?.pass();
				if (one !== undefined) one.chance = chance;
			},
			pidOf: ({ pid }: SimulatedTarget) => pid,
			allowedProcessors: ({ allowed }: SimulatedTarget) => allowed,
		};
		this.governor = new Governor(governed, {
			...{ costs: COSTS, rate, whole, processors, ownCpuNs },
			cpuNs: (pid) => this.cpuOf(pid),
			clockNs: () => clock.ns,
			holdNs: (ns) => {
				clock.ns += ns;
			},
			...{ intervalNs: SECOND, originNs: clock.ns, random: () => prng.u32() / 2 ** 32 },
			take: (...taken) => this.#take(...taken),
		});
	}

	cpuOf(pid: number): number | undefined {
		const target = this.targets.find((each) => each.pid === pid);
		return target && target.processors * (this.clock.ns - this.#startNs) + target.costNs();
	}

	#take(
		{ streams, taken }: SimulatedTarget,
		stream: Stream,
		window: Window | undefined,
		gate: 0 | 1,
		periodNs: number,
	): void {
		const sums = taken.get(stream) ?? { weighted: 0, windows: 0, coversNs: 0 };
		taken.set(stream, sums);
		const seen = streams.get(stream)?.take(gate) ?? 0;
		if (window === undefined || window.weight === 0) return;
		sums.weighted += window.weight * seen;
		sums.windows++;
		sums.coversNs += periodNs;
	}

	/** A program that comes now. */
	add(
		pid: number,
		rates: Partial<Record<Stream, Rate>>,
		fields: { processors?: number; allowed?: number } = {},
	): SimulatedTarget {
		const streams = new Map<Stream, SimulatedStream>();
		for (const [stream, rate] of Object.entries(rates) as [Stream, Rate][]) {
			const one = new SimulatedStream(this.clock, rate);
			// As the session attaches it.
			if (this.#whole || stream === "large" || stream === "small") one.attached.entries = one.attached.exits = true;
			streams.set(stream, one);
		}
		const costNs = (): number => {
			let sum = 0;
			for (const [stream, one] of streams) {
				sum += costOf(streamCounts(stream, one.entries(), one.exits()), unitCosts(stream, COSTS));
			}
			return sum;
		};
		const target: SimulatedTarget = { pid, streams, processors: 1, taken: new Map(), costNs, ...fields };
		this.targets.push(target);
		this.costs.set(pid, []);
		return target;
	}

	get seconds(): number {
		return (this.clock.ns - this.#startNs) / SECOND;
	}

	/** Goes on until so many seconds after the start, as the loop of an observation does. */
	run(untilSeconds: number): void {
		const endNs = this.#startNs + untilSeconds * SECOND;
		while (this.clock.ns < endNs) {
			this.throttles.push(...this.governor.tick(this.clock.ns));
			for (const target of this.targets) {
				const costs = this.costs.get(target.pid) ?? [];
				const at = Math.floor((this.clock.ns - this.#startNs) / (10 * MS));
				costs[at] = target.costNs();
			}
			this.clock.ns += Math.max(1, this.governor.untilNext(this.clock.ns, 10)) * MS;
		}
	}

	/** What probing cost a target in the dearest second from this moment on, nanoseconds. */
	dearestSecond(pid: number, fromSeconds = 0): number {
		const costs = this.costs.get(pid) ?? [];
		let most = 0;
		let before = 0;
		const total = Array.from(costs, (cost) => {
			before = cost ?? before;
			return before;
		});
		for (let at = fromSeconds * 100; at < total.length; at++) {
			most = Math.max(most, (total[at] ?? 0) - (at < 100 ? 0 : (total[at - 100] ?? 0)));
		}
		return most;
	}

	/** The same on average. */
	meanCost(pid: number, fromSeconds: number, toSeconds: number): number {
		const costs = this.costs.get(pid) ?? [];
		const at = (seconds: number): number => costs.findLast((_, n) => n <= seconds * 100) ?? 0;
		return (at(toSeconds) - at(fromSeconds)) / (toSeconds - fromSeconds);
	}
}

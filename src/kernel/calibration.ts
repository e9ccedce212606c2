/** Measures what a hit costs on this machine, by probing functions of the bundled library in our own process. */
import type { BpfObject, ProgramName, SiteConfig } from "./bpf-object.ts";
import { type Libbpf, libbpf, libbpfPath } from "./libbpf.ts";
import { threadCpuNs } from "./libc.ts";
import { type Closings, UprobeLink } from "./uprobe-link.ts";
import { CALIBRATED_ROLE } from "./wire.ts";

/** What one hit adds to the probed program's time, in nanoseconds, with all that our programs do. */
export interface HitCosts {
	/** A call of the work tier, counted; and with the start time noted down. */
	workNs: number;
	timedWorkNs: number;
	/** The exit of a call. */
	leaveNs: number;
	/** A growth, counted; and with its record and stack. */
	growthCountNs: number;
	growthNs: number;
	/** What lies between the two moments of a call that is timed, of the probes themselves. */
	withinNs: number;
	/** What an instruction that must be single-stepped costs more than one that is emulated. */
	steppedNs: number;
}

/** Sites that the calibration takes, behind those of the targets. */
export const CALIBRATION_SITES = 4;

/** Of each measurement; the quickest counts, because other work on the machine only ever adds: many short ones find a moment without it. */
const ROUNDS = 30;
const CALLS = 60;
const STEPPED_CALLS = 10;
const GROWTHS = 15;

/** Numbers of gmg_calibration_site. */
const PLACE = { work: 0, workExit: 1, stepped: 2, growth: 3 } as const;
/** Offsets in our stand-in for runtime.g: the stack's bounds are at 0. */
const GOID = 152;

export class Calibration {
	readonly #lib: Libbpf = libbpf();
	readonly #object: BpfObject;
	readonly #closings: Closings;
	readonly #first: number;
	/** runtime.g: all addresses are inside the stack from 0 to the highest one. */
	readonly #g = new BigUint64Array(new ArrayBuffer(512));
	/** A map header with nothing in it, which stands for the type, too. */
	readonly #map = new BigUint64Array(new ArrayBuffer(64));

	/** `first`: the first of CALIBRATION_SITES numbers that no target uses. */
	constructor(object: BpfObject, closings: Closings, first: number) {
		this.#object = object;
		this.#closings = closings;
		this.#first = first;
		this.#g[1] = 2n ** 47n;
		this.#g[GOID / 8] = 1n;
	}

	/** Takes some ten milliseconds; its growths are in the ring, and its timed calls in the rows of the first site, afterwards. Throws E-HOST-…. */
	measure(latency: boolean): Omit<HitCosts, "withinNs"> {
		const links: UprobeLink[] = [];
		const attach = (program: ProgramName, number: number, place: number, config: SiteConfig): void => {
			const index = this.#first + number;
			this.#object.configureSite(index, config);
			const fileOffset = Number(this.#lib.gmg_calibration_site(place));
			const sites = [{ index, fileOffset }];
			if (this.#object.mode === "perf-address") this.#object.mapAddress(process.pid, this.#addressOf(place), index);
			links.push(new UprobeLink(this.#object, program, process.pid, libbpfPath(), sites));
		};
		const base = { role: CALIBRATED_ROLE.work, goid: GOID, callerDepth: 2, seed: 12, readsFlags: true };
		const exit = { role: CALIBRATED_ROLE.work, entry: this.#first, slot: 0, framePointer: process.arch === "x64" };
		try {
			const bare = this.#time(0, CALLS);
			const bareGrowth = this.#time(1, GROWTHS);
			attach("work", 0, PLACE.work, base);
			const workNs = this.#time(0, CALLS) - bare;
			const growth = { ...base, role: CALIBRATED_ROLE.growth };
			attach("growth", 3, PLACE.growth, { ...growth, chance: 0 });
			const growthCountNs = this.#time(1, CALLS) - bareGrowth;
			this.#object.configureSite(this.#first + 3, growth);
			const growthNs = this.#time(1, GROWTHS) - bareGrowth;
			if (!latency) return { workNs, timedWorkNs: workNs, leaveNs: 0, steppedNs: 0, growthCountNs, growthNs };
			this.#object.configureSite(this.#first, { ...base, slot: 0 });
			const timedWorkNs = this.#time(0, CALLS) - bare;
			attach("leave", 1, PLACE.workExit, exit);
			const both = this.#time(0, CALLS) - bare;
			const leaveNs = Math.max(0, both - timedWorkNs);
			// No call is found to end there: what is left is the cost of the way into the kernel.
			attach("leave", 2, PLACE.stepped, exit);
			const steppedNs = Math.max(0, this.#time(0, STEPPED_CALLS) - bare - both - leaveNs);
			return { workNs, timedWorkNs, leaveNs, steppedNs, growthCountNs, growthNs };
		} finally {
			for (const link of links) link.destroyLater(this.#closings);
		}
	}

	#addressOf(place: number): number {
		return Number(this.#lib.gmg_calibration_address(place));
	}

	/** Nanoseconds of a call. */
	#time(growth: number, calls: number): number {
		let best = Number.POSITIVE_INFINITY;
		for (let round = 0; round < ROUNDS; round++) {
			const start = threadCpuNs();
			this.#lib.gmg_calibrate(growth, calls, this.#g, this.#map, this.#map);
			best = Math.min(best, Number(threadCpuNs() - start) / calls);
		}
		return best;
	}
}

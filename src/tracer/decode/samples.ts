/** Turns samples of the work tier and steps of iterators into records. */
import { seedText } from "../../gomap/header.ts";
import type { RawStep, RawWork } from "../../kernel/events.ts";
import { FAULT } from "../../kernel/wire.ts";
import { hasAllArguments } from "../../plan/probe-plan.ts";
import type { OverlapRecord, WorkRecord } from "../../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../../records/time.ts";
import type { EntrySite } from "../site-table.ts";
import type { Target } from "../target.ts";
import type { RecentGrowths } from "./overlaps.ts";
import { UNKNOWN_TYPE, UNTOLD_TYPE } from "./type-names.ts";

function typeOf({ mapType }: RawWork, { bias, types }: Target): string {
	if (mapType === 0) return UNTOLD_TYPE.name;
	return ((bias === undefined ? undefined : types.at(mapType, bias)) ?? UNKNOWN_TYPE).name;
}

export class SampleDecoder {
	readonly #anchor: ClockAnchor;

	constructor(anchor: ClockAnchor) {
		this.#anchor = anchor;
	}

	work(raw: RawWork, { target, probe }: EntrySite): WorkRecord {
		const time = BigInt(raw.timeNs);
		// A record from an exit has another address, which tells nothing about where the executable was loaded.
		const bias = target.bias ?? 0;
		const stack = target.bias === undefined ? [] : target.stacks.decode(probe, raw.frames, bias);
		return {
			type: "work",
			time: timeOf(this.#anchor, time),
			elapsed_ns: elapsedNs(this.#anchor, time),
			pid: raw.tgid,
			tid: raw.tid,
			...((raw.fault & FAULT.g) === 0 ? { goid: raw.goid } : {}),
			fn: probe.fn,
			map_type: typeOf(raw, target),
			weight: raw.weight,
			...(raw.durationNs === 0 ? {} : { duration_ns: raw.durationNs }),
			...(raw.slow ? { slow: true as const } : {}),
			...(target.plan.impl === "classic" && hasAllArguments(probe) ? { iterating: raw.iterating } : {}),
			stack,
			...(target.stacks.isTruncated(stack, raw.truncated) ? { stack_truncated: true as const } : {}),
		};
	}

	/** One record for each growth since the iterator's previous step; those that were lost have none. */
	overlaps(raw: RawStep, { target, probe }: EntrySite, recent: RecentGrowths): OverlapRecord[] {
		const { bias, plan } = target;
		if (bias === undefined) return [];
		const map = seedText(plan.impl, raw.seed);
		const time = BigInt(raw.timeNs);
		const stack = target.stacks.decode(probe, raw.frames, bias);
		return recent.between(target.image, map, raw.seen, raw.sequence).map((growth) => ({
			type: "overlap",
			time: timeOf(this.#anchor, time),
			elapsed_ns: elapsedNs(this.#anchor, time),
			pid: raw.tgid,
			map_type: growth.map_type,
			map,
			growth: {
				elapsed_ns: growth.elapsed_ns,
				nth: growth.nth,
				kind: growth.kind,
				...(growth.goid === undefined ? {} : { goid: growth.goid }),
				stack: growth.stack,
			},
			iteration: {
				elapsed_ns: elapsedNs(this.#anchor, BigInt(raw.begunNs)),
				...((raw.fault & FAULT.g) === 0 ? { goid: raw.goid } : {}),
				stack,
				...(target.stacks.isTruncated(stack, raw.truncated) ? { stack_truncated: true as const } : {}),
			},
		}));
	}
}

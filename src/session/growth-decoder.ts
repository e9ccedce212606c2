/** Turns a growth as the kernel program saw it into a record: names, lines, kind and cause. */
import type { RawGrowth } from "../kernel/wire.ts";
import { FAULT } from "../kernel/wire.ts";
import type { Frame, GrowthCause, GrowthKind, GrowthRecord } from "../model/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../model/time.ts";
import { classicGrowth } from "../plan/classic-growth.ts";
import { rehash, smallToTable } from "../plan/swiss-growth.ts";
import type { Site } from "./site-table.ts";
import type { StackDecoder } from "./stack-decoder.ts";
import { type MapTypeInfo, UNKNOWN_TYPE } from "./type-names.ts";

interface Growth {
	kind: GrowthKind;
	cause: GrowthCause;
	count: number;
	capacityBefore: number;
	capacityAfter: number;
	bytes: number | undefined;
	seed: string;
	iterating?: boolean;
}

/** What the bytes of the map say; undefined when they could not be read or contradict themselves. */
function interpret(raw: RawGrowth, site: Site, type: MapTypeInfo): Growth | undefined {
	if ((raw.fault & (FAULT.header | FAULT.table)) !== 0) return undefined;
	switch (site.probe.role) {
		case "hashGrow":
			return classicGrowth(raw.header, site.target.binary.version.minor, type.storageBytes);
		case "growToTable":
			return smallToTable(raw.header, type.storageBytes);
		case "rehash":
			return rehash(raw.header, raw.table, type.storageBytes);
		default:
			return undefined;
	}
}

export class GrowthDecoder {
	readonly #anchor: ClockAnchor;
	readonly #stacks: StackDecoder;

	constructor(anchor: ClockAnchor, stacks: StackDecoder) {
		this.#anchor = anchor;
		this.#stacks = stacks;
	}

	/** Undefined when the map could not be read: the caller counts it as lost, never as something else. */
	decode(raw: RawGrowth, site: Site): GrowthRecord | undefined {
		const { target, probe } = site;
		const bias = target.bias ?? target.learnBias(probe, raw.ip);
		const type = target.types.at(raw.mapType, bias);
		const growth = interpret(raw, site, type ?? UNKNOWN_TYPE);
		if (growth === undefined) return undefined;
		const stack: Frame[] = this.#stacks.decode(target, probe, raw.frames, bias);
		const time = BigInt(raw.timeNs);
		return {
			type: "growth",
			time: timeOf(this.#anchor, time),
			elapsed_ns: elapsedNs(this.#anchor, time),
			pid: raw.tgid,
			tid: raw.tid,
			...((raw.fault & FAULT.g) === 0 ? { goid: raw.goid } : {}),
			impl: target.plan.impl,
			fn: probe.fn,
			kind: growth.kind,
			cause: growth.cause,
			map_type: (type ?? UNKNOWN_TYPE).name,
			map: growth.seed,
			count: growth.count,
			capacity_before: growth.capacityBefore,
			capacity_after: growth.capacityAfter,
			...(growth.bytes === undefined ? {} : { bytes: growth.bytes }),
			...(growth.iterating === undefined ? {} : { iterating: growth.iterating }),
			stack,
			...(raw.truncated ? { stack_truncated: true as const } : {}),
		};
	}
}

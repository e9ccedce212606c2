/** Turns a growth as the kernel program saw it into a record: names, lines, kind and cause. */

import { callSite } from "../../gomap/call-site.ts";
import { type ClassicGrowth, classicGrowth } from "../../gomap/classic.ts";
import { rehash, type SwissGrowth, smallToTable } from "../../gomap/swiss.ts";
import type { RawGrowth } from "../../kernel/events.ts";
import { FAULT } from "../../kernel/wire.ts";
import { placeOf } from "../../records/place.ts";
import type { Frame, GrowthCause, GrowthKind, GrowthRecord } from "../../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../../records/time.ts";
import type { EntrySite } from "../site-table.ts";
import { MapChains } from "./map-history.ts";
import { type MapTypeInfo, UNKNOWN_TYPE } from "./type-names.ts";

/** The part of a growth that both implementations have, and its fields in the record that only one of them has. */
interface Growth {
	kind: GrowthKind;
	cause: GrowthCause;
	count: number;
	capacityBefore: number;
	capacityAfter: number;
	bytes: number | undefined;
	moved: number;
	seed: string;
	own: Partial<GrowthRecord>;
	/** The capacities are those of the whole map. */
	whole: boolean;
}

function ofClassic(growth: ClassicGrowth | undefined): Growth | undefined {
	return (
		growth && {
			...growth,
			own: {
				b_before: growth.bBefore,
				b_after: growth.bAfter,
				overflow_buckets: growth.overflowBuckets,
				iterating: growth.iterating,
			},
			whole: true,
		}
	);
}

function ofSwiss(growth: SwissGrowth | undefined): Growth | undefined {
	if (growth === undefined) return undefined;
	const { localDepth, globalDepth, directoryLength, directoryDoubles, tombstones } = growth;
	return {
		...growth,
		own: {
			...(localDepth === undefined ? {} : { local_depth: localDepth }),
			...(globalDepth === undefined ? {} : { global_depth: globalDepth }),
			...(directoryLength === undefined ? {} : { directory_length: directoryLength }),
			...(tombstones === undefined ? {} : { tombstones }),
			...(directoryDoubles === true ? { directory_doubles: true } : {}),
		},
		whole: false,
	};
}

/** What the bytes of the map say; undefined when they could not be read or contradict themselves. */
function interpret(raw: RawGrowth, site: EntrySite, type: MapTypeInfo): Growth | undefined {
	if ((raw.fault & (FAULT.header | FAULT.table)) !== 0) return undefined;
	switch (site.probe.role) {
		case "hashGrow":
			return ofClassic(classicGrowth(raw.header, site.target.binary.version.minor, type.storageBytes));
		case "growToTable":
			return ofSwiss(smallToTable(raw.header, type.storageBytes));
		case "rehash":
			return ofSwiss(rehash(raw.header, raw.table, type.storageBytes));
		default:
			return undefined;
	}
}

/** Where the map was made, as far as that was seen. */
function made({ timeNs, madeNs, madeBy, madeHint, onStack }: RawGrowth, { target }: EntrySite, bias: number) {
	const at = madeNs === 0 ? undefined : callSite(target.stacks.caller(madeBy, bias));
	return {
		...(at === undefined ? {} : { made_at: placeOf(at), made_hint: madeHint, age_ns: Math.max(0, timeNs - madeNs) }),
		...(onStack ? { on_stack: true as const } : {}),
	};
}

export class GrowthDecoder {
	readonly #anchor: ClockAnchor;
	readonly #chains = new MapChains();

	constructor(anchor: ClockAnchor) {
		this.#anchor = anchor;
	}

	/** Undefined when the map could not be read: the caller counts it as lost, never as something else. */
	decode(raw: RawGrowth, site: EntrySite): GrowthRecord | undefined {
		const { target, probe } = site;
		const bias = target.learnBias(probe, raw.ip);
		const type = target.types.at(raw.mapType, bias) ?? UNKNOWN_TYPE;
		const growth = interpret(raw, site, type);
		if (growth === undefined) return undefined;
		const time = BigInt(raw.timeNs);
		const { seed, whole, capacityBefore, capacityAfter } = growth;
		const stack = target.stacks.decode(probe, raw.frames, bias);
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
			map_type: type.name,
			map: seed,
			...(raw.map === 0 ? {} : { address: `0x${raw.map.toString(16)}` }),
			nth: this.#chains.next({
				image: target.image,
				seed,
				mapType: type.name,
				wholeBefore: whole ? capacityBefore : undefined,
				wholeAfter: whole ? capacityAfter : undefined,
				first: growth.kind === "small-to-table",
			}),
			...(raw.weight === 1 ? {} : { weight: raw.weight }),
			count: growth.count,
			capacity_before: capacityBefore,
			capacity_after: capacityAfter,
			...(growth.bytes === undefined ? {} : { bytes: growth.bytes }),
			...(type.slotBytes === undefined ? {} : { bytes_moved: growth.moved * type.slotBytes }),
			...(type.storageBytes === undefined ? {} : { storage_bytes: type.storageBytes }),
			...(type.hasPointers === undefined ? {} : { has_pointers: type.hasPointers }),
			...growth.own,
			...made(raw, site, bias),
			...this.#origin(raw, site, bias),
			stack,
			...(target.stacks.isTruncated(stack, raw.truncated) ? { stack_truncated: true as const } : {}),
		};
	}

	/** Where the goroutine comes from, as far as the release says. */
	#origin(raw: RawGrowth, { target }: EntrySite, bias: number) {
		// The first goroutine was made by the runtime's start-up code.
		const created: Frame | undefined =
			raw.gopc === 0 || raw.goid === 1 ? undefined : target.stacks.caller(raw.gopc, bias)[0];
		const start = raw.startpc === 0 ? undefined : target.stacks.function(raw.startpc, bias);
		return {
			...(raw.parentGoid === 0 ? {} : { parent_goid: raw.parentGoid }),
			...(created === undefined ? {} : { created_by: created }),
			...(start === undefined ? {} : { start_fn: start }),
		};
	}
}

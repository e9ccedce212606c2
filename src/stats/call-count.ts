/** Calls that the kernel has counted, on their way into the sums. */
import type { Window } from "../budget/window-weight.ts";
import { callSite } from "../gomap/call-site.ts";
import { slotsAfterAtLeast } from "../gomap/map-state.ts";
import type { Frame, GrowthCause, GrowthKind, GrowthRecord } from "../records/records.ts";
import type { Stream } from "./sampling.ts";
import { Figures, type SeenAmount } from "./stat-row.ts";

/** Of one function, for maps of one type and, of growths, one size, from one place. */
export interface CallCount {
	pid: number;
	stream: Stream;
	fn: string;
	map_type: string;
	/** Undefined when the stack could not be read. */
	site: Frame | undefined;
	calls: number;
	/** Of growths whose map could be read. */
	growth?: {
		kind: GrowthKind;
		cause: GrowthCause;
		capacityAfter: number;
		iterating?: boolean;
		/** Of all calls. */
		bytes?: number;
		bytes_moved?: number;
	};
	/** How long they took, all together; absent: not known. */
	time_ns?: number;
	/** In which they were seen; absent: they were measured in full. */
	window?: Window;
}

export function isGrowth({ stream }: CallCount): boolean {
	return stream === "large" || stream === "small";
}

/** What they add, with those that they stand for. */
export function figuresOfCalls(count: CallCount): Figures {
	const { calls, growth, time_ns, window } = count;
	const weight = window?.weight ?? 1;
	const figures = new Figures();
	const sampled = window === undefined ? 0 : weight * calls;
	if (time_ns !== undefined) {
		figures.time = weight * time_ns;
		figures.withTime = weight * calls;
	}
	if (!isGrowth(count)) {
		figures.work = weight * calls;
		figures.sampledWork = sampled;
		return figures;
	}
	figures.growths = weight * calls;
	figures.sampledGrowths = sampled;
	if (growth === undefined) return figures;
	const { bytes, bytes_moved, iterating, capacityAfter } = growth;
	if (bytes !== undefined) {
		figures.bytes = weight * bytes;
		figures.withBytes = weight * calls;
	}
	if (bytes_moved !== undefined) {
		figures.moved = weight * bytes_moved;
		figures.withMoved = weight * calls;
	}
	if (iterating !== undefined) {
		figures.iterating = iterating ? weight * calls : 0;
		figures.withIterating = weight * calls;
	}
	figures.slots = capacityAfter;
	return figures;
}

/** What a record alone says of its growth, and of those that it stands for: for recordings in which they were not counted otherwise. */
export function callsOfRecord(record: GrowthRecord): CallCount {
	const { pid, fn, map_type, kind, cause, iterating, bytes, bytes_moved } = record;
	const { weight = 1 } = record;
	return {
		...{ pid, stream: "large", fn, map_type, site: callSite(record.stack), calls: weight },
		growth: {
			...{ kind, cause, capacityAfter: slotsAfterAtLeast(record) },
			...(iterating === undefined ? {} : { iterating }),
			...(bytes === undefined ? {} : { bytes: bytes * weight }),
			...(bytes_moved === undefined ? {} : { bytes_moved: bytes_moved * weight }),
		},
	};
}

/** What was seen of them, without weight. */
export function seenCalls(count: CallCount): Partial<Record<"growths" | "work" | "bytes", SeenAmount>> {
	const { calls, growth } = count;
	if (calls === 0) return {};
	if (!isGrowth(count)) return { work: { amount: calls, each: 1 } };
	const bytes = growth?.bytes;
	return {
		growths: { amount: calls, each: 1 },
		...(bytes === undefined ? {} : { bytes: { amount: bytes, each: bytes / calls } }),
	};
}

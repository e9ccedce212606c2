import { isInnerCall, repeatsWork } from "../../gomap/functions.ts";
import type { GrowthRecord, WorkRecord } from "../../records/records.ts";
import { formatBytes, formatDuration, plural } from "../../text/units.ts";

/** What the width of a frame stands for. */
export const FLAME_METRICS = ["growths", "work", "time", "bytes", "moved"] as const;
export type FlameMetric = (typeof FLAME_METRICS)[number];

/** A record with a stack. */
export type StackRecord = GrowthRecord | WorkRecord;

/** What the record adds to the metric; 0 when it has nothing to do with it or was not measured. */
export function metricValue(metric: FlameMetric, record: StackRecord): number {
	if (record.type === "growth") {
		const { weight = 1, bytes = 0, bytes_moved = 0, duration_ns = 0 } = record;
		const values = { growths: 1, bytes, moved: bytes_moved, time: duration_ns, work: 0 };
		return values[metric] * weight;
	}
	if (metric === "work") return repeatsWork(record.fn) ? 0 : record.weight;
	if (metric === "time") return isInnerCall(record.fn) ? 0 : (record.duration_ns ?? 0) * record.weight;
	return 0;
}

interface MetricText {
	title: string;
	format: (value: number) => string;
	/** Said in place of a picture when nothing was recorded. */
	nothing: string;
}

export const METRIC_TEXT: Record<FlameMetric, MetricText> = {
	growths: {
		title: "Map growths",
		format: (value) => plural(value, "growth"),
		nothing: "no map has grown",
	},
	work: {
		title: "Calls that move entries of growing maps",
		format: (value) => plural(value, "call"),
		nothing: "no work call was recorded with its stack",
	},
	time: {
		title: "Time spent growing maps",
		format: formatDuration,
		nothing: "no duration was recorded",
	},
	bytes: {
		title: "Bytes allocated by growing maps",
		format: formatBytes,
		nothing: "no growth told how much it allocated",
	},
	moved: {
		title: "Bytes moved by growing maps",
		format: formatBytes,
		nothing: "no growth told how much it moved",
	},
};

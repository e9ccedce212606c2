/** Metrics as OpenTelemetry has them (opentelemetry.io/docs/specs/otel/metrics/data-model), from the families that scrapers get. */
import { type HrTime, ValueType } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import {
	AggregationTemporality,
	DataPointType,
	type MetricData,
	type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { VERSION } from "../lib/version.ts";
import type { Family, Labels } from "../metrics/family.ts";

const UNITS = { seconds: "s", bytes: "By", ratio: "1" } as const;
/** Semantic conventions for what a label says. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
	namespace: "k8s.namespace.name",
	pod: "k8s.pod.name",
	container: "k8s.container.name",
};

function hrTime(ms: number): HrTime {
	const seconds = Math.floor(ms / 1000);
	return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

/** `gomapgrow_growth_allocated_bytes` as `gomapgrow.growth.allocated`: the unit is a field of its own. */
function metricName({ name, unit }: Family): string {
	const bare = unit !== undefined && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name;
	return bare.replaceAll("_", ".");
}

function attributes(labels: Labels): Record<string, string> {
	return Object.fromEntries(Object.entries(labels).map(([name, value]) => [ATTRIBUTES[name] ?? name, value]));
}

interface Times {
	/** By the clock that metrics were given: when counting began, for points that do not say it; and now. */
	startMs: number;
	nowMs: number;
	/** Milliseconds from 1970 to that clock's 0. */
	originMs: number;
}

function metricOf(family: Family, { startMs, nowMs, originMs }: Times): MetricData {
	const descriptor = {
		...{ name: metricName(family), description: family.help, valueType: ValueType.DOUBLE },
		unit: family.unit === undefined ? "" : UNITS[family.unit],
	};
	const times = (sinceMs = startMs) => ({
		startTime: hrTime(originMs + sinceMs),
		endTime: hrTime(originMs + nowMs),
	});
	const aggregationTemporality = AggregationTemporality.CUMULATIVE;
	if (family.type === "histogram") {
		return {
			...{ descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM },
			dataPoints: family.points.map(({ labels, buckets, sum, count, sinceMs }) => ({
				...{ ...times(sinceMs), attributes: attributes(labels) },
				value: {
					...{ sum, count },
					buckets: {
						boundaries: buckets.map(({ le }) => le),
						// Each bucket alone, and what is above the last.
						counts: [...buckets.map((bucket) => bucket.count), count].map(
							(below, at) => below - (buckets[at - 1]?.count ?? 0),
						),
					},
				},
			})),
		};
	}
	const dataPoints = family.points.map(({ labels, value, sinceMs }) => ({
		...{ ...times(sinceMs), attributes: attributes(labels), value },
	}));
	if (family.type === "counter") {
		return {
			...{ descriptor, aggregationTemporality, dataPoints },
			dataPointType: DataPointType.SUM,
			isMonotonic: true,
		};
	}
	return { ...{ descriptor, aggregationTemporality, dataPoints }, dataPointType: DataPointType.GAUGE };
}

/** What sends: the host, and what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say. */
export function otlpResource(host: string, env: Readonly<Record<string, string | undefined>>): Resource {
	const asked = (env.OTEL_RESOURCE_ATTRIBUTES ?? "").split(",").flatMap((pair): [string, string][] => {
		const at = pair.indexOf("=");
		if (at <= 0) return [];
		const value = pair.slice(at + 1).trim();
		try {
			return [[pair.slice(0, at).trim(), decodeURIComponent(value)]];
		} catch {
			// Not percent-encoded after all.
			return [[pair.slice(0, at).trim(), value]];
		}
	});
	const name = env.OTEL_SERVICE_NAME ?? "";
	return resourceFromAttributes({
		...{ "service.name": "gomapgrow", "service.version": VERSION, "host.name": host },
		...Object.fromEntries(asked),
		...(name === "" ? {} : { "service.name": name }),
	});
}

/** Families without points, and those that only name things, are left out. */
export function resourceMetrics(families: readonly Family[], resource: Resource, times: Times): ResourceMetrics {
	const metrics = families
		.filter(({ points, type }) => points.length > 0 && type !== "info")
		.map((family) => metricOf(family, times));
	return { resource, scopeMetrics: [{ scope: { name: "gomapgrow", version: VERSION }, metrics }] };
}

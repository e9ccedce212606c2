import { afterAll, describe, expect, test } from "bun:test";
import type { Family } from "../../../src/metrics/family.ts";
import { otlpResource, resourceMetrics } from "../../../src/serve/otlp-metrics.ts";
import { checkProtocol, metricsUrl, OtlpSender } from "../../../src/serve/otlp-sender.ts";

const FAMILIES: Family[] = [
	{
		...{ name: "gomapgrow_growth_allocated_bytes", type: "counter", unit: "bytes", help: "Bytes." },
		points: [{ labels: { target: "shop", pod: "shop-1" }, value: 4096.5, sinceMs: 2000 }],
	},
	{
		...{ name: "gomapgrow_growth_duration_seconds", type: "histogram", unit: "seconds", help: "Time." },
		points: [
			{
				labels: {},
				sum: 9,
				count: 10,
				buckets: [
					{ le: 1, count: 3 },
					{ le: 2, count: 7 },
				],
			},
		],
	},
	{ name: "gomapgrow_build", type: "info", help: "", points: [{ labels: {}, value: 1 }] },
];
const collect = () =>
	resourceMetrics(FAMILIES, otlpResource("db1", {}), { startMs: 1000, nowMs: 3500, originMs: 1e12 });

test("names, units, attributes, times and buckets are OpenTelemetry's", () => {
	const [bytes, durations, ...others] = collect().scopeMetrics[0]?.metrics ?? [];
	expect(others).toEqual([]);
	expect(bytes?.descriptor).toMatchObject({ name: "gomapgrow.growth.allocated", unit: "By" });
	expect(bytes?.dataPoints[0]).toMatchObject({
		attributes: { target: "shop", "k8s.pod.name": "shop-1" },
		...{ startTime: [1_000_000_002, 0], endTime: [1_000_000_003, 500_000_000], value: 4096.5 },
	});
	expect(durations?.descriptor).toMatchObject({ name: "gomapgrow.growth.duration", unit: "s" });
	expect(durations?.dataPoints[0]).toMatchObject({
		startTime: [1_000_000_001, 0],
		value: { sum: 9, count: 10, buckets: { boundaries: [1, 2], counts: [3, 4, 3] } },
	});
});

test("the usual variables name the resource", () => {
	const env = { OTEL_RESOURCE_ATTRIBUTES: "k8s.node.name=a%20b, x=y,broken", OTEL_SERVICE_NAME: "maps" };
	const { attributes } = otlpResource("db1", env);
	expect(attributes).toMatchObject({ "k8s.node.name": "a b", x: "y", "service.name": "maps", "host.name": "db1" });
});

test("addresses and protocols are checked", () => {
	expect(metricsUrl("http://c:4318")).toBe("http://c:4318/v1/metrics");
	expect(metricsUrl("https://c/otlp/v1/metrics")).toBe("https://c/otlp/v1/metrics");
	for (const wrong of ["", "c:4318", "ftp://c"]) expect(() => metricsUrl(wrong)).toThrow("an address after --otlp=");
	checkProtocol({});
	checkProtocol({ OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" });
	expect(() => checkProtocol({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toThrow("speaks no other protocol");
});

describe("a collector", () => {
	const bodies: Buffer[] = [];
	let status = 200;
	const collector = Bun.serve({
		port: 0,
		hostname: "127.0.0.1",
		fetch: async (request) => {
			bodies.push(Buffer.from(await request.arrayBuffer()));
			expect(new URL(request.url).pathname).toBe("/v1/metrics");
			expect(request.headers.get("content-type")).toBe("application/x-protobuf");
			return new Response(new Uint8Array(), { status });
		},
	});
	afterAll(() => collector.stop(true));
	const outcomes = (sender: OtlpSender) =>
		Object.fromEntries(
			(sender.families()[0]?.points ?? []).map((point) => [
				point.labels.outcome,
				"value" in point ? point.value : undefined,
			]),
		);

	test("gets the numbers; what it refuses is counted", async () => {
		const sender = new OtlpSender({ url: `http://127.0.0.1:${collector.port}`, collect, env: {} });
		await new Promise<void>((resolve) => sender.send(resolve));
		expect(bodies).toHaveLength(1);
		// As opentelemetry/proto/metrics/v1/metrics.proto has them: names as text, values as little-endian doubles.
		const double = Buffer.alloc(8);
		double.writeDoubleLE(4096.5);
		for (const part of [Buffer.from("gomapgrow.growth.allocated"), double, Buffer.from("shop-1")]) {
			expect(bodies[0]?.includes(part)).toBe(true);
		}
		status = 400;
		await new Promise<void>((resolve) => sender.send(resolve));
		expect(outcomes(sender)).toEqual({ sent: 1, failed: 1, dropped: 0 });
	});

	test("that is away is not waited for", async () => {
		const sender = new OtlpSender({ url: "http://127.0.0.1:1", collect, env: {} });
		const begun = performance.now();
		sender.send();
		sender.send();
		expect(performance.now() - begun).toBeLessThan(1000);
		expect(outcomes(sender)).toEqual({ sent: 0, failed: 0, dropped: 1 });
		await sender.stop();
		expect(performance.now() - begun).toBeLessThan(10_000);
	});
});

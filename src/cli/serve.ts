/** `gomapgrow serve`: observes as `watch` does, and answers scrapers over HTTP. */
import { hostname } from "node:os";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { checkHost } from "../kernel/host-check.ts";
import { sanitize } from "../lib/sanitize.ts";
import { GrowthMetrics } from "../metrics/growth-metrics.ts";
import { targetLabels } from "../metrics/target-series.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { Containers } from "../process/containers.ts";
import { sanitizedContainer } from "../records/container.ts";
import { HttpServer } from "../serve/http-server.ts";
import { MapCensus } from "../serve/map-census.ts";
import { otlpResource, resourceMetrics } from "../serve/otlp-metrics.ts";
import { metricsUrl, OtlpSender } from "../serve/otlp-sender.ts";
import { isLoopbackName } from "../serve/request.ts";
import { ServeSink } from "../serve/serve-sink.ts";
import { WatchedTargets } from "../tracer/watched-targets.ts";
import { observeLive } from "./observe-live.ts";
import { type LiveOptions, liveOptions, parseDuration } from "./options.ts";
import { readHeldMaps } from "./read-held-maps.ts";
import { stopOnSignals } from "./signals.ts";

export interface ServeOptions extends LiveOptions {
	host: string;
	port: number;
	maxSites: number;
	maxSeries: number;
	/** Send metrics to a collector; and where to, when it was said. */
	otlp: boolean;
	otlpUrl: string | undefined;
	/** Pace of reading all maps of the processes; undefined: never. */
	mapsEveryMs: number | undefined;
}

/** The next above those that are registered for exporters of Prometheus (9100 to 9999). */
const DEFAULT_LISTEN = "127.0.0.1:10435";
const DEFAULT_MAX_SITES = 50;
const DEFAULT_MAX_SERIES = 10_000;
/** Reading all maps more often would be all that there is. */
const LEAST_MAPS_MS = 2000;
/** Pace of looking for a first Go program. */
const LOOK_MS = 2000;
/** For clients that are still reading at the end. */
const DRAIN_MS = 5000;

/** `127.0.0.1:10435`, `[::1]:10435`, `:10435` (all interfaces). Throws E-USAGE. */
function parseListen(value: unknown): { host: string; port: number } {
	const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]*):(\d{1,5})$/.exec(String(value ?? DEFAULT_LISTEN));
	const port = Number(match?.[2] ?? Number.NaN);
	if (match === null || !(port <= 65_535)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `an address and a port after --listen, like ${DEFAULT_LISTEN}, or :10435 for all interfaces`,
			found: JSON.stringify(value) ?? "nothing",
		});
	}
	return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port };
}

function parseCount(option: string, value: unknown, usual: number, most: number): number {
	const count = value === undefined ? usual : Number(value);
	if (Number.isInteger(count) && count >= 1 && count <= most) return count;
	throw new GomapgrowError("E-USAGE", {
		wanted: `a whole number from 1 to ${most} after ${option}`,
		found: JSON.stringify(value) ?? "nothing",
	});
}

function parseMapsEvery(value: unknown): number | undefined {
	if (value === undefined) return undefined;
	const ms = parseDuration("--maps", value);
	if (ms >= LEAST_MAPS_MS) return ms;
	throw new GomapgrowError("E-USAGE", {
		wanted: `at least ${LEAST_MAPS_MS / 1000}s after --maps`,
		found: `${ms / 1000}s`,
	});
}

/** The checked options, from cac's. Throws E-USAGE. */
export function serveOptions(options: Record<string, unknown>): ServeOptions {
	return {
		...liveOptions(options),
		...parseListen(options.listen),
		maxSites: parseCount("--max-sites", options.maxSites, DEFAULT_MAX_SITES, 10_000),
		otlp: options.otlp === true || options.otlpUrl !== undefined,
		otlpUrl: options.otlpUrl === undefined ? undefined : metricsUrl(String(options.otlpUrl)),
		mapsEveryMs: parseMapsEvery(options.maps),
		maxSeries: parseCount("--max-series", options.maxSeries, DEFAULT_MAX_SERIES, 1_000_000),
	};
}

function otlpSender(sink: ServeSink, url: string | undefined): OtlpSender {
	const resource = otlpResource(hostname(), process.env);
	const startMs = performance.now();
	return new OtlpSender({
		...{ url, env: process.env },
		collect: () => {
			const times = { startMs, nowMs: performance.now(), originMs: performance.timeOrigin };
			return resourceMetrics(sink.families(), resource, times);
		},
	});
}

/** Waits for the first Go program; undefined when it is to end before there is one. */
async function firstTargets(names: readonly string[], options: ServeOptions, stop: StopRequest) {
	while (stop.reason === undefined) {
		const watched = new WatchedTargets(names, { iterations: options.iterations });
		try {
			return { watched, targets: watched.start() };
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code === "E-TARGET-NOT-FOUND")) throw error;
		}
		await stop.sleep(LOOK_MS);
	}
	return undefined;
}

/** Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO; a target that is not there yet is waited for. */
export async function serve(
	names: readonly string[],
	options: ServeOptions,
	command: readonly string[],
): Promise<number> {
	const mode = checkHost(command);
	const containers = new Containers();
	const metrics = new GrowthMetrics({
		...options,
		labelsOf: ({ name, pid }) => {
			const container = containers.of(pid);
			return targetLabels(name, container === undefined ? undefined : sanitizedContainer(container));
		},
	});
	const sink = new ServeSink(metrics);
	const sender = options.otlp ? otlpSender(sink, options.otlpUrl) : undefined;
	if (sender !== undefined) sink.sources.push(sender);
	const ending = new AbortController();
	const { mapsEveryMs } = options;
	const census =
		mapsEveryMs === undefined
			? undefined
			: new MapCensus({
					everyMs: mapsEveryMs,
					targets: () => metrics.processes,
					read: (pid) => readHeldMaps(pid, ending.signal),
				});
	if (census !== undefined) sink.sources.push(census);
	const loopback = isLoopbackName(options.host);
	const server = new HttpServer({ ...options, loopback, handle: (request, gone) => sink.handle(request, gone) });
	const port = await server.listen();
	const stop = new StopRequest();
	stopOnSignals(stop, () => sink.drain());
	const host = options.host.includes(":") ? `[${options.host}]` : options.host || "0.0.0.0";
	process.stderr.write(`gomapgrow: serving http://${sanitize(host)}:${port}/metrics and /debug/pprof/mapgrowth\n`);
	sender?.start();
	census?.start();
	try {
		const first = await firstTargets(names, options, stop);
		if (first === undefined) return EXIT.done;
		const { watched, targets } = first;
		await observeLive({
			...options,
			...{ sinks: [sink], mode, whole: false, targets },
			// It goes on without a target: another may come.
			poll: (nowMs) => ({ ...watched.poll(nowMs), over: false }),
			drop: (target) => watched.drop(target),
			...{ stop, command },
		});
	} finally {
		sink.drain();
		census?.stop();
		ending.abort();
		await sender?.stop();
		await server.drain(DRAIN_MS);
	}
	return EXIT.done;
}

/** What `serve` answers with: counters and profiles, fed by an observation. */
import { CONTENT_TYPES, exposition, formatAsked } from "../metrics/exposition.ts";
import type { Family } from "../metrics/family.ts";
import type { GrowthMetrics } from "../metrics/growth-metrics.ts";
import type { Sink, WindowState } from "../observe/sink.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import { Profiles } from "./profiles.ts";
import { errorResponse, type HttpRequest, type HttpResponse } from "./request.ts";

const MAX_PROFILE_S = 60;
const DEFAULT_PROFILE_S = 30;
const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

export class ServeSink implements Sink {
	readonly #metrics: GrowthMetrics;
	readonly #profiles = new Profiles();
	/** Those that have metrics of their own. */
	readonly sources: { families(): Family[] }[] = [];
	#observing = false;
	#draining = false;
	#scrapeSeconds = 0;

	constructor(metrics: GrowthMetrics) {
		this.#metrics = metrics;
	}

	write(record: GomapgrowRecord): void {
		if (record.type === "start") this.#observing = true;
		this.#metrics.add(record, performance.now());
		this.#profiles.add(record);
	}

	window(_record: WindowRecord, { ended }: WindowState): void {
		const now = performance.now();
		// A process that executes another program now has not ended, but its target has.
		this.#metrics.ended(
			this.#metrics.pids.filter((pid) => ended.has(pid)),
			now,
		);
		this.#metrics.expire(now);
	}

	flush(): void {}

	close(): void {
		this.#observing = false;
		this.#profiles.finishAll();
	}

	/** It is about to end: not ready any more, and whoever waits for a profile gets what there is. */
	drain(): void {
		this.#draining = true;
		this.#profiles.finishAll();
	}

	async handle(request: HttpRequest, gone: AbortSignal): Promise<HttpResponse> {
		switch (request.path) {
			case "/metrics":
				return this.#scrape(request);
			case "/debug/pprof/mapgrowth":
				return await this.#profile(request, gone);
			case "/-/healthy":
				return { status: 200, headers: TEXT, body: "gomapgrow is healthy.\n" };
			case "/-/ready":
				if (this.#draining) return errorResponse(503, "ending");
				if (!this.#observing) return errorResponse(503, "no Go program is observed yet");
				return { status: 200, headers: TEXT, body: "gomapgrow is ready.\n" };
			case "/":
				return {
					status: 200,
					headers: TEXT,
					body: "/metrics\n/debug/pprof/mapgrowth?seconds=30\n/-/healthy\n/-/ready\n",
				};
			default:
				return errorResponse(404, "404 page not found");
		}
	}

	#scrape({ headers }: HttpRequest): HttpResponse {
		const begun = performance.now();
		this.#metrics.expire(begun);
		const format = formatAsked(headers.get("accept"));
		const body = exposition(this.families(), format);
		this.#scrapeSeconds = (performance.now() - begun) / 1000;
		return { status: 200, headers: { "Content-Type": CONTENT_TYPES[format] }, body };
	}

	/** All that is known now. */
	families(): Family[] {
		const more = this.sources.flatMap((source) => source.families());
		return [...this.#metrics.families(), ...this.#own(), ...more];
	}

	#own(): Family[] {
		const { user, system } = process.cpuUsage();
		const point = (value: number) => [{ labels: {}, value }];
		return [
			{
				...{ name: "gomapgrow_scrape_duration_seconds", type: "gauge", unit: "seconds" },
				...{ help: "How long making the answer to the previous scrape took.", points: point(this.#scrapeSeconds) },
			},
			{
				...{ name: "process_cpu_seconds", type: "counter", unit: "seconds" },
				...{ help: "Processor time of gomapgrow itself.", points: point((user + system) / 1e6) },
			},
			{
				...{ name: "process_resident_memory_bytes", type: "gauge", unit: "bytes" },
				...{ help: "Memory of gomapgrow itself.", points: point(process.memoryUsage.rss()) },
			},
		];
	}

	/** As Go's net/http/pprof answers: parameters, texts and headers. */
	async #profile({ query, method }: HttpRequest, gone: AbortSignal): Promise<HttpResponse> {
		const seconds = positive(query.get("seconds"));
		const pid = positive(query.get("pid"));
		for (const [name, value] of Object.entries({ seconds, pid })) {
			if (value === "wrong") return refused(400, `invalid value for "${name}" - must be a positive integer`);
		}
		if (typeof seconds === "number" && seconds > MAX_PROFILE_S) {
			return refused(400, `profile duration exceeds server's limit of ${MAX_PROFILE_S} seconds`);
		}
		const { pids } = this.#metrics;
		if (typeof pid === "number" && !pids.includes(pid)) return refused(404, `process ${pid} is not observed`);
		if (this.#draining || !this.#observing) return refused(503, "nothing is observed", { "Retry-After": "5" });
		const headers = {
			"Content-Type": "application/octet-stream",
			"Content-Disposition": 'attachment; filename="mapgrowth"',
			"X-Content-Type-Options": "nosniff",
		};
		if (method === "HEAD") return { status: 200, headers, body: "" };
		const ms = 1000 * (typeof seconds === "number" ? seconds : DEFAULT_PROFILE_S);
		const body = await this.#profiles.collect(ms, pids, typeof pid === "number" ? pid : undefined, gone);
		if (body === undefined)
			return refused(503, "too many profiles at once", { "Retry-After": String(Math.ceil(ms / 1000)) });
		return { status: 200, headers, body };
	}
}

function refused(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
	return errorResponse(status, text, { "X-Go-Pprof": "1", ...headers });
}

function positive(text: string | null): number | "wrong" | undefined {
	if (text === null || text === "") return undefined;
	return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : "wrong";
}

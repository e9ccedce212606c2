/** Sends metrics to a collector (OTLP over http/protobuf), and never waits for it: what it does not take is dropped and counted. */
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { GomapgrowError } from "../errors/error.ts";
import type { Family } from "../metrics/family.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface OtlpOptions {
	/** Absent: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT, or localhost:4318. */
	url: string | undefined;
	/** What is to be sent now. */
	collect: () => ResourceMetrics;
	env: Env;
}

/** The specification's default, for OTEL_METRIC_EXPORT_INTERVAL. */
const INTERVAL_MS = 60_000;
const LEAST_INTERVAL_MS = 1000;
/** For the last metrics, at the end. */
const LAST_MS = 2000;
/** Of ExportResult: the exporter's enumeration is not exported by the packages that we have. */
const SENT = 0;

/** The whole address: a collector's own has the path of metrics behind it. Throws E-USAGE. */
export function metricsUrl(text: string): string {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url === undefined || !/^https?:$/.test(url.protocol)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "an address after --otlp=, like http://127.0.0.1:4318",
			found: JSON.stringify(text),
		});
	}
	if (url.pathname === "/" || url.pathname === "") url.pathname = "/v1/metrics";
	return url.href;
}

/** Throws E-USAGE for protocols that are not spoken. */
export function checkProtocol(env: Env): void {
	const name = ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"].find(
		(key) => (env[key] ?? "") !== "",
	);
	if (name === undefined || env[name] === "http/protobuf") return;
	throw new GomapgrowError("E-USAGE", {
		wanted: `${name}=http/protobuf: --otlp speaks no other protocol`,
		found: JSON.stringify(env[name]),
		mend: `${name}=http/protobuf gomapgrow serve --otlp=http://127.0.0.1:4318`,
	});
}

export class OtlpSender {
	readonly #options: OtlpOptions;
	readonly #exporter: OTLPMetricExporter;
	#timer: NodeJS.Timeout | undefined;
	#sending = false;
	#outcomes = { sent: 0, failed: 0, dropped: 0 };

	/** Throws E-USAGE. */
	constructor(options: OtlpOptions) {
		checkProtocol(options.env);
		this.#options = options;
		const { url } = options;
		this.#exporter = new OTLPMetricExporter(url === undefined ? {} : { url: metricsUrl(url) });
	}

	start(): void {
		const asked = Number(this.#options.env.OTEL_METRIC_EXPORT_INTERVAL ?? Number.NaN);
		const interval = Number.isFinite(asked) && asked > 0 ? Math.max(LEAST_INTERVAL_MS, asked) : INTERVAL_MS;
		this.#timer = setInterval(() => this.send(), interval);
	}

	/** While the exporter still tries to send the previous ones these are dropped: counters of the next will have them. */
	send(done: () => void = () => {}): void {
		if (this.#sending) {
			this.#outcomes.dropped++;
			done();
			return;
		}
		this.#sending = true;
		this.#exporter.export(this.#options.collect(), ({ code }) => {
			this.#sending = false;
			this.#outcomes[code === SENT ? "sent" : "failed"]++;
			done();
		});
	}

	/** Sends once more, and waits for it a moment. */
	async stop(): Promise<void> {
		clearInterval(this.#timer);
		const last = new Promise<void>((resolve) => this.send(resolve));
		await Promise.race([last, new Promise<void>((resolve) => setTimeout(resolve, LAST_MS))]);
	}

	families(): Family[] {
		return [
			{
				...{ name: "gomapgrow_otlp_exports", type: "counter" },
				help: "Exports of metrics to a collector, by what became of them.",
				points: Object.entries(this.#outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
			},
		];
	}
}

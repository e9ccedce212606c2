/** Options that several commands share, checked. */
import { GomapgrowError } from "../errors/error.ts";
import { FLAME_METRICS, type FlameMetric } from "../export/flame/metric.ts";
import type { ProfileRequest } from "../export/pprof/profile-files.ts";
import type { ContainerFilter } from "../process/container-filter.ts";
import type { ColorFlag } from "../text/color.ts";

export interface LiveOptions {
	durationMs: number | undefined;
	intervalMs: number;
	json: boolean;
	color: ColorFlag;
	/** Measure how long calls take. */
	latency: boolean;
	/** Watch iterations. */
	iterations: boolean;
	/** Watch where maps are made. */
	makes: boolean;
	/** Files for the records and for a flame graph. */
	output: string | undefined;
	flame: string | undefined;
	metric: FlameMetric;
	/** A pprof profile of the growths; undefined: none. */
	pprof: ProfileRequest | undefined;
	/** Part of a processor, or of what a target uses, that probing it may cost; undefined: no limit. */
	budget: number | undefined;
	/** Only processes in these containers. */
	inContainers: ContainerFilter | undefined;
	/** Look for the maps in the heap. */
	census: boolean;
	/** What targets start is observed, too. */
	follow: boolean;
}

/** Of a processor, or of what the target uses. A command of `run` is started for being watched: its counts should be exact. */
const DEFAULT_BUDGET = { watch: 0.01, run: 0.08 };

/** "1%", "0.5%", "off". Throws E-USAGE. */
function parseBudget(value: unknown, usual: keyof typeof DEFAULT_BUDGET = "watch"): number | undefined {
	if (value === undefined) return DEFAULT_BUDGET[usual];
	if (value === "off") return undefined;
	const match = /^(\d+(?:\.\d+)?)%?$/.exec(String(value));
	const percent = match === null ? Number.NaN : Number(match[1]);
	if (!(percent >= 0.01 && percent <= 100)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a share from 0.01% to 100% after --budget, or off",
			found: JSON.stringify(value) ?? "nothing",
		});
	}
	return percent / 100;
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "30s", "500ms", "1.5m", "2h"; a bare number is seconds. Throws E-USAGE. */
export function parseDuration(option: string, value: unknown): number {
	const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(value));
	const ms = match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? "s"] ?? Number.NaN);
	if (!Number.isFinite(ms) || ms <= 0 || ms > 1000 * 3_600_000) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `a duration after ${option}, like 30s, 500ms or 2m`,
			found: JSON.stringify(value) ?? "nothing",
		});
	}
	return ms;
}

/** The checked value of --color. Throws E-USAGE. */
export function parseColor(value: unknown): ColorFlag {
	if (value === undefined) return "auto";
	if (value === "auto" || value === "always" || value === "never") return value;
	throw new GomapgrowError("E-USAGE", {
		wanted: "auto, always or never after --color",
		found: JSON.stringify(value) ?? "nothing",
	});
}

/** The checked value of --metric. Throws E-USAGE. */
export function parseMetric(value: unknown): FlameMetric {
	const metric = FLAME_METRICS.find((name) => name === (value ?? "growths"));
	if (metric !== undefined) return metric;
	throw new GomapgrowError("E-USAGE", {
		wanted: `one of ${FLAME_METRICS.join(", ")} after --metric`,
		found: JSON.stringify(value) ?? "nothing",
	});
}

/** The name of a file that is written; undefined without the option. Throws E-USAGE. */
export function fileName(option: string, value: unknown): string | undefined {
	if (value === undefined) return undefined;
	if (typeof value === "string" && value !== "" && value !== "-") return value;
	throw new GomapgrowError("E-USAGE", {
		wanted: `the name of a file after ${option}`,
		found: JSON.stringify(value) ?? "nothing",
		...(value === "-" && option === "--output"
			? { mend: "gomapgrow watch --json   # writes records to standard output" }
			: {}),
	});
}

/** The checked --pprof, with --pid, --goid and --force that belong to it. Throws E-USAGE. */
export function profileRequest(options: Record<string, unknown>): ProfileRequest | undefined {
	const path = fileName("--pprof", options.pprof);
	const belongs = ["goid", "pid"].find((name) => options[name] !== undefined);
	if (path === undefined) {
		if (belongs === undefined) return undefined;
		throw new GomapgrowError("E-USAGE", { wanted: `--pprof <file> with --${belongs}`, found: "none" });
	}
	const pid = options.pid === undefined ? undefined : Number(options.pid);
	if (pid !== undefined && !(Number.isSafeInteger(pid) && pid > 0)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "the PID of a process in the recording after --pid",
			found: JSON.stringify(options.pid) ?? "nothing",
		});
	}
	return { path, pid, goroutines: options.goid === true, force: options.force === true };
}

/** What --container, --pod and --namespace mean together; undefined without all of them. Throws E-USAGE. */
function containerFilter(options: Record<string, unknown>): ContainerFilter | undefined {
	const filter: ContainerFilter = {};
	for (const field of ["container", "pod", "namespace"] as const) {
		const value = options[field];
		if (value === undefined) continue;
		if (value === "") throw new GomapgrowError("E-USAGE", { wanted: `a name after --${field}`, found: "none" });
		filter[field] = String(value);
	}
	return Object.keys(filter).length === 0 ? undefined : filter;
}

const MIN_INTERVAL_MS = 100;

/** The checked options of a live command, from cac's. Throws E-USAGE. */
export function liveOptions(options: Record<string, unknown>, usual?: keyof typeof DEFAULT_BUDGET): LiveOptions {
	const interval = options.interval === undefined ? 1000 : parseDuration("--interval", options.interval);
	if (interval < MIN_INTERVAL_MS) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `an --interval of at least ${MIN_INTERVAL_MS}ms`,
			found: `${interval}ms`,
		});
	}
	return {
		durationMs: options.duration === undefined ? undefined : parseDuration("--duration", options.duration),
		intervalMs: interval,
		json: options.json === true,
		color: parseColor(options.color),
		// cac spells --no-latency so.
		latency: options.latency !== false,
		iterations: options.iter === true,
		makes: options.makes === true,
		output: fileName("--output", options.output),
		flame: fileName("--flame", options.flame),
		metric: parseMetric(options.metric),
		pprof: profileRequest(options),
		budget: parseBudget(options.budget, usual),
		inContainers: containerFilter(options),
		// As --no-latency.
		census: options.census !== false,
		follow: usual === "run" ? options.follow !== false : options.follow === true,
	};
}

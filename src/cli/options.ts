/** Options that several commands share, checked. */
import { GomapgrowError } from "../errors/error.ts";
import type { ColorFlag } from "../output/color.ts";

export interface LiveOptions {
	durationMs: number | undefined;
	intervalMs: number;
	json: boolean;
	color: ColorFlag;
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

const MIN_INTERVAL_MS = 100;

/** The checked options of a live command, from cac's. Throws E-USAGE. */
export function liveOptions(options: Record<string, unknown>): LiveOptions {
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
	};
}

/** Options of `gomapgrow maps`, checked. */
import type { SortKey } from "../census/select.ts";
import { GomapgrowError } from "../errors/error.ts";
import type { ColorFlag } from "../text/color.ts";
import { parseDuration } from "./options.ts";

export interface MapsOptions {
	by: "map" | "type" | "holder";
	sort: SortKey;
	top: number | undefined;
	minBytes: number;
	type: RegExp | undefined;
	json: boolean;
	waitGc: boolean;
	everyMs: number | undefined;
	/** Readings; undefined: until it is interrupted, or one without --every. */
	count: number | undefined;
	timeoutMs: number;
	/** Most of one processor that reading may take; undefined: no limit. */
	cpu: number | undefined;
	diff: boolean;
	color: ColorFlag;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** A regular expression is tried on each type name. */
const MAX_PATTERN = 1000;

function choice<T extends string>(option: string, value: unknown, values: readonly T[], fallback: T): T {
	const found = values.find((each) => each === (value ?? fallback));
	if (found !== undefined) return found;
	throw new GomapgrowError("E-USAGE", {
		wanted: `${values.slice(0, -1).join(", ")} or ${values.at(-1)} after ${option}`,
		found: JSON.stringify(value) ?? "nothing",
	});
}

function positive(option: string, value: unknown): number | undefined {
	if (value === undefined) return undefined;
	const number = Number(value);
	if (Number.isInteger(number) && number >= 1) return number;
	throw new GomapgrowError("E-USAGE", {
		wanted: `a number after ${option}, 1 or more`,
		found: JSON.stringify(value) ?? "nothing",
	});
}

const BYTE_UNITS: Record<string, number> = {
	B: 1,
	kB: 1e3,
	KB: 1e3,
	MB: 1e6,
	GB: 1e9,
	KiB: 1024,
	MiB: 1 << 20,
	GiB: 1 << 30,
};

/** "1MB", "512 kB", "4096"; a bare number is bytes. Throws E-USAGE. */
export function parseBytes(option: string, value: unknown): number {
	const match = /^(\d+(?:\.\d+)?)\s*([kKMG]?i?B)?$/.exec(String(value));
	const bytes = match === null ? Number.NaN : Number(match[1]) * (BYTE_UNITS[match[2] ?? "B"] ?? Number.NaN);
	if (Number.isFinite(bytes)) return bytes;
	throw new GomapgrowError("E-USAGE", {
		wanted: `a size after ${option}, like 1MB, 512kB or 4096`,
		found: JSON.stringify(value) ?? "nothing",
	});
}

/** "20%". Throws E-USAGE. */
function parseShare(value: unknown): number | undefined {
	if (value === undefined) return undefined;
	const match = /^(\d+(?:\.\d+)?)%?$/.exec(String(value));
	const percent = match === null ? Number.NaN : Number(match[1]);
	if (percent >= 1 && percent <= 100) return percent / 100;
	throw new GomapgrowError("E-USAGE", {
		wanted: "a share of one processor after --cpu, from 1% to 100%",
		found: JSON.stringify(value) ?? "nothing",
	});
}

function parsePattern(value: unknown): RegExp | undefined {
	if (value === undefined) return undefined;
	try {
		if (typeof value === "string" && value.length <= MAX_PATTERN) return new RegExp(value);
	} catch (cause) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a regular expression after --type",
			found: JSON.stringify(value),
			cause,
		});
	}
	throw new GomapgrowError("E-USAGE", {
		wanted: `a regular expression of at most ${MAX_PATTERN} characters after --type`,
		found: "a longer one",
	});
}

/** The checked options, from cac's. Throws E-USAGE. */
export function mapsOptions(options: Record<string, unknown>, color: ColorFlag): MapsOptions {
	const duration = (option: string, value: unknown): number | undefined =>
		value === undefined ? undefined : parseDuration(option, value);
	const parsed: MapsOptions = {
		by: choice("--by", options.by, ["map", "type", "holder"], "map"),
		sort: choice("--sort", options.sort, ["bytes", "entries", "slots", "waste"], "bytes"),
		top: positive("--top", options.top),
		minBytes: options.min === undefined ? 0 : parseBytes("--min", options.min),
		type: parsePattern(options.type),
		json: options.json === true,
		cpu: parseShare(options.cpu),
		waitGc: options.waitGc === true,
		everyMs: duration("--every", options.every),
		count: positive("--count", options.count),
		timeoutMs: duration("--timeout", options.timeout) ?? DEFAULT_TIMEOUT_MS,
		diff: options.diff === true,
		color,
	};
	if (parsed.count !== undefined && parsed.everyMs === undefined) {
		throw new GomapgrowError("E-USAGE", { wanted: "--every with --count", found: "--count alone" });
	}
	return parsed;
}

/** Numbers as people read them. None of these depends on the locale: output is compared and parsed. */

/** What stands for a value that was not measured. */
export const NOT_MEASURED = "–";

const NS_PER_SECOND = 1e9;

/** A whole number with thousands separators: 86,688. */
export function formatCount(value: number): string {
	return Math.round(value)
		.toString()
		.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A positive number with two significant digits below 10 and none after the point from 10 on; 0 stays "0". */
function short(value: number): string {
	if (value === 0) return "0";
	return value < 9.95 ? value.toFixed(1) : formatCount(value);
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Bytes in decimal units: "812 B", "4.2 MB", "301 MB". */
export function formatBytes(bytes: number, separator = " "): string {
	let value = bytes;
	let unit = 0;
	while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
		value /= 1000;
		unit++;
	}
	const digits = unit === 0 ? formatCount(value) : short(value);
	return `${digits}${separator}${BYTE_UNITS[unit]}`;
}

/** Events per second; 0 when there is no time to divide by. */
export function perSecond(count: number, intervalNs: number): number {
	return intervalNs > 0 ? (count * NS_PER_SECOND) / intervalNs : 0;
}

/** A rate: whole from 100 on, at most one decimal below ("1,204", "0.3"); never "0" for a rate above 0. */
export function formatRate(rate: number, separators = true): string {
	if (rate >= 99.95) return separators ? formatCount(rate) : Math.round(rate).toString();
	if (rate > 0 && rate < 0.05) return "<0.1";
	const tenths = Math.round(rate * 10) / 10;
	return tenths.toString();
}

/** A duration with its unit: "850 ns", "1.2 µs", "90 µs", "4.0 ms", "0.57 s", "72 s", "1 h 0 min 5 s". */
export function formatDuration(ns: number): string {
	if (ns < 999.5) return `${Math.round(ns)} ns`;
	if (ns < 999_500) return `${short(ns / 1e3)} µs`;
	if (ns < 99_950_000) return `${short(ns / 1e6)} ms`;
	const seconds = ns / NS_PER_SECOND;
	if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
	if (seconds < 599.5) return `${Math.round(seconds)} s`;
	const minutes = Math.floor(Math.round(seconds) / 60);
	const rest = `${minutes % 60} min ${Math.round(seconds) % 60} s`;
	return minutes < 60 ? rest : `${formatCount(Math.floor(minutes / 60))} h ${rest}`;
}

/** Time since the start as on a clock: "01:12", "1:00:05". */
export function formatClock(ns: number): string {
	const total = Math.floor(ns / NS_PER_SECOND);
	const two = (value: number): string => value.toString().padStart(2, "0");
	const hours = Math.floor(total / 3600);
	const rest = `${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
	return hours > 0 ? `${hours}:${rest}` : rest;
}

/** A share of a whole: "71 %", "0.8 %"; "0 %" when the whole is 0. */
export function formatShare(part: number, whole: number): string {
	return `${short(whole > 0 ? (part * 100) / whole : 0)} %`;
}

/** "1 growth", "2 growths", "2 processes". */
export function plural(count: number, noun: string): string {
	const ending = /(?:s|x|ch|sh)$/.test(noun) ? "es" : "s";
	return `${formatCount(count)} ${noun}${count === 1 ? "" : ending}`;
}

const NUMBER = /^([^.\s]*)(\.\S*)?(\s.*)?$/;

/** Pads numbers (with or without a unit after a space) so that their decimal points and their units stand in a column. */
export function alignDecimal(texts: readonly string[]): string[] {
	const parts = texts.map((text) => {
		const match = NUMBER.exec(text);
		return [match?.[1] ?? text, match?.[2] ?? "", match?.[3] ?? ""] as const;
	});
	const widths = [0, 1, 2].map((index) => Math.max(0, ...parts.map((part) => part[index]?.length ?? 0)));
	const [whole = 0, fraction = 0, unit = 0] = widths;
	return parts.map((part) => part[0].padStart(whole) + part[1].padEnd(fraction) + part[2].padEnd(unit));
}

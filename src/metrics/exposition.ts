/**
 * Metrics as text: Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0, which spells
 * names of families, `le` and the end differently.
 */
import type { Family, HistogramPoint, Labels, NumberPoint } from "./family.ts";

export type ExpositionFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Record<ExpositionFormat, string> = {
	prometheus: "text/plain; version=0.0.4; charset=utf-8",
	openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What a scraper asks for: OpenMetrics where its Accept header prefers it to plain text. */
export function formatAsked(accept: string | undefined): ExpositionFormat {
	let best: { format: ExpositionFormat; quality: number } = { format: "prometheus", quality: 0 };
	for (const part of (accept ?? "").slice(0, 4096).split(",")) {
		const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
		const weight = parameters.find((parameter) => parameter.startsWith("q="));
		const quality = weight === undefined ? 1 : Number(weight.slice(2));
		const version = parameters.find((parameter) => parameter.startsWith("version="));
		const format: ExpositionFormat | undefined =
			type === "application/openmetrics-text" && (version === undefined || /^version="?[01]\./.test(version))
				? "openmetrics"
				: type === "text/plain" || type === "*/*" || type === "text/*"
					? "prometheus"
					: undefined;
		if (format !== undefined && quality > best.quality) best = { format, quality };
	}
	return best.format;
}

function escaped(text: string): string {
	return text.replace(/[\\\n]/g, (character) => (character === "\n" ? "\\n" : "\\\\"));
}

function spelled(value: number): string {
	if (Number.isFinite(value)) return String(value);
	return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function labelText(labels: Labels, more?: readonly [name: string, value: string]): string {
	const pairs = [...Object.entries(labels), ...(more === undefined ? [] : [more])];
	if (pairs.length === 0) return "";
	return `{${pairs.map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`).join(",")}}`;
}

function histogramLines(name: string, { labels, buckets, sum, count }: HistogramPoint, open: boolean): string[] {
	const bound = (le: number) => (open && Number.isInteger(le) ? `${le}.0` : spelled(le));
	return [
		...buckets.map((bucket) => `${name}_bucket${labelText(labels, ["le", bound(bucket.le)])} ${bucket.count}`),
		`${name}_bucket${labelText(labels, ["le", "+Inf"])} ${count}`,
		`${name}_sum${labelText(labels)} ${spelled(sum)}`,
		`${name}_count${labelText(labels)} ${count}`,
	];
}

function familyLines(family: Family, open: boolean): string[] {
	const { name, help, unit, type } = family;
	const suffix = type === "counter" ? "_total" : type === "info" ? "_info" : "";
	const title = open ? name : name + suffix;
	const shownType = type === "info" && !open ? "gauge" : type;
	const lines = [`# HELP ${title} ${escaped(help)}`, `# TYPE ${title} ${shownType}`];
	if (open && unit !== undefined) lines.push(`# UNIT ${title} ${unit}`);
	if (family.type === "histogram")
		return [...lines, ...family.points.flatMap((point) => histogramLines(name, point, open))];
	const sample = ({ labels, value }: NumberPoint) => `${name}${suffix}${labelText(labels)} ${spelled(value)}`;
	return [...lines, ...family.points.map(sample)];
}

/** Families without points are left out. */
export function exposition(families: readonly Family[], format: ExpositionFormat): string {
	const open = format === "openmetrics";
	const lines = families.filter(({ points }) => points.length > 0).flatMap((family) => familyLines(family, open));
	if (open) lines.push("# EOF");
	return lines.map((line) => `${line}\n`).join("");
}

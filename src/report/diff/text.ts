/** A comparison as a table, as Markdown, and as annotations of GitHub Actions. */
import { sanitize } from "../../lib/sanitize.ts";
import { shortSite } from "../../text/go-names.ts";
import { type TableColumn, textTable } from "../../text/text-table.ts";
import { formatBytes, formatCount, formatRate, plural } from "../../text/units.ts";
import type { Change, Diff, DiffRow } from "./compare.ts";
import type { Verdict } from "./limits.ts";
import type { DiffMetric } from "./side.ts";

export interface DiffTextOptions {
	columns: number;
	rows: number;
	notes: readonly string[];
}

const MAX_ANNOTATIONS = 10;

function amount(value: number, metric: DiffMetric, { unit }: Diff): string {
	if (metric === "bytes") return `${formatBytes(value)}${unit === "second" ? "/s" : ""}`;
	return unit === "second" ? `${formatRate(value)}/s` : formatCount(value);
}

/** `+12 %`, `-3.4 %`, `new`, `gone`. */
export function changeText({ before, after }: Change): string {
	if (before === after) return "0 %";
	if (before === 0) return "new";
	if (after === 0) return "gone";
	const percent = (after / before - 1) * 100;
	const digits = Math.abs(percent) < 10 ? 1 : 0;
	return `${percent > 0 ? "+" : "-"}${Math.abs(percent).toFixed(digits)} %`;
}

function sign({ status }: DiffRow): string {
	return status === "noise" ? "within noise" : status;
}

function header(diff: Diff): string {
	const { growths, bytes } = diff.all;
	const one = (change: Change, metric: DiffMetric) =>
		`${amount(change.before, metric, diff)} → ${amount(change.after, metric, diff)} (${changeText(change)})`;
	return `growths ${one(growths, "growths")} · allocated ${one(bytes, "bytes")}${diff.unit === "second" ? " · mean of windows" : ""}`;
}

/** Lines with line feeds; a verdict comes first. */
export function diffText(diff: Diff, verdict: Verdict | undefined, { columns, rows, notes }: DiffTextOptions): string {
	const shown = diff.rows.filter(({ status }) => status !== "same");
	const table = shown.slice(0, rows);
	const column = (heading: string, kind: TableColumn["kind"], cell: (row: DiffRow) => string): TableColumn => ({
		...{ heading, kind },
		cells: table.map(cell),
	});
	const lines = [
		...(verdict === undefined ? [] : [verdictText(verdict), ""]),
		...[header(diff), ""],
		...(table.length === 0
			? ["no call site changed"]
			: textTable(
					[
						column("GROWTHS", "number", ({ growths }) => amount(growths.before, "growths", diff)),
						column("NOW", "number", ({ growths }) => amount(growths.after, "growths", diff)),
						column("CHANGE", "text", ({ growths }) => changeText(growths)),
						column("BYTES", "number", ({ bytes }) => amount(bytes.before, "bytes", diff)),
						column("NOW", "number", ({ bytes }) => amount(bytes.after, "bytes", diff)),
						column("CHANGE", "text", ({ bytes }) => changeText(bytes)),
						column("", "text", sign),
						column("TYPE", "text", ({ map_type }) => sanitize(map_type)),
						column("SITE", "text", shortSite),
					],
					columns,
				)),
	];
	if (shown.length > table.length) lines.push(`… ${plural(shown.length - table.length, "more row")}: --rows`);
	lines.push(...notes.map((note) => `missing: ${note}`));
	return lines.map((line) => `${line}\n`).join("");
}

export function verdictText({ cannot, above }: Verdict): string {
	if (cannot !== undefined) return `cannot judge: ${cannot}`;
	if (above.length === 0) return "within the limits";
	return `above the limits: ${plural(above.length, "call site")}`;
}

/** What Markdown and HTML would take for their own is spelled as an entity. */
function markdownText(text: string): string {
	return sanitize(text).replace(/[&<>|`*_[\]\\~#@!]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function diffMarkdown(diff: Diff, verdict: Verdict | undefined, rows: number): string {
	const shown = diff.rows.filter(({ status }) => status !== "same" && status !== "noise");
	const cells = (row: DiffRow) => {
		const both = (metric: DiffMetric) => {
			const { before, after } = row[metric];
			return [amount(before, metric, diff), amount(after, metric, diff), changeText(row[metric])];
		};
		return [markdownText(shortSite(row)), markdownText(row.map_type), ...both("growths"), ...both("bytes")];
	};
	const lines = [
		"### Map growth",
		"",
		...(verdict === undefined ? [] : [markdownText(verdictText(verdict)), ""]),
		...[header(diff), ""],
	];
	if (shown.length > 0) {
		lines.push(
			"| site | type | growths | now | change | allocated | now | change |",
			"|---|---|--:|--:|--:|--:|--:|--:|",
		);
		lines.push(...shown.slice(0, rows).map((row) => `| ${cells(row).join(" | ")} |`));
		if (shown.length > rows) lines.push("", plural(shown.length - rows, "more row"));
	}
	return lines.map((line) => `${line}\n`).join("");
}

/** docs.github.com, "Workflow commands": what ends a command or a property is escaped. */
function commandData(text: string): string {
	return sanitize(text, 1000).replace(/[%\r\n]/g, (character) => encodeURIComponent(character));
}

function commandProperty(text: string): string {
	return commandData(text).replace(/[:,]/g, (character) => encodeURIComponent(character));
}

/** One `::error` for each place above a limit; `workspace`: the folder of the sources. */
export function annotations(diff: Diff, { above }: Verdict, workspace: string | undefined): string {
	const lines = above.slice(0, MAX_ANNOTATIONS).map(({ row, metric, limit }) => {
		const { file, line } = row;
		const root = workspace === undefined ? undefined : `${workspace.replace(/\/$/, "")}/`;
		const path = root !== undefined && file?.startsWith(root) === true ? file.slice(root.length) : file;
		const properties = [
			...(path === undefined ? [] : [`file=${commandProperty(path)}`]),
			...(line === undefined ? [] : [`line=${line}`]),
			"title=map growth",
		];
		const { before, after } = row[metric];
		const change = `${metric} ${amount(before, metric, diff)} → ${amount(after, metric, diff)} (${changeText(row[metric])}, limit ${limit * 100} %)`;
		return `::error ${properties.join(",")}::${commandData(`${shortSite(row)} ${row.map_type}: ${change}`)}\n`;
	});
	if (above.length > MAX_ANNOTATIONS)
		lines.push(`::error title=map growth::${above.length - MAX_ANNOTATIONS} more above the limits\n`);
	return lines.join("");
}

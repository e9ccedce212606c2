/** A census as text for people. */
import picocolors from "picocolors";
import { shortFunction } from "../text/go-names.ts";
import { textTable } from "../text/text-table.ts";
import { formatBytes, formatCount, formatDuration, formatShare, plural } from "../text/units.ts";
import { labelled } from "../text/wrap.ts";
import type { Census } from "./census.ts";
import { FLAG } from "./map-table.ts";
import type { CensusHead } from "./record.ts";
import type { Group, Totals } from "./select.ts";

const LABEL = 8;
/** Fill below which rebuilding is worth a line, and how much it has to give back. */
const LOW_FILL = 0.25;
const MIN_WASTE = 65_536;

export interface CensusText {
	head: CensusHead;
	totals: Totals;
	/** Row of the map that wastes most. */
	worst: number | undefined;
	columns: number;
	color: boolean;
}

/** Identity, totals, and the map that wastes most. */
export function headText(census: Census, { head, totals, worst, columns, color }: CensusText): string[] {
	const colors = picocolors.createColors(color);
	const width = Math.max(40, Math.min(columns, 120));
	const { heap_bytes, maps_bytes, maps_total, garbage } = head;
	const share = formatShare(maps_bytes, heap_bytes);
	const garbageParts = [
		...(garbage.unreferenced_maps === undefined || garbage.unreferenced_maps === 0
			? []
			: [
					`garbage: ${plural(garbage.unreferenced_maps, "map")} (${formatBytes(garbage.unreferenced_bytes ?? 0)}) to which nothing refers, at most ${formatBytes(garbage.at_most_bytes ?? 0)}`,
				]),
	];
	const heap = [
		`${formatBytes(heap_bytes)} in use; ${plural(maps_total, "map")} ${maps_total === 1 ? "holds" : "hold"} ${formatBytes(maps_bytes)} (${share})`,
		...garbageParts,
		`read ${formatBytes(census.costs.bytes)} in ${formatDuration(head.duration_ns)}`,
	].join("; ");
	const row = (label: string, text: string): string[] => (text === "" ? [] : labelled(label, LABEL, text, width));
	return [
		`${colors.bold(`${head.name} ${head.pid}`)}  ${head.go_version} ${head.map_impl}  ${head.time.slice(11, 19)}Z`,
		...row("heap", heap),
		...row("waste", wasteText(census, totals, worst)).map((line) => colors.yellow(line)),
	].map((line) => line.trimEnd());
}

/** What could not be found out, below the table. */
export function limitsText({ head, columns, color }: CensusText): string[] {
	const colors = picocolors.createColors(color);
	const width = Math.max(40, Math.min(columns, 120));
	return head.limits
		.flatMap((limit) => labelled("note", LABEL, limit, width))
		.map((line) => colors.dim(line.trimEnd()));
}

/** Maps never shrink: what the worst one holds for nothing, and all together. */
function wasteText(census: Census, totals: Totals, worst: number | undefined): string {
	if (worst === undefined) return "";
	const { table, holders, typings } = census;
	const [entries, slots] = [table.word("entries", worst), table.word("groups", worst) * 8];
	const waste = census.wasteOf(worst);
	if (waste < MIN_WASTE || entries >= slots * LOW_FILL) return "";
	const holder = holders.get(holders.of(worst))?.path;
	const what = `${typings.of(table, worst)?.text ?? "map"}${holder === undefined ? "" : ` of ${holder}`}`;
	const all = totals.waste > waste * 1.1 ? `; all maps: ${formatBytes(totals.waste)}` : "";
	return `${plural(entries, "entry").replace(/entrys$/, "entries")} in ${formatCount(slots)} slots: rebuilding ${what} gives back ${formatBytes(waste)}${all}`;
}

/** One line a map. */
export function mapsTable(census: Census, rows: Uint32Array, columns: number): string[] {
	const { table, holders, typings } = census;
	const cells = (of: (row: number) => string): string[] => Array.from(rows, of);
	const notes = cells((row) => noteOf(census, row));
	const tombstones = cells((row) => formatCount(table.word("tombstones", row)).replace(/^0$/, ""));
	return textTable(
		[
			{ heading: "BYTES", kind: "number", cells: cells((row) => formatBytes(table.word("bytes", row))) },
			{ heading: "ENTRIES", kind: "number", cells: cells((row) => formatCount(table.word("entries", row))) },
			{ heading: "SLOTS", kind: "number", cells: cells((row) => formatCount(table.word("groups", row) * 8)) },
			{
				heading: "FILL",
				kind: "number",
				cells: cells((row) => fillText(table.word("entries", row), table.word("groups", row) * 8)),
			},
			...(tombstones.every((text) => text === "")
				? []
				: [{ heading: census.impl === "swiss" ? "TOMB" : "OVERFLOW", kind: "number" as const, cells: tombstones }]),
			{ heading: "TYPE", kind: "text", cells: cells((row) => typings.of(table, row)?.text ?? "") },
			{
				heading: "HELD BY",
				kind: "text",
				cells: cells((row) => holderText(census, holders.of(row), table.has(row, FLAG.referenced))),
			},
			...(notes.every((text) => text === "") ? [] : [{ heading: "", kind: "text" as const, cells: notes }]),
		],
		columns,
	);
}

function noteOf({ table, typings }: Census, row: number): string {
	const growing = table.growing.get(row);
	return [
		...(growing === undefined
			? []
			: [
					`growing: ${formatCount(growing.evacuated)} of ${formatCount(growing.of)} buckets${growing.since === undefined ? "" : ` since ${growing.since.slice(11, 19)}`}`,
				]),
		...(table.has(row, FLAG.changing) ? ["changing"] : []),
		...(typings.of(table, row)?.certainty === "fits" ? ["type fits"] : []),
	].join(", ");
}

function fillText(entries: number, slots: number): string {
	return slots === 0 ? "-" : `${Math.floor((entries * 100) / slots)}%`;
}

function holderText(census: Census, holder: number, referenced: boolean): string {
	const found = census.holders.get(holder);
	if (found !== undefined) return found.path.split(" <- ").map(shortHolder).join(" <- ");
	if (referenced) return "object";
	return census.referencesKnown ? "nothing (garbage)" : "-";
}

/** Paths of packages are left out, as of functions. */
function shortHolder(step: string): string {
	return /[/]/.test(step) && !step.includes(" ") ? shortFunction(step) : step;
}

/** One line a type, or a type and holder. */
export function groupsTable(census: Census, groups: readonly Group[], columns: number): string[] {
	const cells = (of: (group: Group) => string): string[] => groups.map(of);
	const byHolder = groups.some(({ holder }) => holder !== undefined);
	return textTable(
		[
			{ heading: "BYTES", kind: "number", cells: cells(({ bytes }) => formatBytes(bytes)) },
			{ heading: "MAPS", kind: "number", cells: cells(({ maps }) => formatCount(maps)) },
			{ heading: "ENTRIES", kind: "number", cells: cells(({ entries }) => formatCount(entries)) },
			{ heading: "SLOTS", kind: "number", cells: cells(({ slots }) => formatCount(slots)) },
			{ heading: "FILL", kind: "number", cells: cells(({ entries, slots }) => fillText(entries, slots)) },
			{ heading: "WASTE", kind: "number", cells: cells(({ waste }) => formatBytes(waste)) },
			{ heading: "TYPE", kind: "text", cells: cells(({ typing }) => typing.text) },
			...(byHolder
				? [
						{
							heading: "HELD BY",
							kind: "text" as const,
							cells: cells(({ holder }) => (holder === undefined ? "" : holderText(census, holder, true))),
						},
					]
				: []),
		],
		columns,
	);
}

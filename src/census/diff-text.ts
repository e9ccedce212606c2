/** Two readings compared, as text for people. */
import { textTable } from "../text/text-table.ts";
import { formatBytes, formatCount, formatDuration } from "../text/units.ts";
import type { DiffRecord, MapChange } from "./diff-record.ts";

const ROWS = 20;

const arrow = ([before, after]: [number, number], format: (value: number) => string): string =>
	before === after ? format(after) : `${format(before)} -> ${format(after)}`;

const signedBytes = (bytes: number): string => `${bytes < 0 ? "-" : "+"}${formatBytes(Math.abs(bytes))}`;

/** Kinds that changed, then maps that grew, then maps that were emptied. */
export function diffText({ pid, seconds, groups, maps }: DiffRecord, columns: number, rows = ROWS): string {
	const grown = maps.filter(({ reclaimable_bytes }) => reclaimable_bytes === undefined);
	const emptied = maps.filter(({ reclaimable_bytes }) => reclaimable_bytes !== undefined);
	const parts = [
		[`process ${pid}, two readings, ${formatDuration(seconds * 1e9)} apart`],
		groups.length === 0 ? ["no kind of map changed"] : groupLines(groups.slice(0, rows), columns),
		...(grown.length === 0 ? [] : [["maps that grew", ...mapLines(grown.slice(0, rows), columns)]]),
		...(emptied.length === 0
			? []
			: [["maps that lost entries and kept their memory", ...mapLines(emptied.slice(0, rows), columns)]]),
	];
	return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function groupLines(groups: DiffRecord["groups"], columns: number): string[] {
	const cells = (of: (group: DiffRecord["groups"][number]) => string): string[] => groups.map(of);
	return textTable(
		[
			{ heading: "MAPS", kind: "text", cells: cells(({ maps }) => arrow(maps, formatCount)) },
			{ heading: "BYTES", kind: "text", cells: cells(({ bytes }) => arrow(bytes, formatBytes)) },
			{ heading: "PER MINUTE", kind: "text", cells: cells((group) => signedBytes(group.bytes_per_minute)) },
			{ heading: "", kind: "text", cells: cells((group) => (group.only_grows ? "only grows" : "")) },
			{ heading: "TYPE", kind: "text", cells: cells(({ type }) => type) },
			{ heading: "HELD BY", kind: "text", cells: cells(({ holder }) => holder?.path ?? "") },
		],
		columns,
	);
}

function mapLines(maps: readonly MapChange[], columns: number): string[] {
	const cells = (of: (change: MapChange) => string): string[] => maps.map(of);
	const emptied = maps.some(({ reclaimable_bytes }) => reclaimable_bytes !== undefined);
	return textTable(
		[
			{ heading: "ENTRIES", kind: "text", cells: cells(({ entries }) => arrow(entries, formatCount)) },
			{ heading: "BYTES", kind: "text", cells: cells(({ bytes }) => arrow(bytes, formatBytes)) },
			...(emptied
				? [
						{
							heading: "REBUILT",
							kind: "text" as const,
							cells: cells(({ reclaimable_bytes }) => `-${formatBytes(reclaimable_bytes ?? 0)}`),
						},
					]
				: []),
			{ heading: "TYPE", kind: "text", cells: cells(({ type }) => type) },
			{ heading: "HELD BY", kind: "text", cells: cells(({ holder }) => holder?.path ?? "") },
		],
		columns,
	);
}

/** A growth in words. */

import { sanitize } from "../lib/sanitize.ts";
import type { GrowthCause, GrowthKind, GrowthRecord } from "../records/records.ts";
import { shortFunction, shortSite } from "../text/go-names.ts";
import { formatBytes, formatCount, formatDuration } from "../text/units.ts";
import { clockText } from "./columns.ts";
import { clipLine, flowFields, type Line, type Span } from "./line.ts";

const KIND_TEXT: Record<GrowthKind, string> = {
	double: "doubled",
	"same-size": "same size",
	"small-to-table": "small → table",
	"table-double": "table doubled",
	split: "table split",
};

const CAUSE_TEXT: Record<GrowthCause, string> = {
	load: "load factor",
	overflow: "overflow buckets",
	tombstones: "tombstones",
};

/** "2nd", "3rd", "11th". */
function ordinal(value: number): string {
	const tens = value % 100;
	const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
	return `${formatCount(value)}${suffix}`;
}

/** `doubled, 32,768 → 65,536 slots` */
function slotsText(growth: GrowthRecord): string {
	const { kind, capacity_before, capacity_after } = growth;
	if (capacity_before === capacity_after) return `${KIND_TEXT[kind]}, ${formatCount(capacity_after)} slots`;
	return `${KIND_TEXT[kind]}, ${formatCount(capacity_before)} → ${formatCount(capacity_after)} slots`;
}

/** Who grew it: the goroutine, what it runs and where it comes from. */
function goroutineTexts({ goid, start_fn, created_by, parent_goid }: GrowthRecord): string[] {
	if (goid === undefined) return [];
	const runs = start_fn === undefined ? "" : ` runs ${shortFunction(start_fn)}`;
	if (created_by === undefined) return [`goroutine ${goid}${runs}`];
	const from = parent_goid === undefined ? "" : ` in goroutine ${parent_goid}`;
	return [`goroutine ${goid}${runs}`, `started by ${shortSite(created_by)}${from}`];
}

const asFields = (texts: readonly string[]): Line[] => texts.map((text) => [{ text }]);

/** The newest growth of a row in one line; what matters most comes first, because a narrow screen cuts the end. */
export function growthLine(growth: GrowthRecord | undefined, columns: number): Span[] {
	if (growth === undefined) return [];
	const same = growth.capacity_before === growth.capacity_after;
	const kind = `${KIND_TEXT[growth.kind]}${same ? "," : " to"} ${formatCount(growth.capacity_after)}`;
	const texts = [kind, CAUSE_TEXT[growth.cause], ...goroutineTexts(growth)];
	if (growth.iterating === true) texts.splice(1, 0, "while iterating");
	const line: Span[] = [
		{ text: " newest ", style: "dim" },
		{ text: sanitize(growth.map_type, 60), style: "accent" },
	];
	for (const text of texts) line.push({ text: " · ", style: "dim" }, { text });
	return clipLine(line, columns);
}

/** The same in as many lines as it needs, with everything that was measured. */
export function growthLines(growth: GrowthRecord, columns: number): Line[] {
	const { bytes, bytes_moved, duration_ns } = growth;
	const texts = [slotsText(growth), `${CAUSE_TEXT[growth.cause]} at ${formatCount(growth.count)} entries`];
	if (growth.iterating === true) texts.push("while iterating");
	if (duration_ns !== undefined) texts.push(`took ${formatDuration(duration_ns)}`);
	if (bytes_moved !== undefined) texts.push(`copies ${formatBytes(bytes_moved)}`);
	if (bytes !== undefined) texts.push(`allocates ${formatBytes(bytes)}`);
	texts.push(`${ordinal(growth.nth)} growth of map ${sanitize(growth.map)}`, `at ${clockText(growth.elapsed_ns)}`);
	return [
		...flowFields(asFields(texts), " · ", columns),
		...flowFields(asFields(goroutineTexts(growth)), " · ", columns),
	];
}

/** The columns of the five tables: what each is called, shows and sorts by, and which of them narrow screens do without. */
import { sanitize } from "../lib/sanitize.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import { BYTES, COUNT, cellText, type NumberForm, RATE } from "../text/figure-text.ts";
import { shortFunction, shortPlace, shortSite } from "../text/go-names.ts";
import { formatCount, NOT_MEASURED } from "../text/units.ts";
import { displayWidth, middleEllipsis } from "../text/width.ts";
import type { Span, Style } from "./line.ts";
import { quantilesOf } from "./quantiles.ts";
import type { Row, TableName } from "./rows.ts";

interface ColumnBase {
	/** Unique in its table. */
	id: string;
	heading: string;
	/** What it says, for the help. */
	meaning: string;
	/** Narrow screens lose the columns with the highest number first; 0 always stays. */
	dropRank: number;
	/** Not there as long as no row has a value. */
	optional?: true;
}

export interface NumberColumn extends ColumnBase {
	kind: "number";
	value: (row: Row) => Figure | undefined;
	text: (value: Figure) => string;
	/** Not shown, but aligned with the others: points and columns stay in their place while values change. */
	pattern: string;
	style?: Style;
}

export interface TextColumn extends ColumnBase {
	kind: "text";
	/** In full, safe to print. */
	value: (row: Row) => string;
	/** In at most `width` columns. */
	spans: (row: Row, width: number) => Span[];
	minWidth: number;
	/** Share of the room when there is too little for all. */
	weight: number;
}

export type Column = NumberColumn | TextColumn;

export const DASH = NOT_MEASURED;

type Numbers = Pick<NumberColumn, "id" | "heading" | "meaning" | "value" | "dropRank" | "optional">;

const spelled = (form: NumberForm) => (value: Figure) => cellText(value, form);

const rate = (column: Numbers): NumberColumn => ({
	...{ kind: "number", text: spelled(RATE), pattern: "0,000.0" },
	...column,
});
const count = (column: Numbers & { pattern?: string }): NumberColumn => ({
	...{ kind: "number", text: spelled(COUNT), pattern: "0" },
	...column,
});
const bytes = (column: Numbers): NumberColumn => ({
	...{ kind: "number", text: spelled(BYTES), pattern: "000.0 kB" },
	...column,
});
const duration = (column: Numbers): NumberColumn => ({
	...{ kind: "number", text: spelled(SHORT_DURATION), pattern: "000.0 µs" },
	...column,
});

const DURATION_UNITS: readonly (readonly [limit: number, unit: number, name: string])[] = [
	[999.5, 1, "ns"],
	[999_500, 1e3, "µs"],
	[999_500_000, 1e6, "ms"],
	[600e9, 1e9, "s"],
	[36_000e9, 60e9, "min"],
	[Number.POSITIVE_INFINITY, 3600e9, "h"],
];

/** Like `formatDuration`, but one unit however long, and one decimal at most, so that a column of them is narrow. */
export function shortDuration(ns: number): string {
	for (const [limit, unit, name] of DURATION_UNITS) {
		if (ns >= limit) continue;
		const value = ns / unit;
		const decimals = unit > 1 && value < 9.95 && value > 0 ? 1 : 0;
		return `${decimals === 0 ? formatCount(value) : value.toFixed(decimals)} ${name}`;
	}
	return DASH;
}

export const SHORT_DURATION: NumberForm = { exact: shortDuration, rough: shortDuration };
/** Numbers that stand for something else: of processes and goroutines, and moments. */
const plainNumber = (text: (value: number) => string) => (value: Figure) => text(amountOf(value));

const growRate = (dropRank: number): NumberColumn => ({
	...rate({ id: "grow", heading: "GROW/s", meaning: "growths per second", value: (row) => row.growRate, dropRank }),
	style: "strong",
});
const workRate = (dropRank: number): NumberColumn =>
	rate({
		id: "work",
		heading: "GROWTH WORK/s",
		meaning: "calls per second that evacuate (classic maps) or rehash (swiss maps)",
		value: (row) => row.workRate,
		dropRank,
	});
const movedRate = (dropRank: number): NumberColumn =>
	bytes({
		id: "moved-rate",
		heading: "COPIED/s",
		meaning: "bytes of entries copied per second",
		value: (row) => row.movedRate,
		dropRank,
	});
const moved = (dropRank: number): NumberColumn =>
	bytes({
		id: "moved",
		heading: "COPIED",
		meaning: "bytes of entries copied since the start",
		value: (row) => row.moved,
		dropRank,
	});
const p50 = (dropRank: number): NumberColumn =>
	duration({
		id: "p50",
		heading: "p50",
		meaning: "half of the growths took less",
		value: ({ detail }) => detail?.durations && quantilesOf(detail.durations).p50,
		dropRank,
	});
const p99 = (dropRank: number): NumberColumn =>
	duration({
		id: "p99",
		heading: "p99",
		meaning: "99 of 100 growths took less",
		value: ({ detail }) => detail?.durations && quantilesOf(detail.durations).p99,
		dropRank,
	});
const max = (dropRank: number): NumberColumn =>
	duration({ id: "max", heading: "LONGEST", meaning: "longest growth", value: (row) => row.maxNs, dropRank });
const time = (dropRank: number): NumberColumn =>
	duration({
		id: "time",
		heading: "TIME",
		meaning: "time in growth since the start",
		value: (row) => row.timeNs,
		dropRank,
	});
const growths = (dropRank: number): NumberColumn =>
	count({ id: "growths", heading: "GROWTHS", meaning: "since the start", value: (row) => row.growths, dropRank });
const maxSlots = (dropRank: number): NumberColumn =>
	count({
		id: "slots",
		heading: "MAX CAP",
		meaning: "slots of the largest map that grew here",
		value: (row) => row.maxSlots,
		dropRank,
		pattern: "00,000",
	});
const iterating = (dropRank: number): NumberColumn =>
	count({
		id: "iter",
		heading: "DURING RANGE",
		meaning: "growths while the map was iterated: seen with --iter, else by the flag of classic maps",
		value: (row) => row.iterating,
		dropRank,
	});
const pid = (dropRank: number): NumberColumn => ({
	...{ kind: "number", text: plainNumber(String), pattern: "0" },
	...{ id: "pid", heading: "PID", meaning: "process", value: (row: Row) => row.pid, dropRank },
});

function cut(text: string, width: number, style?: Style): Span[] {
	const shown = middleEllipsis(text, width);
	return [style === undefined ? { text: shown } : { text: shown, style }];
}

const mapType = (dropRank: number, style?: Style): TextColumn => ({
	...{ kind: "text", id: "type", heading: "TYPE", meaning: "of the map", dropRank, minWidth: 16, weight: 1 },
	value: (row) => sanitize(row.mapType ?? ""),
	spans: (row, width) => cut(sanitize(row.mapType ?? ""), width, style),
});

/** Function and line in at most `width` columns; the function is shortened first. */
function siteSpans(site: NonNullable<Row["site"]>, width: number): Span[] {
	const place = shortPlace(site);
	const room = width - displayWidth(place) - 1;
	if (place === "" || site.fn === "" || room < 8) return cut(shortSite(site), width);
	return [
		{ text: middleEllipsis(shortFunction(site.fn), room), style: "accent" },
		{ text: ` ${place}`, style: "dim" },
	];
}

const site = (heading = "SITE"): TextColumn => ({
	...{ kind: "text", id: "site", heading, meaning: "function and line that made the map grow" },
	...{ dropRank: 0, minWidth: 30, weight: 1.5 },
	value: (row) => (row.site === undefined ? "" : shortSite(row.site)),
	spans: (row, width) => (row.site === undefined ? [] : siteSpans(row.site, width)),
});

const startFunction = (): TextColumn => ({
	...{ kind: "text", id: "runs", heading: "RUNS", meaning: "function that the goroutine began with" },
	...{ dropRank: 0, minWidth: 16, weight: 1 },
	value: (row) => (row.startFn === undefined ? DASH : shortFunction(row.startFn)),
	spans: (row, width) => cut(row.startFn === undefined ? DASH : shortFunction(row.startFn), width, "accent"),
});

const createdBy = (): TextColumn => ({
	...{ kind: "text", id: "started-by", heading: "STARTED BY", meaning: "go statement that started it" },
	...{ dropRank: 3, minWidth: 18, weight: 1 },
	value: (row) => (row.createdBy === undefined ? DASH : shortSite(row.createdBy)),
	spans: (row, width) => cut(row.createdBy === undefined ? DASH : shortSite(row.createdBy), width),
});

const ENDED = " (ended)";

const processName = (): TextColumn => ({
	...{ kind: "text", id: "process", heading: "PROCESS", meaning: "its name", dropRank: 0, minWidth: 16, weight: 1 },
	value: (row) => sanitize(row.processName ?? "") + (row.ended ? ENDED : ""),
	spans: (row, width) => {
		const name = sanitize(row.processName ?? "");
		if (!row.ended) return cut(name, width, "accent");
		return [{ text: `${middleEllipsis(name, width - ENDED.length)}${ENDED}`, style: "dim" }];
	},
});

const goVersion = (): TextColumn => ({
	...{ kind: "text", id: "go", heading: "GO", meaning: "version and kind of maps" },
	...{ dropRank: 3, minWidth: 14, weight: 1 },
	value: (row) => sanitize(row.goVersion ?? ""),
	spans: (row, width) => cut(sanitize(row.goVersion ?? ""), width),
});

const goroutineId = (): NumberColumn => ({
	...{ kind: "number", text: plainNumber(String), pattern: "0", dropRank: 0 },
	...{ id: "goroutine", heading: "GOROUTINE", meaning: "its number", value: (row: Row) => row.goid },
});

const from = (): NumberColumn =>
	count({
		id: "from",
		heading: "FROM",
		meaning: "slots before its first growth that was seen",
		value: (row) => row.slotsFirst,
		dropRank: 0,
		pattern: "0,000",
	});
const to = (): NumberColumn =>
	count({
		id: "to",
		heading: "TO",
		meaning: "slots after its last growth",
		value: (row) => row.slotsLast,
		dropRank: 0,
	});
const entries = (dropRank: number): NumberColumn =>
	count({
		id: "entries",
		heading: "ENTRIES",
		meaning: "entries now; at its last growth where it is not there any more",
		value: (row) => row.now?.entries ?? row.entries,
		dropRank,
		pattern: "00,000",
	});
/** Of call sites: of the largest map that grew there. In the heap: of the map. */
const entriesNow = (dropRank: number): NumberColumn =>
	count({
		...{
			id: "entries",
			heading: "ENTRIES",
			optional: true,
			meaning: "entries now; of a call site those of the largest map that grew there",
		},
		...{ value: (row) => row.now?.entries, dropRank, pattern: "00,000" },
	});
const slotsNow = (dropRank: number): NumberColumn =>
	count({
		...{ id: "slots-now", heading: "SLOTS", optional: true, meaning: "its slots now" },
		...{ value: (row) => row.now?.slots, dropRank, pattern: "00,000" },
	});
const fill = (dropRank: number): NumberColumn => ({
	...{ kind: "number", text: plainNumber((share) => `${Math.floor(100 * share)} %`), pattern: "00 %" },
	...{ id: "fill", heading: "FILL", optional: true, meaning: "entries of all slots now", dropRank },
	value: ({ now }) => (now === undefined || now.slots === 0 ? undefined : now.entries / now.slots),
});
const held = (dropRank: number): NumberColumn =>
	bytes({
		...{ id: "held", heading: "BYTES", optional: true, meaning: "memory of the map now" },
		...{ value: (row) => row.now?.bytes, dropRank },
	});
const last = (dropRank: number): NumberColumn => ({
	...{ kind: "number", text: plainNumber(clockText), pattern: "0" },
	...{ id: "last", heading: "LAST", meaning: "when it grew last, on the clock of this run" },
	...{ value: (row: Row) => row.lastNs, dropRank },
});

const heldBy = (): TextColumn => ({
	...{ kind: "text", id: "held-by", heading: "HELD BY", dropRank: 0, minWidth: 24, weight: 1.5 },
	meaning: "global variable, chain of fields, or goroutine that leads to it",
	value: heldByText,
	spans: (row, width) => cut(heldByText(row), width, "accent"),
});

function heldByText({ found }: Row): string {
	return [found?.note ?? "", sanitize(found?.heldBy ?? "", 4096)].filter(Boolean).join(" · ");
}

/** Minutes and seconds since the start, with tenths. */
export function clockText(ns: number): string {
	const tenths = Math.floor(ns / 1e8);
	const seconds = `${Math.floor(tenths / 10) % 60}`.padStart(2, "0");
	return `${`${Math.floor(tenths / 600)}`.padStart(2, "0")}:${seconds}.${tenths % 10}`;
}

const COLUMNS: Record<TableName, (several: boolean) => Column[]> = {
	sites: () => [
		...[growRate(0), workRate(5), movedRate(2), p50(4), p99(1)],
		...[maxSlots(3), entriesNow(11), slotsNow(12), fill(8), held(6), iterating(7), growths(10), time(13)],
		...[mapType(9), site()],
	],
	types: () => [
		...[growRate(0), workRate(5), movedRate(2), p50(4), p99(1)],
		...[maxSlots(3), iterating(8), growths(6), time(7), { ...mapType(0, "accent"), minWidth: 28 }],
	],
	maps: (several) => [
		...[growths(0), from(), to(), entries(4), fill(5), held(2), moved(6), time(7), last(3)],
		...(several ? [pid(8)] : []),
		...[mapType(1, "accent"), site("GREW AT")],
	],
	goroutines: (several) => [
		...[growRate(1), growths(0), moved(4), time(2), max(5), last(6)],
		...[...(several ? [pid(1)] : []), goroutineId(), startFunction(), createdBy()],
	],
	processes: () => [
		...[growRate(0), workRate(4), movedRate(1), p50(6), p99(2), growths(5), time(7)],
		...[pid(0), processName(), goVersion()],
	],
	heap: (several) => [
		...[held(0), entriesNow(2), slotsNow(3), fill(1)],
		...(several ? [pid(4)] : []),
		...[mapType(0, "accent"), heldBy()],
	],
};

/** `several`: more than one process is observed, so that rows say whose they are. */
export function columnsOf(table: TableName, several: boolean): Column[] {
	return COLUMNS[table](several);
}

/** Those that have something to show in these rows. */
export function filledColumns(columns: readonly Column[], rows: readonly Row[]): Column[] {
	return columns.filter(({ optional, value }) => optional !== true || rows.some((row) => value(row) !== undefined));
}

/** What the rows of a table are, one and several. */
export const ROW_NOUNS: Record<TableName, readonly [one: string, several: string]> = {
	sites: ["call site", "call sites"],
	types: ["map type", "map types"],
	maps: ["map", "maps"],
	goroutines: ["goroutine", "goroutines"],
	processes: ["process", "processes"],
	heap: ["map", "maps"],
};

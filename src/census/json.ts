/** A census as JSON, one map a line, so that two million of them are never in memory as text. */
import type { Census } from "./census.ts";
import { FLAG } from "./map-table.ts";
import type { CensusHead, MapGroupRecord, MapRecord } from "./record.ts";
import type { Group } from "./select.ts";
import type { MapTyping } from "./typing.ts";

/** UTF-16 units that are written at once. */
const PIECE = 1 << 16;
/** Less than this is not worth a field. */
const MIN_WASTE = 1024;

/** What many maps have in common as JSON, without its braces: made once for each. */
export class MapLines {
	readonly #census: Census;
	readonly #typings = new Map<number, string>();
	readonly #holders = new Map<number, string>();

	constructor(census: Census) {
		this.#census = census;
	}

	/** The MapRecord of a row as JSON; undefined for what is no map. */
	line(row: number): string | undefined {
		const { table, holders, typings, impl, referencesKnown } = this.#census;
		const typing = typings.of(table, row);
		if (typing === undefined) return undefined;
		const tombstones = table.word("tombstones", row);
		const growing = table.has(row, FLAG.growing) ? table.growing.get(row) : undefined;
		const holder = holders.of(row);
		let line = `{"address":"0x${table.float("address", row).toString(16)}",${this.#typing(typing)}`;
		line += `,"entries":${table.word("entries", row)},"slots":${table.word("groups", row) * 8}`;
		line += `,"bytes":${table.word("bytes", row)}`;
		const waste = this.#census.wasteOf(row);
		if (waste >= MIN_WASTE) line += `,"reclaimable_bytes":${waste}`;
		if (tombstones > 0) line += `,"${impl === "swiss" ? "tombstones" : "overflow_buckets"}":${tombstones}`;
		if (growing !== undefined) line += `,"growing":${JSON.stringify(growing)}`;
		if (table.has(row, FLAG.changing)) line += ',"changing":true';
		if (referencesKnown) line += `,"referenced":${table.has(row, FLAG.referenced)}`;
		if (holder >= 0) line += this.#holder(holder);
		return `${line}}`;
	}

	#typing(typing: MapTyping): string {
		let text = this.#typings.get(typing.number);
		if (text === undefined) {
			const { type, certainty, candidates, key, elem } = typing;
			const record: Partial<MapRecord> = {
				...(type === undefined ? {} : { type }),
				certainty,
				...(candidates === undefined ? {} : { candidates: [...candidates.names] }),
				...(key === undefined ? {} : { key }),
				...(elem === undefined ? {} : { elem }),
			};
			text = JSON.stringify(record).slice(1, -1);
			this.#typings.set(typing.number, text);
		}
		return text;
	}

	#holder(number: number): string {
		let text = this.#holders.get(number);
		if (text === undefined) {
			const holder = this.#census.holders.get(number);
			text = holder === undefined ? "" : `,"holder":${JSON.stringify(holder)}`;
			this.#holders.set(number, text);
		}
		return text;
	}
}

export function groupLine(census: Census, { typing, holder, maps, entries, slots, bytes }: Group): string {
	const found = holder === undefined ? undefined : census.holders.get(holder);
	const record: MapGroupRecord = {
		type: typing.text,
		...(found === undefined ? {} : { holder: found }),
		...{ maps, entries, slots, bytes },
	};
	return JSON.stringify(record);
}

/** Gives the whole object to `write` in pieces; stops when it returns false. */
export function writeJson<T>(
	head: CensusHead,
	name: "maps" | "groups",
	items: ArrayLike<T>,
	lineOf: (item: T) => string | undefined,
	write: (text: string) => boolean,
	lines: boolean,
): boolean {
	const gap = lines ? "\n" : "";
	let pending = `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
	let first = true;
	for (let i = 0; i < items.length; i++) {
		const line = lineOf(items[i] as T);
		if (line === undefined) continue;
		pending += `${first ? "" : ","}${gap}${line}`;
		first = false;
		if (pending.length >= PIECE) {
			if (!write(pending)) return false;
			pending = "";
		}
	}
	return write(`${pending}${gap}]}\n`);
}

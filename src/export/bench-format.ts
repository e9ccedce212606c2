/**
 * Windows of a recording in Go's benchmark format (golang.org/design/14313-benchmark-format): a line per call site and window, so that
 * benchstat has samples to compare. No line numbers, which change with every edit, and no unit ns, which it would rescale.
 */
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import { type Figure, isPrintable } from "../records/figure.ts";
import type { GomapgrowRecord, StartRecord, WindowRecord } from "../records/records.ts";
import { shortFunction } from "../text/go-names.ts";

/** Rows of their own, and windows: an hour of seconds. */
const MAX_ROWS = 200;
const MAX_WINDOWS = 3600;
/** A window shorter than this part of the usual one, the last one, gives no rate. */
const LEAST_WINDOW = 0.5;
const NS = 1e9;

/** Per second; undefined: not measured in that window. */
interface Rates {
	growths: number | undefined;
	bytes: number | undefined;
}

interface Sums {
	growths: number;
	bytes: number;
	measured: boolean;
}

/** benchstat reads `/key=value` of names, and blanks end them. */
function namePart(text: string): string {
	return sanitize(text).replaceAll(/\s+/g, "_").replaceAll("/", "∕");
}

function numberOf(figure: Figure | undefined): number | undefined {
	if (figure === undefined || !isPrintable(figure)) return undefined;
	return typeof figure === "number" ? figure : figure.estimate;
}

export class BenchFormat {
	readonly #rows = new FoldingTable<string, (Rates | undefined)[]>(MAX_ROWS, OTHER, () => []);
	readonly #all: Rates[] = [];
	#usualNs = 0;
	/** Windows that were left out: too many. */
	leftOut = 0;

	/** Several recordings add windows to the same rows. */
	add(record: GomapgrowRecord): void {
		if (record.type === "window") this.#addWindow(record);
	}

	#addWindow(window: WindowRecord): void {
		const { interval_ns, growths, bytes } = window;
		this.#usualNs = Math.max(this.#usualNs, interval_ns);
		if (interval_ns < LEAST_WINDOW * this.#usualNs || interval_ns <= 0) return;
		if (this.#all.length >= MAX_WINDOWS) {
			this.leftOut++;
			return;
		}
		const perSecond = (figure: Figure | undefined) => {
			const number = numberOf(figure);
			return number === undefined ? undefined : (number * NS) / interval_ns;
		};
		const at = this.#all.length;
		this.#all.push({ growths: perSecond(growths), bytes: perSecond(bytes) });
		const sums = new Map<string, Sums>();
		for (const row of window.sites) {
			const key = row.fn === OTHER ? OTHER : `${namePart(shortFunction(row.fn))}/type=${namePart(row.map_type)}`;
			const sum = sums.get(key) ?? { growths: 0, bytes: 0, measured: true };
			sums.set(key, sum);
			const [grown, allocated] = [numberOf(row.growths), numberOf(row.bytes)];
			// A row that has only growth work did not grow, as long as growths were measured.
			if (row.growths !== undefined && grown === undefined) sum.measured = false;
			sum.growths += grown ?? 0;
			sum.bytes += allocated ?? 0;
		}
		for (const [key, { growths: sum, bytes: sumBytes, measured }] of sums) {
			if (!measured || growths === undefined) continue;
			this.#rows.getOrAdd(key, () => [])[at] = {
				growths: (sum * NS) / interval_ns,
				bytes: (sumBytes * NS) / interval_ns,
			};
		}
	}

	/** `start`: of the first recording, where it has one. */
	text(start: Pick<StartRecord, "arch"> | undefined): string {
		const lines = ["goos: linux"];
		if (start !== undefined) lines.push(`goarch: ${namePart(start.arch)}`);
		lines.push("Unit growths/s better=lower", "Unit allocated-B/s better=lower");
		const line = (name: string, rates: Rates | undefined) => {
			if (rates?.growths === undefined) return;
			const bytes = rates.bytes === undefined ? "" : ` ${Math.round(rates.bytes)} allocated-B/s`;
			lines.push(`BenchmarkMaps/site=${name} 1 ${Number(rates.growths.toFixed(3))} growths/s${bytes}`);
		};
		for (const [at, all] of this.#all.entries()) {
			// A site without a row did not grow in a window whose growths were all counted.
			const nothing: Rates | undefined = all.growths === undefined ? undefined : { growths: 0, bytes: 0 };
			for (const [key, rates] of this.#rows.entries()) line(key, rates[at] ?? nothing);
			line("all", all);
		}
		return lines.map((text) => `${text}\n`).join("");
	}
}

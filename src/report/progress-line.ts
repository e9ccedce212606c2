import { sanitize } from "../lib/sanitize.ts";
import { type Figure, scaleFigure } from "../records/figure.ts";
import { COUNT, RATE, shortText } from "../text/figure-text.ts";
import { formatBytes, formatClock, perSecond } from "../text/units.ts";
import { displayWidth, endEllipsis, middleEllipsis } from "../text/width.ts";

export interface Progress {
	/** Of the file that is written. */
	path: string;
	/** Since the start. */
	elapsedNs: number;
	/** Length and growths of the last window; undefined: not measured. */
	intervalNs: number;
	growths: Figure | undefined;
	/** Growths since the start. */
	total: Figure | undefined;
	/** Written so far. */
	bytes: number;
}

/** `recording run.ndjson.gz  01:12  86,688 growths  1,204/s  4.2 MB written  Ctrl-C ends`, in at most `columns`. */
export function progressLine(progress: Progress, columns: number): string {
	const { growths, intervalNs } = progress;
	const rate = growths === undefined ? undefined : scaleFigure(growths, perSecond(1, intervalNs));
	const fields = [
		formatClock(progress.elapsedNs),
		`${shortText(progress.total, COUNT)} growths`,
		`${shortText(rate, RATE)}/s`,
		`${formatBytes(progress.bytes)} written`,
		"Ctrl-C ends",
	];
	// The name gets what the numbers leave; what ends it goes first.
	const room = (): number => columns - displayWidth(["recording", ...fields].join("  ")) - 1;
	while (fields.length > 1 && room() < 12) fields.pop();
	const path = sanitize(progress.path);
	// The folder is the first that nobody needs to see.
	const short = displayWidth(path) <= room() ? path : path.slice(path.lastIndexOf("/") + 1);
	const name = middleEllipsis(short, Math.max(1, room()));
	return endEllipsis([`recording ${name}`, ...fields].join("  "), columns);
}

/** A stack, innermost frame first, as lines. */
import { callSite } from "../gomap/call-site.ts";
import { isMapCode } from "../gomap/functions.ts";
import type { Frame } from "../records/records.ts";
import { shortFunction, shortPlace } from "../text/go-names.ts";
import { displayWidth, middleEllipsis, padEndWidth } from "../text/width.ts";
import type { Line, Style } from "./line.ts";

const INLINED = " ‹inl›";
const MIN_FUNCTION = 16;

function frameStyle(frame: Frame, site: Frame | undefined): Style | undefined {
	if (frame === site) return "accent";
	return isMapCode(frame.fn) || frame.fn.startsWith("runtime.") ? "dim" : undefined;
}

/** Function, whether it was inlined, file and line of each frame. The place that made the map grow stands out. */
export function stackLines(stack: readonly Frame[], truncated: boolean, columns: number): Line[] {
	if (stack.length === 0) return [[{ text: "no stack could be read", style: "dim" }]];
	const site = callSite(stack);
	const frames = stack.map((frame) => ({
		frame,
		fn: frame.fn === "" ? "(unknown)" : shortFunction(frame.fn),
		mark: frame.inlined === true ? INLINED : "",
		place: shortPlace(frame),
	}));
	const place = Math.min(Math.max(...frames.map((frame) => displayWidth(frame.place))), Math.floor(columns / 3));
	const need = Math.max(...frames.map(({ fn, mark }) => displayWidth(fn) + displayWidth(mark)));
	const width = Math.max(MIN_FUNCTION, Math.min(need, columns - place - 4));
	const lines = frames.map(({ frame, fn, mark, place: at }): Line => {
		const name = middleEllipsis(fn, width - displayWidth(mark));
		const style = frameStyle(frame, site);
		const isSite = frame === site;
		return [
			isSite ? { text: "▸ ", style: "accent" } : { text: "  " },
			style === undefined ? { text: name } : { text: name, style },
			{ text: padEndWidth(mark, width - displayWidth(name)), style: "dim" },
			{ text: `  ${middleEllipsis(at, place)}`, style: "dim" },
		];
	});
	if (truncated) lines.push([{ text: "  … the frames below were not recorded", style: "dim" }]);
	return lines;
}

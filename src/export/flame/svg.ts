/** A flame graph as one SVG file: complete without scripts, searchable and zoomable with them, the outermost frames at the bottom. */

import { formatShare, plural } from "../../text/units.ts";
import { displayWidth, endEllipsis } from "../../text/width.ts";
import { xmlText } from "../../text/xml.ts";
import { CATEGORY_TEXT, categoryOf, type FlameCategory, packageOf, shadeOf } from "./category.ts";
import { changeClass, changeStyle } from "./difference.ts";
import script from "./flame-script.js" with { type: "text" };
import { METRIC_TEXT } from "./metric.ts";
import { flameStyle, SHADES } from "./style.ts";
import { depthOf, type FlameGraph, type FlameNode, flameTitle } from "./tree.ts";

export interface SvgOptions {
	/** What was observed, for the second line: "etcd 4711, go1.27.3". */
	subject?: string;
	/** Width without scripts, in pixels; with them the picture takes the width of its window. */
	width?: number;
}

/** Pixels. */
const MARGIN = 16;
const HEADER = 76;
const FOOTER = 58;
const ROW = 21;
const FRAME = 20;
const MIN_WIDTH = 640;
/** Columns of the monospaced font at 11 px, by the widest of the usual fonts (0.602 em). */
const COLUMN = 6.65;
const PADDING = 5;
/** Frames below a quarter of a pixel are left out: thousands of them would be one line. */
const MIN_FRAME = 0.25;
/** Positions are whole parts of the whole, so that the edges of parent and child are equal. */
const PARTS = 1e9;

interface Placed {
	node: FlameNode;
	depth: number;
	start: number;
	end: number;
}

/** The frames that can be seen, parents first, and how many cannot. */
function place(root: FlameNode, width: number): { placed: Placed[]; hidden: number } {
	const placed: Placed[] = [];
	let hidden = 0;
	const least = (MIN_FRAME / width) * PARTS;
	const visit = (node: FlameNode, depth: number, before: number): void => {
		const start = Math.round((before / root.value) * PARTS);
		const end = Math.round(((before + node.value) / root.value) * PARTS);
		if (end - start < least) {
			hidden++;
			return;
		}
		placed.push({ node, depth, start, end });
		let inside = before;
		for (const child of node.children) {
			visit(child, depth + 1, inside);
			inside += child.value;
		}
	};
	if (root.value > 0) visit(root, 0, 0);
	return { placed, hidden };
}

function colorClass(node: FlameNode): string {
	if (node.before !== undefined) return changeClass(node);
	const category = categoryOf(node);
	const shade = category === "all" ? 0 : shadeOf(node.fn === undefined ? node.name : packageOf(node.fn), SHADES);
	return `${category}${shade}`;
}

function rounded(value: number): string {
	return (Math.round(value * 100) / 100).toString();
}

function frameLabel(node: FlameNode): string {
	return node.kind === "inlined" ? `${node.label} ‹inl›` : node.label;
}

/** Between neighbours; narrow frames keep most of their width. */
function gapOf(width: number): number {
	return Math.min(1, width / 5);
}

/** Cut with an ellipsis; nothing where not even two letters would be left. */
function fitted(label: string, columns: number): string {
	if (displayWidth(label) <= columns) return label;
	return columns < 3 ? "" : endEllipsis(label, columns);
}

function frameElement(frame: Placed, graph: FlameGraph, width: number, bottom: number): string {
	const { node, depth, start, end } = frame;
	const room = width - 2 * MARGIN;
	const x = MARGIN + (start / PARTS) * room;
	const w = ((end - start) / PARTS) * room;
	const y = bottom - (depth + 1) * ROW;
	const label = frameLabel(node);
	const text = fitted(label, Math.floor((w - 2 * PADDING) / COLUMN));
	const { format } = METRIC_TEXT[graph.metric];
	const before = node.before === undefined ? "" : `, before ${format(Math.round(node.before))}`;
	const amount = `${format(node.value)}, ${formatShare(node.value, graph.root.value)}${before}`;
	const name = node.kind === "inlined" ? `${node.name} (inlined)` : node.name;
	const kept = text === label ? "" : ` data-l="${xmlText(label)}"`;
	return [
		`<g class="f ${colorClass(node)}${node.kind === "inlined" ? " inl" : ""}" data-p="${start} ${end - start} ${depth}"${kept}>`,
		`<title>${xmlText(name)}\n${xmlText(amount)}</title>`,
		`<rect x="${rounded(x)}" y="${y}" width="${rounded(w - gapOf(w))}" height="${FRAME}" rx="${rounded(Math.min(2.5, w / 4))}"/>`,
		`<text x="${rounded(x + PADDING)}" y="${y + 14}">${xmlText(text)}</text></g>\n`,
	].join("");
}

/** What the colours mean, for those that are in the picture. */
function legend(placed: readonly Placed[], y: number): string {
	const used = new Set(placed.map(({ node }) => categoryOf(node)));
	let x = MARGIN;
	const entries: string[] = [];
	for (const [category, text] of Object.entries(CATEGORY_TEXT)) {
		if (!used.has(category as FlameCategory)) continue;
		entries.push(
			`<rect class="${category}0" x="${x}" y="${y}" width="11" height="11" rx="2.5"/>` +
				`<text class="key" x="${x + 17}" y="${y + 9.5}">${text}</text>`,
		);
		x += Math.round(17 + text.length * COLUMN + 20);
	}
	return entries.join("\n");
}

function changeLegend(y: number): string {
	let x = MARGIN;
	const entry = (name: string, text: string): string => {
		const at = x;
		x += Math.round(17 + text.length * COLUMN + 20);
		return `<g class="${name}"><rect x="${at}" y="${y}" width="11" height="11" rx="2.5"/></g><text class="key" x="${at + 17}" y="${y + 9.5}">${text}</text>`;
	};
	return [entry("up4", "rose, or new"), entry("even0", "as before"), entry("down4", "fell")].join("\n");
}

/** The picture as the text of an SVG document; the same graph gives the same text. */
export function flameSvg(graph: FlameGraph, options: SvgOptions = {}): string {
	const width = Math.max(MIN_WIDTH, Math.round(options.width ?? 1200));
	const { placed, hidden } = place(graph.root, width - 2 * MARGIN);
	const rows = placed.length === 0 ? 3 : depthOf(graph.root);
	const height = HEADER + rows * ROW + FOOTER;
	const bottom = height - FOOTER;
	const compares = graph.root.before !== undefined;
	const [title = "", ...parts] = flameTitle(graph);
	if (options.subject !== undefined) parts.push(options.subject);
	if (hidden > 0) parts.push(`${plural(hidden, "frame")} too narrow to be drawn`);
	const empty =
		placed.length > 0 ? "" : `<text class="dim" x="${MARGIN}" y="${HEADER + ROW}">${xmlText(parts[0] ?? "")}</text>\n`;
	return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" data-width="${width}" data-height="${height}" data-min-width="${MIN_WIDTH}" data-margin="${MARGIN}" data-column="${COLUMN}" data-total="${PARTS}">
<title>${xmlText([title, ...parts].join(" · "))}</title>
<style>${flameStyle()}${compares ? changeStyle() : ""}</style>
<rect class="paper" width="100%" height="100%"/>
<text class="head" x="${MARGIN}" y="34">${xmlText(title)}</text>
<text class="dim" x="${MARGIN}" y="56">${xmlText(parts.join(" · "))}</text>
${empty}${placed.map((frame) => frameElement(frame, graph, width, bottom)).join("")}<text id="details" x="${MARGIN}" y="${bottom + 22}"></text>
${compares ? changeLegend(bottom + 36) : legend(placed, bottom + 36)}
<script><![CDATA[
${script}]]></script>
</svg>
`;
}

/** Two flame graphs compared: what each frame of the new one was before, for red where it rose and blue where it fell. */
import type { FlameGraph, FlameNode } from "./tree.ts";

/** Lines shift with every edit: frames of one function under one parent are compared together. */
function sameFrames(node: FlameNode): string {
	return `${node.kind} ${node.fn ?? node.name}`;
}

function byFrame(nodes: readonly FlameNode[]): Map<string, FlameNode[]> {
	const groups = new Map<string, FlameNode[]>();
	for (const node of nodes) {
		const known = groups.get(sameFrames(node));
		if (known === undefined) groups.set(sameFrames(node), [node]);
		else known.push(node);
	}
	return groups;
}

function compared(now: readonly FlameNode[], base: readonly FlameNode[], scale: number): FlameNode[] {
	const before = byFrame(base);
	return [...byFrame(now)].flatMap(([key, nodes]) => {
		const old = before.get(key) ?? [];
		const sum = (list: readonly FlameNode[]) => list.reduce((total, { value }) => total + value, 0);
		const ratio = sum(nodes) > 0 ? (sum(old) * scale) / sum(nodes) : 0;
		const children = old.flatMap((node) => node.children);
		// What several lines of one function were together is shared out as they are now.
		return nodes.map((node) => ({
			...node,
			before: node.value * ratio,
			children: compared(node.children, children, (scale * node.value) / Math.max(sum(nodes), Number.MIN_VALUE)),
		}));
	});
}

/**
 * The new graph with what its frames were before; `scale`: by how much the base is multiplied, where it was recorded for another time. Frames
 * that are gone are not in it: widths are those of the new graph.
 */
export function differenceGraph(base: FlameGraph, now: FlameGraph, scale: number): FlameGraph {
	const root = {
		...now.root,
		before: base.root.value * scale,
		children: compared(now.root.children, base.root.children, scale),
	};
	return { ...now, root };
}

/** How strong a change is: 0 (none, or within a few percent) to 4. */
export const STRENGTHS = 5;

/** `up3`, `down1`, `even0`: a frame that was not there before is as red as can be. */
export function changeClass({ value, before = 0 }: FlameNode): string {
	if (before <= 0) return `up${STRENGTHS - 1}`;
	const doublings = Math.log2(value / before);
	const strength = Math.min(STRENGTHS - 1, Math.round(Math.abs(doublings) * 4));
	if (strength === 0) return "even0";
	return `${doublings > 0 ? "up" : "down"}${strength}`;
}

const UP = ["", "#f7d9d3", "#f0b3a8", "#e68a7b", "#d95f4e"];
const DOWN = ["", "#d5e2f3", "#abc5e7", "#7fa6d8", "#5486c6"];

/** The colours of changes, for bright and dark screens alike; text on them is dark. */
export function changeStyle(): string {
	const rules = [...UP.entries()].slice(1).map(([at, fill]) => `.up${at} rect{fill:${fill}}`);
	rules.push(
		...[...DOWN.entries()].slice(1).map(([at, fill]) => `.down${at} rect{fill:${fill}}`),
		".even0 rect{fill:#e4e2dd}",
	);
	const text = ["up1", "up2", "up3", "up4", "down1", "down2", "down3", "down4", "even0"].map((name) => `.${name} text`);
	return `${rules.join("\n")}\n${text.join(",")}{fill:#2d2d33}\n`;
}

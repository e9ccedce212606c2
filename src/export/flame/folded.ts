import type { FlameGraph, FlameNode } from "./tree.ts";
import { selfValue } from "./tree.ts";

/**
 * A frame as flamegraph.pl and speedscope read it: `;` separates frames, the last blank of a line the number. `_[i]` marks what was
 * inlined, as flamegraph.pl and the stackcollapse scripts do.
 */
function frameText(node: FlameNode): string {
	return `${node.name.replaceAll(";", ",")}${node.kind === "inlined" ? "_[i]" : ""}`;
}

/** The graph as folded stacks, outermost frame first: `main.main main.go:9;main.put main.go:4;map[int]int 12`, one line for each stack. */
export function foldedText(graph: FlameGraph): string {
	const lines: string[] = [];
	const visit = (node: FlameNode, path: string): void => {
		const value = Math.round(selfValue(node));
		if (value > 0) lines.push(`${path} ${value}\n`);
		for (const child of node.children) visit(child, `${path};${frameText(child)}`);
	};
	for (const child of graph.root.children) visit(child, frameText(child));
	return lines.join("");
}

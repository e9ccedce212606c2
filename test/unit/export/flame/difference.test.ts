import { describe, expect, test } from "bun:test";
import { changeClass, differenceGraph } from "../../../../src/export/flame/difference.ts";
import { flameSvg } from "../../../../src/export/flame/svg.ts";
import { FlameGraphBuilder, type FlameNode } from "../../../../src/export/flame/tree.ts";
import type { GrowthRecord } from "../../../../src/records/records.ts";
import { EXAMPLES } from "../../records/example-records.ts";

const GROWTH = EXAMPLES.find(({ type }) => type === "growth") as GrowthRecord;

/** Growths by the line of main.put. */
function graphOf(lines: Record<number, number>) {
	const builder = new FlameGraphBuilder("growths");
	const { weight: _, stack_truncated: __, ...one } = GROWTH;
	for (const [line, count] of Object.entries(lines)) {
		const stack = [{ fn: "main.put", file: "/src/main.go", line: Number(line) }, { fn: "main.main" }];
		for (let n = 0; n < count; n++) builder.add({ ...one, stack });
	}
	return builder.build();
}

const frames = (node: FlameNode): FlameNode[] => [node, ...node.children.flatMap(frames)];

describe("flame graphs compared", () => {
	test("a function is compared with itself, whatever its line", () => {
		const { root } = differenceGraph(graphOf({ 7: 10 }), graphOf({ 9: 20 }), 1);
		expect(frames(root).map(({ label, value, before }) => [label.split(" ")[0], value, before])).toEqual([
			["all", 20, 10],
			["main.main", 20, 10],
			["main.put", 20, 10],
			[GROWTH.map_type, 20, 10],
		]);
	});

	test("lines of one function share what they were; recordings of other lengths are scaled", () => {
		const { root } = differenceGraph(graphOf({ 7: 10 }), graphOf({ 9: 30, 10: 10 }), 2);
		const puts = frames(root).filter(({ fn }) => fn === "main.put");
		expect(puts.map(({ value, before }) => [value, before])).toEqual([
			[30, 15],
			[10, 5],
		]);
		expect(puts.flatMap(({ children }) => children.map(({ before }) => before))).toEqual([15, 5]);
	});

	test("red is what rose, blue what fell", () => {
		const node = (value: number, before: number) =>
			changeClass({ name: "", label: "", kind: "function", value, before, children: [] });
		expect([node(5, 0), node(20, 10), node(100, 100), node(101, 100), node(10, 20), node(100, 120)]).toEqual([
			"up4",
			"up4",
			"even0",
			"even0",
			"down4",
			"down1",
		]);
		const svg = flameSvg(differenceGraph(graphOf({ 7: 10 }), graphOf({ 9: 20 }), 1));
		expect(svg).toContain("before 10 growths");
		expect(svg).toContain('class="f up4"');
		expect(flameSvg(graphOf({ 9: 20 }))).not.toContain("up4");
	});
});

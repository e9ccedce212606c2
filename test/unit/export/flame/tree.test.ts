import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asciiFlame } from "../../../../src/export/flame/ascii.ts";
import { categoryOf, packageOf } from "../../../../src/export/flame/category.ts";
import { foldedText } from "../../../../src/export/flame/folded.ts";
import { FLAME_METRICS } from "../../../../src/export/flame/metric.ts";
import { flameSvg } from "../../../../src/export/flame/svg.ts";
import {
	depthOf,
	type FlameGraph,
	FlameGraphBuilder,
	type FlameNode,
	flameTitle,
	selfValue,
} from "../../../../src/export/flame/tree.ts";
import { FlameSubject } from "../../../../src/export/flame-subject.ts";
import type { Frame } from "../../../../src/records/records.ts";
import { displayWidth } from "../../../../src/text/width.ts";
import { keptBytes } from "../../../support/memory.ts";
import { expectGolden } from "../../report/golden.ts";
import { frame, growthOf, HOSTILE, LOAD, PLACE, SET, shopGraph, shopRecords, workOf } from "./flame-fixture.ts";

function nodes(node: FlameNode): FlameNode[] {
	return [node, ...node.children.flatMap(nodes)];
}

function find(graph: FlameGraph, name: string): FlameNode[] {
	return nodes(graph.root).filter((node) => node.name === name);
}

function builderOf(...args: ConstructorParameters<typeof FlameGraphBuilder>): FlameGraphBuilder {
	return new FlameGraphBuilder(...args);
}

describe("flame graph", () => {
	test("merges equal frames below equal ones, with the map type as the leaf", () => {
		const graph = shopGraph();
		expect(graph.root.value).toBe(12);
		const [serve] = find(graph, "net/http.(*conn).serve server.go:2009");
		expect(serve?.value).toBe(7);
		expect(serve?.children.map((child) => [child.name, child.value])).toEqual([
			["example.com/shop/checkout.(*Handler).Place place.go:118", 7],
		]);
		expect(serve?.children[0]?.children.map((child) => [child.kind, child.value])).toEqual([
			["function", 4],
			["inlined", 3],
		]);
		const leaves = nodes(graph.root).filter((node) => node.children.length === 0);
		expect(leaves.map((leaf) => leaf.kind)).toEqual(leaves.map(() => "type"));
		expect(find(graph, "map[string]*store.node").map((leaf) => leaf.value)).toEqual([4, 2, 1]);
	});

	test("says where a stack is not whole or not there", () => {
		expect(find(shopGraph(), "(stack truncated)")[0]?.children[0]?.name).toBe(
			"example.com/shop/store.(*Index[go.shape.string]).Add index.go:42",
		);
		expect(find(shopGraph(), "(no stack)")[0]?.children[0]?.name).toBe("map[int]int");
	});

	test("metrics: bytes, bytes moved and time are those of the records", () => {
		expect(shopGraph("bytes").root.value).toBe(10 * 4096 + 2 * 8192);
		expect(shopGraph("moved").root.value).toBe(12 * 2048);
		expect(shopGraph("time").root.value).toBe(12 * 1500);
		expect(shopGraph("work").root.value).toBe(0);
	});

	test("a measurement that is absent adds nothing", () => {
		const { bytes: _, duration_ns: __, ...bare } = growthOf(LOAD, "map[int]int");
		for (const [metric, value] of [
			["growths", 1],
			["bytes", 0],
			["time", 0],
		] as const) {
			const builder = builderOf(metric);
			builder.add(bare);
			expect(builder.build()).toMatchObject({ root: { value }, records: value });
		}
	});

	test("work is weighted, evacuate inside growWork is not counted again, and the title says that it was sampled", () => {
		const records = [
			workOf(LOAD, "map[int]int"),
			workOf(SET, "map[int]int", { weight: 1, slow: true, duration_ns: 90_000 }),
			workOf(LOAD, "map[int]int", { fn: "runtime.evacuate_faststr" }),
		];
		const work = builderOf("work");
		const time = builderOf("time");
		for (const record of [...records, growthOf(LOAD, "map[int]int")]) {
			work.add(record);
			time.add(record);
		}
		expect(work.build()).toMatchObject({ root: { value: 65 }, records: 2, weighted: true });
		expect(time.build().root.value).toBe(64 * 250 + 90_000 + 1500);
		expect(flameTitle(work.build())).toEqual([
			"Calls that move entries of growing maps",
			"65 calls",
			"sampled: each record is weighted by the calls it stands for",
		]);
		expect(flameTitle(shopGraph())).toEqual(["Map growths", "12 growths"]);
		expect(flameTitle(builderOf("work").build())[1]).toBe("no work call was recorded with its stack");
	});

	test("several processes each have a frame, one has none", () => {
		const builder = builderOf("growths");
		builder.addProcess(4711, "etcd\u001b[31m");
		builder.add(growthOf(LOAD, "map[int]int"));
		expect(builder.build().root.children[0]?.name).toBe("main.main main.go:41");
		builder.add(growthOf(LOAD, "map[int]int", { pid: 12 }));
		builder.add(growthOf(LOAD, "map[int]int", { pid: 12 }));
		expect(builder.build().root.children.map((child) => [child.name, child.value])).toEqual([
			["process 12", 2],
			["etcd\\x1b[31m 4711", 1],
		]);
	});

	test("keeps a bounded number of frames and loses nothing of the sum", () => {
		const graph = shopGraph("growths", 8);
		expect(graph.root.value).toBe(12);
		expect(graph.folded).toBeGreaterThan(0);
		expect(nodes(graph.root).filter((node) => node.name !== "(other)").length).toBeLessThanOrEqual(9);
		expect(flameTitle(graph).at(-1)).toMatch(/^too many frames: \d+ growths in "\(other\)"$/);
	});

	test("a stack deeper than any that is recorded stays bounded", () => {
		const deep = Array.from({ length: 100_000 }, (_, index) => frame(`main.f${index % 7}`, "a.go", index));
		const builder = builderOf("growths");
		builder.add(growthOf(deep, "map[int]int"));
		expect(depthOf(builder.build().root)).toBe(1 + 1 + 256 + 1);
		expect(foldedText(builder.build())).toStartWith("(stack truncated);main.f");
	});

	test("any records: each parent is worth its children and itself, and the formats agree on the sum", () => {
		const frames = fc
			.tuple(fc.constantFrom("main.a", "main.b", "net/http.c", "runtime.d;e"), fc.nat(3), fc.boolean())
			.map(([fn, line, inlined]): Frame => frame(fn, "/x/a.go", line, inlined));
		const records = fc.array(fc.tuple(fc.array(frames, { maxLength: 6 }), fc.constantFrom("map[a]b", "map[c]d")));
		fc.assert(
			fc.property(records, fc.nat(30), (list, maxFrames) => {
				const builder = builderOf("growths", { maxFrames });
				for (const [stack, type] of list) builder.add(growthOf(stack, type));
				const graph = builder.build();
				expect(graph.root.value).toBe(list.length);
				for (const node of nodes(graph.root)) expect(selfValue(node)).toBeGreaterThanOrEqual(0);
				const counts = foldedText(graph)
					.split("\n")
					.slice(0, -1)
					.map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
				expect(counts.reduce((sum, count) => sum + count, 0)).toBe(list.length);
			}),
		);
	});
});

describe("200,000 different names of everything", () => {
	const NAMES = 200_000;

	test("processes, frames, types and stacks: the sum is right, and memory within what is stated", () => {
		const { value: graph, bytes } = keptBytes(() => {
			const builder = builderOf("growths");
			for (let pid = 0; pid < NAMES; pid++) {
				builder.addProcess(pid, `name${pid}`);
				builder.add(growthOf([frame(`main.f${pid}`, `/src/f${pid}.go`, pid)], `map[int]T${pid}`, { pid }));
			}
			return { builder, built: builder.build() };
		});
		expect(graph.built.root.value).toBe(NAMES);
		const others = graph.built.root.children.find(({ name }) => name === "(other)");
		expect([graph.built.root.children.length, others?.value]).toEqual([4097, NAMES - 4096]);
		expect(graph.built.folded).toBe(NAMES - 4096);
		expect(graph.built.root.children.some(({ name }) => name === "name17 17")).toBe(true);
		expect(bytes).toBeLessThan(32 << 20);
	});

	test("types of one stack and frames of one process", () => {
		const stack = [frame("main.f", "/src/f.go", 1)];
		const { value: builder, bytes } = keptBytes(() => {
			const builder = builderOf("growths");
			for (let n = 0; n < NAMES; n++) {
				builder.add(growthOf(stack, `map[int]T${n}`));
				builder.add(growthOf([frame(`main.f${n}`, "/src/f.go", n)], "map[int]int"));
			}
			return builder;
		});
		const graph = builder.build();
		expect([graph.root.value, nodes(graph.root).length <= 2 * 50_000]).toEqual([2 * NAMES, true]);
		expect(bytes).toBeLessThan(64 << 20);
	});

	test("names of processes that never grow a map", () => {
		const { bytes } = keptBytes(() => {
			const builder = builderOf("growths");
			for (let pid = 0; pid < NAMES; pid++) builder.addProcess(pid, `name${pid}`);
			return builder;
		});
		expect(bytes).toBeLessThan(4 << 20);
	});

	test("processes of a picture's title are counted up to a bound", () => {
		const subject = new FlameSubject();
		const target = (pid: number) => ({ pid, name: "etcd", go_version: "go1.23.5" });
		for (let n = 0; n < 3; n++) subject.add(target(7));
		const tier = { hits: 2000, recorded: 2000, sampled_out: 0, throttled: 0, lost: 0 };
		expect([subject.text(undefined), subject.text({ ...tier, lost: 1 })]).toEqual([
			...["etcd 7, go1.23.5", "etcd 7, go1.23.5 · 1 growth was lost"],
		]);
		expect(subject.text({ ...tier, recorded: 240, throttled: 1760 })).toEndWith(" · 12 % of the growths recorded");
		for (let pid = 8; pid < 18; pid++) subject.add(target(pid));
		expect(subject.text({ ...tier, lost: 1200 })).toBe("11 processes · 1,200 growths were lost");
		for (let pid = 0; pid < NAMES; pid++) subject.add(target(pid));
		expect(subject.text(undefined)).toBe("more than 65,536 processes");
	});
});

describe("categories", () => {
	test("packages of functions", () => {
		expect(packageOf("example.com/a.b/store.(*Index[go.shape.int]).Add")).toBe("example.com/a.b/store");
		expect(packageOf("main.main.func1.2")).toBe("main");
		expect(packageOf("net/http.HandlerFunc.ServeHTTP")).toBe("net/http");
		expect(packageOf("odd")).toBe("odd");
	});
	test("are told by the package", () => {
		const found = new Map(nodes(shopGraph().root).map((node) => [node.label, categoryOf(node)]));
		expect(found.get("all")).toBe("all");
		expect(found.get("runtime.hashGrow map.go:1139")).toBe("runtime");
		expect(found.get("http.(*conn).serve server.go:2009")).toBe("standard");
		expect(found.get("main.main main.go:41")).toBe("code");
		expect(found.get("store.(*Index[…]).Add index.go:42")).toBe("code");
		expect(found.get("map[int]int")).toBe("type");
	});
});

describe("folded stacks", () => {
	/** As flamegraph.pl splits a line (its main loop) and speedscope does (import/bg-flamegraph.ts). */
	const LINE = /^(.*)\s+?(\d+(?:\.\d*)?)$/;

	test("are read back as the stacks that went in", () => {
		const stacks = foldedText(shopGraph())
			.trimEnd()
			.split("\n")
			.map((line) => {
				const [, stack = "", count] = LINE.exec(line) ?? [];
				return [stack.split(";").length, Number(count)];
			});
		// Frames and the map type; the truncated stack and the missing one have a note more.
		expect(stacks.toSorted()).toEqual(
			[
				[PLACE.length + 1, 4],
				[SET.length + 1, 3],
				[LOAD.length + 1, 2],
				[HOSTILE.length + 1, 1],
				[1 + 3 + 1, 1],
				[2, 1],
			].toSorted(),
		);
	});

	test("golden", () => expectGolden("flame-shop.folded", foldedText(shopGraph())));
	test("nothing gives nothing", () => expect(foldedText(builderOf("work").build())).toBe(""));
});

describe("icicle for the terminal", () => {
	for (const columns of [60, 120]) {
		test(`golden, ${columns} columns`, () =>
			expectGolden(`flame-shop-${columns}.txt`, asciiFlame(shopGraph(), { columns, color: false })));
	}
	test("with colours is the same text", () => {
		const plain = asciiFlame(shopGraph(), { columns: 90, color: false });
		const colored = asciiFlame(shopGraph(), { columns: 90, color: true });
		expect(colored).toContain("\u001b[48;5;");
		const lines = Bun.stripANSI(colored)
			.split("\n")
			.map((line) => line.trimEnd());
		expect(lines).toEqual(
			plain
				.replaceAll("│", " ")
				.split("\n")
				.map((line) => line.trimEnd()),
		);
	});
	test("has no escape codes of its own or of names without colours", () => {
		// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
		expect(asciiFlame(shopGraph(), { columns: 200, color: false })).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
	});
	test("fits any width", () => {
		fc.assert(
			fc.property(fc.integer({ min: 20, max: 300 }), fc.constantFrom(...FLAME_METRICS), (columns, metric) => {
				for (const line of asciiFlame(shopGraph(metric), { columns, color: false }).split("\n")) {
					expect(displayWidth(line)).toBeLessThanOrEqual(columns);
				}
			}),
		);
	});
	test("says that there is nothing", () =>
		expect(asciiFlame(builderOf("time").build(), { columns: 80, color: false })).toBe(
			"Time spent growing maps · no duration was recorded\n",
		));
});

describe("SVG", () => {
	test("golden", () => expectGolden("flame-shop.svg", flameSvg(shopGraph(), { subject: "shop 4711, go1.23.5" })));
	test("golden, sampled work", () => {
		const builder = builderOf("work");
		builder.add(workOf(LOAD, "map[int]int"));
		builder.add(workOf(SET, "map[string][]string", { weight: 32 }));
		return expectGolden("flame-work.svg", flameSvg(builder.build()));
	});
	test("contains no text that is markup, control or script of the observed process", () => {
		const svg = flameSvg(shopGraph(), { subject: "<b>&\u001b" });
		expect(svg).not.toContain("<script>alert");
		expect(svg).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
		expect(svg.split("]]>").length).toBe(2);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
		expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
	});
	test("loads nothing from elsewhere", () => {
		const addresses = flameSvg(shopGraph()).match(/\b(?:https?:)?\/\/[a-z][^\s"'`)]*/g) ?? [];
		expect([...new Set(addresses)].sort()).toEqual(["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"]);
	});
	test("leaves out what cannot be seen, and says so", () => {
		const builder = builderOf("bytes");
		builder.add(growthOf(LOAD, "map[int]int", { bytes: 1e12 }));
		builder.add(growthOf(SET, "map[a]b", { bytes: 1 }));
		const svg = flameSvg(builder.build());
		expect(svg).toContain("1 frame too narrow to be drawn");
		expect(svg).not.toContain("map[a]b");
	});
	test("is a picture of nothing when there is nothing", () => {
		const svg = flameSvg(builderOf("time").build());
		expect(svg).toContain("no duration was recorded");
		expect(svg).not.toContain('class="f ');
	});
	test("the frames of the same file are those of the fixture", () => {
		expect(flameSvg(shopGraph()).match(/<g class="f /g)?.length).toBe(nodes(shopGraph().root).length);
		expect(shopRecords().length).toBe(12);
	});
});

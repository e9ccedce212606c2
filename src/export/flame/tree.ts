/** Stacks with weights, merged into a tree: what every format of flame graph is made from. */

import { BoundedTable, OTHER } from "../../lib/bounded-table.ts";
import { compareText } from "../../lib/compare.ts";
import { sanitize } from "../../lib/sanitize.ts";
import type { Frame } from "../../records/records.ts";
import { shortFile, shortSite } from "../../text/go-names.ts";
import { type FlameMetric, METRIC_TEXT, metricValue, type StackRecord } from "./metric.ts";

/** process: only where several processes are in one graph. note: a stand-in, like "(stack truncated)". */
export type FlameKind = "root" | "process" | "function" | "inlined" | "type" | "note";

export interface FlameNode {
	/** Sanitised: `net/http.(*conn).serve server.go:1995`, a map type, or a note. */
	name: string;
	/** The name without the path of the package and without type arguments. */
	label: string;
	/** Full function name, not sanitised; only of functions. */
	fn?: string;
	kind: FlameKind;
	/** Of this frame and all above it. */
	value: number;
	/** What it was before, of a graph that compares two. */
	before?: number;
	/** Most valuable first, then by name. */
	children: FlameNode[];
}

export interface FlameGraph {
	metric: FlameMetric;
	root: FlameNode;
	/** Records that are in it. */
	records: number;
	/** Samples that stand for more than one call each were weighted. */
	weighted: boolean;
	/** Part of the value for which no frames of its own were kept, because the graph had too many. */
	folded: number;
}

export interface FlameOptions {
	/** Most frames that are kept; what is beyond goes to frames named "(other)". */
	maxFrames?: number;
}

/** Deeper than what is recorded live (64): a bound for recordings that somebody else wrote. */
const MAX_DEPTH = 256;
/** Processes with frames of their own, and names of processes that are remembered until they have some. */
const MAX_PROCESSES = 4096;
/** Leaves that are remembered of one stack: it has few types and processes. */
const MAX_LEAVES = 64;
const TRUNCATED = "(stack truncated)";
const NO_STACK = "(no stack)";

interface Building {
	name: string;
	label: string;
	fn?: string;
	kind: FlameKind;
	self: number;
	children: Map<string, Building>;
}

function building(kind: FlameKind, name: string, label = name, fn?: string): Building {
	return { name, label, kind, self: 0, children: new Map(), ...(fn === undefined ? {} : { fn }) };
}

/** `fn file.go:42`, as long as it is: a file's name is enough, since a package has no two of the same. */
function frameName(frame: Frame): string {
	const fn = frame.fn === "" ? "(unknown)" : sanitize(frame.fn);
	if (frame.file === undefined) return fn;
	return `${fn} ${shortFile(frame.file)}${frame.line === undefined ? "" : `:${frame.line}`}`;
}

function processName(pid: number, name = "process"): string {
	return `${sanitize(name)} ${pid}`;
}

/** Frames by name under one parent: an inlined call and a real one of the same line are two. */
function childKey(kind: FlameKind, name: string): string {
	return `${kind} ${name}`;
}

/**
 * Adds records up to a flame graph of one metric. Memory is bounded by the number of frames: each may have one for the
 * rest beside it.
 */
export class FlameGraphBuilder {
	readonly #metric: FlameMetric;
	readonly #maxFrames: number;
	readonly #processes = new Map<number, Building>();
	/** Of processes that have no frames yet. */
	readonly #names = new BoundedTable<number, string>(MAX_PROCESSES);
	/** All processes that came when there was no room. */
	#otherProcesses: Building | undefined;
	/** Live stacks are interned, so that this spares the walk for all but the first of them. */
	readonly #leaves = new WeakMap<readonly Frame[], Map<string, Building>>();
	#frames = 0;
	#records = 0;
	#weighted = false;
	#folded = 0;

	constructor(metric: FlameMetric, options: FlameOptions = {}) {
		this.#metric = metric;
		this.#maxFrames = options.maxFrames ?? 50_000;
	}

	/** Names a process; shown only when there are several. */
	addProcess(pid: number, name: string): void {
		const process = this.#processes.get(pid);
		if (process === undefined) this.#names.set(pid, name);
		else process.name = processName(pid, name);
	}

	/** Adds a record; one that has nothing to do with the metric changes nothing. */
	add(record: StackRecord): void {
		const value = metricValue(this.#metric, record);
		if (!(value > 0 && Number.isFinite(value))) return;
		this.#records++;
		if ((record.weight ?? 1) !== 1) this.#weighted = true;
		const leaf = this.#leaf(record);
		leaf.self += value;
		if (leaf.name === OTHER) this.#folded += value;
	}

	#leaf(record: StackRecord): Building {
		const known = this.#leaves.get(record.stack);
		const key = `${record.pid} ${record.stack_truncated === true} ${record.map_type}`;
		const found = known?.get(key);
		if (found !== undefined) return found;
		const leaf = this.#walk(record);
		if (known === undefined) this.#leaves.set(record.stack, new Map([[key, leaf]]));
		else {
			if (known.size >= MAX_LEAVES) known.clear();
			known.set(key, leaf);
		}
		return leaf;
	}

	#walk(record: StackRecord): Building {
		const { stack } = record;
		let node = this.#process(record.pid);
		if (node.name === OTHER) return node;
		if (stack.length === 0) node = this.#child(node, "note", NO_STACK);
		else if (record.stack_truncated === true || stack.length > MAX_DEPTH) node = this.#child(node, "note", TRUNCATED);
		for (const frame of stack.slice(0, MAX_DEPTH).reverse()) {
			if (node.name === OTHER) return node;
			const kind = frame.inlined === true ? "inlined" : "function";
			node = this.#child(node, kind, frameName(frame), frame);
		}
		return node.name === OTHER ? node : this.#child(node, "type", sanitize(record.map_type));
	}

	#process(pid: number): Building {
		const known = this.#processes.get(pid);
		if (known !== undefined) return known;
		if (this.#processes.size >= MAX_PROCESSES || this.#frames >= this.#maxFrames) {
			this.#otherProcesses ??= building("note", OTHER);
			return this.#otherProcesses;
		}
		this.#frames++;
		const process = building("process", processName(pid, this.#names.peek(pid)));
		this.#names.delete(pid);
		this.#processes.set(pid, process);
		return process;
	}

	#child(parent: Building, kind: FlameKind, name: string, frame?: Frame): Building {
		const found = parent.children.get(childKey(kind, name));
		if (found !== undefined) return found;
		if (this.#frames >= this.#maxFrames) {
			const key = childKey("note", OTHER);
			const other = parent.children.get(key) ?? building("note", OTHER);
			parent.children.set(key, other);
			return other;
		}
		this.#frames++;
		const made = frame === undefined ? building(kind, name) : building(kind, name, shortSite(frame), frame.fn);
		parent.children.set(childKey(kind, name), made);
		return made;
	}

	/** The graph so far, as values: later records don't change it. */
	build(): FlameGraph {
		const root = building("root", "all");
		const processes = [...this.#processes.values()];
		if (this.#otherProcesses !== undefined) processes.push(this.#otherProcesses);
		const [only, ...others] = processes;
		if (only !== undefined && others.length === 0 && only.kind === "process") root.children = only.children;
		else
			for (const [index, process] of processes.entries())
				root.children.set(`${index}`, { ...process, label: process.name });
		return {
			metric: this.#metric,
			root: finished(root),
			records: this.#records,
			weighted: this.#weighted,
			folded: this.#folded,
		};
	}
}

function finished(node: Building): FlameNode {
	const children = Array.from(node.children.values(), finished).sort(
		(a, b) => b.value - a.value || compareText(a.name, b.name) || compareText(a.kind, b.kind),
	);
	return {
		name: node.name,
		label: node.label,
		...(node.fn === undefined ? {} : { fn: node.fn }),
		kind: node.kind,
		value: children.reduce((sum, child) => sum + child.value, node.self),
		children,
	};
}

/** Part of the frame's value that is not its children's. */
export function selfValue(node: FlameNode): number {
	return node.children.reduce((rest, child) => rest - child.value, node.value);
}

/** Frames on the longest path, the root included. */
export function depthOf(node: FlameNode): number {
	return 1 + node.children.reduce((most, child) => Math.max(most, depthOf(child)), 0);
}

/** What the widths mean, how much it is in all, and whether samples were weighted: `["Map growths", "86,688 growths"]`. */
export function flameTitle(graph: FlameGraph): string[] {
	const { title, format, nothing } = METRIC_TEXT[graph.metric];
	if (graph.root.value <= 0) return [title, nothing];
	const parts = [title, format(graph.root.value)];
	if (graph.weighted) parts.push("sampled: each record is weighted by the calls it stands for");
	if (graph.folded > 0) parts.push(`too many frames: ${format(graph.folded)} in "${OTHER}"`);
	return parts;
}

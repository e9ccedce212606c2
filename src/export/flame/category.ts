import { isMapCode } from "../../gomap/functions.ts";
import type { FlameNode } from "./tree.ts";

/** What a frame's colour says. code: the program's own and its modules'. */
export type FlameCategory = "all" | "code" | "standard" | "runtime" | "type";

export const CATEGORY_TEXT: Record<Exclude<FlameCategory, "all">, string> = {
	code: "program and its modules",
	standard: "standard library",
	runtime: "Go runtime and map code",
	type: "map type",
};

/** Path of the package of a full Go function name: `example.com/a/store.(*Index).Add` -> `example.com/a/store`. */
export function packageOf(fn: string): string {
	const end = fn.search(/[([]/);
	const name = end < 0 ? fn : fn.slice(0, end);
	const dot = name.indexOf(".", name.lastIndexOf("/") + 1);
	return dot < 0 ? name : name.slice(0, dot);
}

/** By the function's package; a module whose path begins like a folder of the standard library cannot be told from it. */
export function categoryOf(node: FlameNode): FlameCategory {
	if (node.kind === "type") return "type";
	if (node.fn === undefined) return "all";
	const path = packageOf(node.fn);
	if (path === "runtime" || /^(runtime|internal)\//.test(path) || isMapCode(node.fn)) return "runtime";
	if (path === "main") return "code";
	return STANDARD.has(path.split("/")[0] ?? "") ? "standard" : "code";
}

/** Top folders of Go's src/ (Go 1.15 to 1.27), without cmd. */
const STANDARD = new Set(
	`archive arena bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash
	html image index io iter log maps math mime net os path plugin reflect regexp simd slices sort strconv strings structs sync
	syscall testing text time unicode unique unsafe vendor weak`.split(/\s+/),
);

/** A number below `count` that depends on the text alone (FNV-1a, 32 bits). */
export function shadeOf(text: string, count: number): number {
	let hash = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
	return hash % count;
}

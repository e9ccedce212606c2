/**
 * A CPU profile that makes the compiler inline growth functions (go build -pgo): each of their calls in the sources of a toolchain is said to
 * be equally hot. Format: github.com/google/pprof/proto/profile.proto; what the compiler reads of it: cmd/compile/internal/pgo.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A call in the source. */
export interface HotCall {
	caller: string;
	/** Line of the caller's declaration. */
	start: number;
	callee: string;
	line: number;
}

const ROOMS = ["runtime", "internal/runtime/maps", "reflect"];
const DECLARATION = /^func (?:\(\w+ (\*?)(\w+)\) )?(\w+)\(/;

/** The calls of functions whose full name matches, in the packages that deal with maps; `read` gives the text of a source. */
export function hotCalls(
	goroot: string,
	callees: readonly string[],
	read: (path: string) => string = (path) => readFileSync(path, "utf8"),
): HotCall[] {
	const found: HotCall[] = [];
	for (const room of ROOMS) {
		const folder = join(goroot, "src", room);
		if (!existsSync(folder)) continue;
		const sources = readdirSync(folder).filter((name) => /^(map|table|runtime|group).*\.go$/.test(name));
		for (const name of sources.filter((file) => !file.endsWith("_test.go"))) {
			found.push(...callsIn(room, read(join(folder, name)), callees));
		}
	}
	return found;
}

function callsIn(room: string, source: string, callees: readonly string[]): HotCall[] {
	const linknames = new Map(
		[...source.matchAll(/^\/\/go:linkname (\w+) (\S+)$/gm)].map(([, local, target]) => [local ?? "", target ?? ""]),
	);
	const found: HotCall[] = [];
	let caller = "";
	let start = 0;
	for (const [index, text] of source.split("\n").entries()) {
		const declared = DECLARATION.exec(text);
		if (declared !== null) {
			const [, star, type, name = ""] = declared;
			const own = type === undefined ? `${room}.${name}` : `${room}.(${star}${type}).${name}`;
			caller = linknames.get(name) ?? own;
			start = index + 1;
			continue;
		}
		for (const callee of callees) {
			const short = callee.slice(callee.lastIndexOf(".") + 1);
			const isMethod = callee.includes("(*");
			const call = isMethod ? new RegExp(`\\.${short}\\(`) : new RegExp(`(^|[^.\\w])${short}\\(`);
			if (caller !== callee && call.test(text.replace(/\/\/.*/, ""))) {
				found.push({ caller, start, callee, line: index + 1 });
			}
		}
	}
	return found;
}

/** The profile's bytes. */
export function inliningProfile(calls: readonly HotCall[]): Uint8Array {
	const strings = new Map<string, number>([["", 0]]);
	const text = (value: string): number => {
		const known = strings.get(value) ?? strings.size;
		strings.set(value, known);
		return known;
	};
	const functions = new Map<string, { id: number; start: number }>();
	const functionId = (name: string, start: number): number => {
		const known = functions.get(name) ?? { id: functions.size + 1, start };
		// A callee's own declaration is of no use: as a caller it is told exactly.
		functions.set(name, { id: known.id, start: Math.max(known.start, start) });
		return known.id;
	};
	const locations: Uint8Array[] = [];
	const samples: Uint8Array[] = [];
	const location = (fn: number, line: number): number => {
		const id = locations.length + 1;
		locations.push(message([1, id], [4, message([1, fn], [2, line])]));
		return id;
	};
	const types = [
		[text("samples"), text("count")],
		[text("cpu"), text("nanoseconds")],
	] as const;
	for (const { caller, start, callee, line } of calls) {
		const leaf = location(functionId(callee, 0), 1);
		const outer = location(functionId(caller, start), line);
		samples.push(message([1, leaf], [1, outer], [2, 1000], [2, 1_000_000]));
	}
	const bytes = message(
		...types.map(([type, unit]): Field => [1, message([1, type], [2, unit])]),
		...samples.map((sample): Field => [2, sample]),
		...locations.map((place): Field => [4, place]),
		...[...functions].map(
			([name, { id, start }]): Field => [
				5,
				message([1, id], [2, text(name)], [3, text(name)], [4, text("x.go")], [5, start]),
			],
		),
		...[...strings.keys()].map((value): Field => [6, new TextEncoder().encode(value)]),
	);
	return gzipSync(bytes);
}

type Field = readonly [number: number, value: number | Uint8Array];

/** Protocol buffers: varints, and bytes with their length. */
function message(...fields: readonly Field[]): Uint8Array {
	return Buffer.concat(
		fields.flatMap(([number, value]) =>
			typeof value === "number"
				? [varint(number * 8), varint(value)]
				: [varint(number * 8 + 2), varint(value.length), value],
		),
	);
}

function varint(value: number): Uint8Array {
	const bytes: number[] = [];
	let rest = value;
	for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
	bytes.push(rest);
	return Uint8Array.from(bytes);
}

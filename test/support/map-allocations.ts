/** A generated Go program that measures with runtime.MemStats what maps of many types take: what formulas are compared with. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goTool, run } from "./go-binaries.ts";
import { temporaryFolder } from "./processes.ts";

/** Key and element. Up to 128 bytes they are in the map itself. */
export const MAP_TYPES: readonly (readonly [key: string, elem: string])[] = [
	...[1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 100, 128].map((size) => ["int64", `[${size}]byte`] as const),
	...[
		"bool",
		"int32",
		"string",
		"*int",
		"[]byte",
		"interface{}",
		"struct{}",
		"[3]string",
		"[7]string",
		"[200]byte",
	].map((elem) => ["string", elem] as const),
	...(["int8", "int16", "uint32", "float64", "[2]int32", "[5]string", "[2]string"] as const).map(
		(key) => [key, key === "[2]int32" ? "[6]uint64" : "uint64"] as const,
	),
	...([
		["[128]byte", "[128]byte"],
		["*int", "*int"],
		["interface{}", "bool"],
	] as const),
];

/** What one type and hint took: make alone, then filling with so many entries. Header included. */
export interface Measured {
	key: string;
	elem: string;
	/** Bytes of one bucket (classic) and of one group (swiss), by the compiler. */
	bucket: number;
	group: number;
	pointers: boolean;
	hint: number;
	made: number;
}

/** Lines of Go for one type. `hints` are read in a loop. */
function typeCode([key, elem]: readonly [string, string], index: number): string {
	// Beyond 128 bytes a pointer is stored.
	const stored = (type: string): string => (type === "[200]byte" ? "*[200]byte" : type);
	const pointers = /string|\*|interface|\[\]byte/.test(`${key} ${elem}`) || elem === "[200]byte";
	return `
type bucket${index} struct { top [8]uint8; keys [8]${key}; elems [8]${stored(elem)}; overflow unsafe.Pointer }
type slot${index} struct { key ${key}; elem ${stored(elem)} }
type group${index} struct { ctrl uint64; slots [8]slot${index} }
var sink${index} map[${key}]${elem}
func type${index}() {
	b, g := unsafe.Sizeof(bucket${index}{}), unsafe.Sizeof(group${index}{})
	for _, hint := range hints {
		made := least(func() { sink${index} = make(map[${key}]${elem}, hint) })
		fmt.Printf("${index} %d %d ${pointers} %d %d\\n", b, g, hint, made)
		sink${index} = nil
	}
}
`;
}

const program = (hints: readonly number[]): string => `package main
import ("fmt"; "runtime"; "runtime/debug"; "unsafe")
var hints = []int{${hints.join(", ")}}
var before, after runtime.MemStats
func take(f func()) uint64 {
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
// The runtime allocates for itself, too, now and then.
func least(f func()) uint64 {
	a := take(f)
	for i := 0; i < 2; i++ { if b := take(f); b < a { a = b } }
	return a
}
${MAP_TYPES.map(typeCode).join("")}
func fill(n int, hint int) (uint64, uint64) {
	a := take(func() { ints = make(map[int]int, hint); for i := 0; i < n; i++ { ints[i*7919] = i } })
	b := take(func() { texts = make(map[string]string, hint); for i := 0; i < n; i++ { texts[keys[i]] = "x" } })
	return a, b
}
var ints map[int]int
var texts map[string]string
var keys [40000]string
func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	${MAP_TYPES.map((_, index) => `type${index}()`).join("\n\t")}
	for i := range keys { keys[i] = fmt.Sprintf("key-%d", i*7919) }
	for _, c := range [][3]int{${FILLS.map(([hint, entries, repeat]) => `{${hint}, ${entries}, ${repeat}}`).join(", ")}} {
		var a, b uint64
		for i := 0; i < c[2]; i++ { x, y := fill(c[1], c[0]); a += x; b += y }
		fmt.Printf("fill %d %d %d %d %d\\n", c[0], c[1], c[2], a, b)
	}
}
`;

/** Hint, entries, how often. */
export const FILLS: readonly (readonly [hint: number, entries: number, repeat: number])[] = [
	...[0, 1, 8, 9, 13, 14, 15, 26, 27, 100, 208, 448, 500].map((n) => [0, n, 100] as const),
	...[900, 1000, 1664, 2000, 3000, 6000].map((n) => [0, n, 20] as const),
	...[12_000, 30_000].map((n) => [0, n, 4] as const),
	...[16, 100, 832, 897, 1500, 3000, 6800, 7000].flatMap((h) => [
		[h, 4, 20] as const,
		[h, h, 20] as const,
		[h, 3000, 20] as const,
	]),
];

export interface Filled {
	hint: number;
	entries: number;
	repeat: number;
	/** Of map[int]int and map[string]string, all repetitions together. */
	ints: number;
	texts: number;
}

/** Builds and runs it. Throws when the compiler refuses it. */
export function measureMaps(version: string, hints: readonly number[]): { made: Measured[]; filled: Filled[] } {
	const folder = temporaryFolder(`map-allocations-${version}`);
	try {
		const source = join(folder, "main.go");
		const output = join(folder, "main");
		writeFileSync(source, program(hints));
		goTool(version, ["build", "-o", output, source]);
		const lines = run([output])
			.trim()
			.split("\n")
			.map((line) => line.split(" "));
		const made = lines.flatMap(([index = "", bucket, group, pointers, hint, bytes]): Measured[] => {
			const [key, elem] = MAP_TYPES[Number(index)] ?? [];
			if (key === undefined || elem === undefined) return [];
			return [
				{
					...{ key, elem, bucket: Number(bucket), group: Number(group), pointers: pointers === "true" },
					...{ hint: Number(hint), made: Number(bytes) },
				},
			];
		});
		const filled = lines
			.filter(([word]) => word === "fill")
			.map(([, hint, entries, repeat, ints, texts]) => ({
				...{ hint: Number(hint), entries: Number(entries), repeat: Number(repeat) },
				...{ ints: Number(ints), texts: Number(texts) },
			}));
		return { made, filled };
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

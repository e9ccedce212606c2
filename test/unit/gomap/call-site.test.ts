import { expect, test } from "bun:test";
import { callSite } from "../../../src/gomap/call-site.ts";
import { isMapCode } from "../../../src/gomap/functions.ts";

const stack = (...names: string[]) => names.map((fn) => ({ fn }));

test("the call site is the first frame outside Go's map code", () => {
	// Stacks as seen in programs built with Go 1.15 to 1.27.
	const cases: [string[], string][] = [
		[["runtime.hashGrow", "runtime.mapassign_fast64", "main.put", "main.main"], "main.put"],
		[["runtime.evacuate_fast64", "runtime.growWork_fast64", "runtime.mapdelete_fast64", "main.drop"], "main.drop"],
		[["internal/runtime/maps.(*table).rehash", "runtime.mapassign_faststr", "main.main"], "main.main"],
		[
			[
				"internal/runtime/maps.(*Map).growToTable",
				"runtime.mapassign",
				"reflect.mapassign0",
				"reflect.mapassign",
				"reflect.Value.SetMapIndex",
				"encoding/json.(*decodeState).object",
			],
			"encoding/json.(*decodeState).object",
		],
		[["runtime.mapassign_faststr", "reflect.mapassign_faststr0", "reflect.Value.SetMapIndex", "x.f"], "x.f"],
		[["runtime.mapassign_faststr", "maps.Copy[go.shape.map[string]int,go.shape.string]", "main.copy"], "main.copy"],
		[["runtime.mapassign", "unicode.init", "runtime.doInit", "runtime.main"], "unicode.init"],
		[["runtime.mapassign", "runtime.doInit1", "runtime.main"], "runtime.doInit1"],
	];
	for (const [names, site] of cases) expect(callSite(stack(...names))?.fn).toBe(site);
});

test("a user's package may be called maps", () => {
	expect(isMapCode("example.com/lib/maps.Put")).toBe(false);
	expect(isMapCode("maps.Insert[go.shape.int]")).toBe(true);
	expect(isMapCode("mapstructure.Decode")).toBe(false);
	expect(isMapCode("reflect.Value.Set")).toBe(false);
	expect(isMapCode("runtime.mallocgc")).toBe(false);
});

test("a stack of map code only gives its outermost frame, an empty one none", () => {
	expect(callSite(stack("runtime.hashGrow", "runtime.mapassign"))?.fn).toBe("runtime.mapassign");
	expect(callSite([])).toBeUndefined();
});

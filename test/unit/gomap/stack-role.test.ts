/** What map code on a stack is doing. Names are those that linkers give (go tool nm), of both map implementations. */
import { describe, expect, test } from "bun:test";
import { mapWork } from "../../../src/gomap/stack-role.ts";

const stack = (...names: string[]) => names.map((fn) => ({ fn }));

describe("map code", () => {
	test.each<[string[], string, string]>([
		[["runtime.hashGrow", "runtime.mapassign_fast64"], "growth", "runtime.hashGrow"],
		[
			["runtime.evacuate_faststr", "runtime.growWork_faststr", "runtime.mapdelete_faststr"],
			"growth",
			"runtime.evacuate_faststr",
		],
		[
			["runtime.mallocgc", "runtime.makeBucketArray", "runtime.hashGrow", "runtime.mapassign"],
			"growth",
			"runtime.hashGrow",
		],
		[
			[
				"internal/runtime/maps.newTable",
				"internal/runtime/maps.(*table).split",
				"internal/runtime/maps.(*table).rehash",
			],
			"growth",
			"internal/runtime/maps.(*table).split",
		],
		[
			["internal/runtime/maps.(*Map).growToTable", "runtime.mapassign_fast32"],
			"growth",
			"internal/runtime/maps.(*Map).growToTable",
		],
		[["runtime.mapiternext"], "iteration", "runtime.mapiternext"],
		[["internal/runtime/maps.(*Iter).Next", "runtime.mapIterNext"], "iteration", "internal/runtime/maps.(*Iter).Next"],
		[["reflect.mapiternext", "reflect.(*MapIter).Next"], "iteration", "reflect.mapiternext"],
		[["runtime.mapaccess2_faststr"], "access", "runtime.mapaccess2_faststr"],
		[["runtime.evacuated", "runtime.mapiternext"], "iteration", "runtime.mapiternext"],
		[
			["internal/runtime/maps.(*table).pruneTombstones", "runtime.mapassign_fast64"],
			"growth",
			"internal/runtime/maps.(*table).pruneTombstones",
		],
		[["runtime.makemap_small"], "access", "runtime.makemap_small"],
		[
			["internal/runtime/maps.(*Map).growToSmall", "runtime.mapassign"],
			"access",
			"internal/runtime/maps.(*Map).growToSmall",
		],
	])("%j", (names, role, fn) => {
		const work = mapWork(stack(...names, "main.user", "main.main"));
		expect(work).toEqual({ role: role as never, fn, site: { fn: "main.user" } });
	});

	test("is not in every stack", () => {
		expect(mapWork(stack("runtime.gopark", "main.mapper", "main.main"))).toBeUndefined();
		expect(mapWork([])).toBeUndefined();
	});
});

import { describe, expect, test } from "bun:test";
import { wrapperRanges } from "../../../src/gomap/wrappers.ts";

const at = (name: string, entry: number, end: number) => ({ name, entry, end });

describe("ranges of wrappers", () => {
	test("are those of map code; neighbours are one", () => {
		const functions = [
			at("reflect.Value.SetMapIndex", 900, 950),
			at("reflect.mapassign0", 100, 140),
			at("reflect.mapdelete", 140, 180),
			at("reflect.TypeOf", 180, 200),
			at("maps.Copy[go.shape.string]", 400, 450),
			at("mapsomething.Copy", 500, 550),
		];
		expect(wrapperRanges(functions, 16)).toEqual([
			{ from: 100, to: 180 },
			{ from: 400, to: 450 },
			{ from: 900, to: 950 },
		]);
	});

	test("of the runtime itself are left out first where there are too many", () => {
		const functions = [
			at("runtime.mapassign", 0, 10),
			at("internal/runtime/maps.(*Map).Delete", 20, 30),
			at("maps.clone", 40, 50),
			at("reflect.mapassign", 60, 70),
		];
		expect(wrapperRanges(functions, 3).map(({ from }) => from)).toEqual([40, 60, 0]);
		expect(wrapperRanges(functions, 2).map(({ from }) => from)).toEqual([40, 60]);
	});
});

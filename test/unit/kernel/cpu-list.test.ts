import { expect, test } from "bun:test";
import { parseCpuList } from "../../../src/kernel/cpu-list.ts";

test.each([
	["0\n", [0]],
	["0-3\n", [0, 1, 2, 3]],
	["0-1,4,6-7\n", [0, 1, 4, 6, 7]],
	["", []],
	["\n", []],
	["3-1", []],
	["0-99999999999", []],
	["x,2", [2]],
])("%j", (text, cpus) => {
	expect(parseCpuList(text)).toEqual(cpus);
});

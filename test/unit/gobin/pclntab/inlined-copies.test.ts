/** Copies that Go's own compilers have, which Debian builds with the profile that comes with Go; other programs have none. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { surveyCopies } from "../../../../src/plan/inlined-copies.ts";
import { fileSource, goRoot } from "../../../support/go-binaries.ts";

/** "hashGrow in mapassign" of the program in the file. */
function copiesIn(path: string): string[] {
	const copies = surveyCopies(openGoBinary(fileSource(path)));
	return copies.map(({ wanted, copy }) => `${wanted.fn.split(".").at(-1)} in ${copy.outer.name.split(".").at(-1)}`);
}

const tool = (version: string, name: string): string => join(goRoot(version), "pkg", "tool", "linux_amd64", name);

describe.each([
	["1.22", ["hashGrow in mapassign", "growWork_faststr in mapassign_faststr", "evacuate_faststr in growWork_faststr"]],
	["1.26", ["grow in rehash", "split in rehash", "Next in mapIterNext"]],
] as const)("copies of Go %s", (version, expected) => {
	test("are found in the compiler, which is built with a profile", () => {
		expect(copiesIn(tool(version, "compile"))).toEqual(expect.arrayContaining([...expected]));
	});

	test("are not in a program without one", () => {
		expect(copiesIn(tool(version, "asm"))).toEqual([]);
	});
});

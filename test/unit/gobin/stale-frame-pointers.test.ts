import { expect, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { keepsStaleFramePointers } from "../../../src/gobin/stale-frame-pointers.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";

// runtime/stack.go, adjustframe: "TODO what about arm64 frame pointer adjustment?" in Go 1.19, done in Go 1.21.
test.each([
	["1.19", "arm64", true],
	["1.21", "arm64", false],
	["1.27", "arm64", false],
	["1.19", "amd64", false],
] as const)("Go %s for %s: %p", (version, arch, expected) => {
	const path = goBuild({ version, program: "grow", ...(arch === "arm64" ? { arch } : {}) });
	expect(keepsStaleFramePointers(openGoBinary(fileSource(path)))).toBe(expected);
});

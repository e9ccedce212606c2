/** The x86-64 decoder over the go command of every toolchain: two million instructions each, with all of Go's cryptography. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { compareText } from "../support/decode-check.ts";
import { GO_VERSIONS, goRoot } from "../support/go-binaries.ts";

setDefaultTimeout(600_000);

test.each(GO_VERSIONS)("the go command of Go %s", async (version) => {
	const { count, unknown, differences } = await compareText(join(goRoot(version), "bin/go"));
	expect(differences.slice(0, 20)).toEqual([]);
	expect(count).toBeGreaterThan(1_000_000);
	// Data between functions.
	expect(unknown).toBeLessThan(1000);
});

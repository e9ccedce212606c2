import { expect, test } from "bun:test";
import { type ColorInputs, decideColor } from "../../../src/text/color.ts";

test("colour follows the option, then the environment, then the stream", () => {
	const cases: [ColorInputs, boolean][] = [
		[{ flag: "auto", env: {}, isTTY: true }, true],
		[{ flag: "auto", env: {}, isTTY: false }, false],
		[{ flag: "auto", env: { NO_COLOR: "1" }, isTTY: true }, false],
		// https://no-color.org: only a value that is not empty counts.
		[{ flag: "auto", env: { NO_COLOR: "" }, isTTY: true }, true],
		[{ flag: "auto", env: { TERM: "dumb" }, isTTY: true }, false],
		[{ flag: "auto", env: { TERM: "xterm-256color" }, isTTY: true }, true],
		[{ flag: "always", env: { NO_COLOR: "1", TERM: "dumb" }, isTTY: false }, true],
		[{ flag: "never", env: {}, isTTY: true }, false],
	];
	for (const [inputs, color] of cases) expect(decideColor(inputs)).toBe(color);
	expect(decideColor({ flag: "never", env: process.env, isTTY: true })).toBe(false);
});

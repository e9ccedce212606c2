import { describe, expect, test } from "bun:test";
import {
	type GoVersion,
	nearestMinor,
	parseGoVersion,
	standingOf,
	unsupported,
} from "../../../../src/gobin/buildinfo/go-version.ts";

function parsed(raw: string): GoVersion {
	const version = parseGoVersion(raw);
	if (version === undefined) {
		throw new Error(`not parsed: ${raw}`);
	}
	return version;
}

describe("Go version strings", () => {
	const rows: [string, Omit<GoVersion, "raw">][] = [
		["go1.24.4", { major: 1, minor: 24, patch: 4, devel: false, experiments: [] }],
		["go1.20", { major: 1, minor: 20, devel: false, experiments: [] }],
		["go1.24.4 X:noswissmap", { major: 1, minor: 24, patch: 4, devel: false, experiments: ["noswissmap"] }],
		[
			"go1.25.0 X:nodwarf5,greenteagc",
			{ major: 1, minor: 25, patch: 0, devel: false, experiments: ["nodwarf5", "greenteagc"] },
		],
		["go1.27rc1", { major: 1, minor: 27, devel: true, experiments: [] }],
		["go1.18beta2", { major: 1, minor: 18, devel: true, experiments: [] }],
		["devel go1.26-6c9d3f4b Thu Jul 3 10:00:00 2025 +0000", { major: 1, minor: 26, devel: true, experiments: [] }],
		["go1.26-devel_6c9d3f4b Thu Jul 3 10:00:00 2025 +0000", { major: 1, minor: 26, devel: true, experiments: [] }],
		["devel go1.22-abc123 X:rangefunc", { major: 1, minor: 22, devel: true, experiments: ["rangefunc"] }],
		["go1.22.1 (Red Hat 1.22.1-1.el9)", { major: 1, minor: 22, patch: 1, devel: false, experiments: [] }],
		["go1.20.5-fips", { major: 1, minor: 20, patch: 5, devel: false, experiments: [] }],
		["go1.23-20240626-RC01 cl/646990413", { major: 1, minor: 23, devel: false, experiments: [] }],
	];
	test.each(rows)("%s", (raw, expected) => {
		expect(parsed(raw)).toEqual({ raw, ...expected });
	});

	test.each(["", "unknown", "devel +a1b2c3 Mon Jan 2 2020", "go", "go1", "golang 1.20", "1.20.1"])(
		"%p has none",
		(raw) => {
			expect(parseGoVersion(raw)).toBeUndefined();
		},
	);
});

describe("how well a version is known", () => {
	test.each([
		["go1.14.15", "old"],
		["go1.5", "old"],
		["go0.9", "old"],
		["devel go1.14-abc", "old"],
		["go1.15", "known"],
		["go1.15.15", "known"],
		["go1.21.0", "known"],
		["go1.24rc2", "known"],
		["go1.22.1 (vendor text)", "known"],
		["go1.27.3 X:nodwarf5", "known"],
		["go1.24beta1", "unproven"],
		["devel go1.26-abc", "unproven"],
		["go1.28.0", "unproven"],
		["go1.28rc1", "unproven"],
		["devel go1.28-abc", "unproven"],
		["go2.0", "unproven"],
	])("%s is %s", (raw, standing) => {
		expect<string>(standingOf(parsed(raw))).toBe(standing);
	});

	test.each([
		["devel go1.26-abc", 26],
		["go1.28.0", 27],
		["go2.15", 27],
	])("the release nearest to %s is 1.%d", (raw, minor) => {
		expect(nearestMinor(parsed(raw))).toBe(minor);
	});

	test.each(["E-BIN-GO-OLD", "E-BIN-GO-NEW"] as const)("%s names both bounds", (code) => {
		const error = unsupported(code, "a program built with go9.9");
		expect(error.code).toBe(code);
		expect(error.message).toMatch(/1\.15 \(the oldest supported\) to 1\.27 \(the newest known\).*go9\.9/);
	});
});

import { describe, expect, test } from "bun:test";
import { kernelDevice, requireOwnProc } from "../../../src/kernel/pid-namespace.ts";
import { thrownBy } from "../../support/thrown.ts";

test("kernelDevice: st_dev as glibc's makedev makes it, to MKDEV's 12 and 20 bits", () => {
	// bits/sysmacros.h
	const makedev = (major: number, minor: number) => ((minor & 0xfff00) << 12) | ((major & 0xfff) << 8) | (minor & 0xff);
	for (const [major, minor] of [
		[0, 4],
		[0, 255],
		[0, 256],
		[8, 17],
		[259, 70_000],
		[4095, 0xfffff],
	] as const) {
		expect(kernelDevice(makedev(major, minor) >>> 0)).toBe(BigInt(major) * 2n ** 20n + BigInt(minor));
	}
});

describe("requireOwnProc", () => {
	test("is content with its own", () => {
		expect(() => requireOwnProc()).not.toThrow();
	});

	test("refuses another namespace's, and none", () => {
		const other = thrownBy(() => requireOwnProc(() => "4711", 12));
		expect(other).toMatchObject({ code: "E-HOST-PIDNS", exitCode: 3, mend: expect.stringContaining("mount -t proc") });
		expect(other.found).toContain("process 12 as 4711");
		const none = thrownBy(() =>
			requireOwnProc(() => {
				throw new Error("ENOENT");
			}),
		);
		expect(none.code).toBe("E-HOST-PIDNS");
	});
});

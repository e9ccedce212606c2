import { expect, test } from "bun:test";
import { elapsedNs, formatWallTime, timeOf } from "../../../src/records/time.ts";

// `date -u -d @1738324867` says 2025-01-31T12:01:07Z.
const anchor = { wallNs: 1_738_324_867_000_000_001n, monotonicNs: 5_000_000_000n };

test("times are RFC 3339 in UTC with nanoseconds", () => {
	expect(timeOf(anchor, 5_000_000_000n)).toBe("2025-01-31T12:01:07.000000001Z");
	expect(timeOf(anchor, 5_999_999_999n)).toBe("2025-01-31T12:01:08.000000000Z");
	expect(timeOf(anchor, 4_999_999_998n)).toBe("2025-01-31T12:01:06.999999999Z");
});

test("times that RFC 3339 cannot spell are clamped", () => {
	expect(formatWallTime(-1n)).toBe("1970-01-01T00:00:00.000000000Z");
	expect(formatWallTime(2n ** 80n)).toBe("9999-12-31T23:59:59.999999999Z");
});

test("elapsed time is never negative", () => {
	expect(elapsedNs(anchor, 5_000_000_007n)).toBe(7);
	expect(elapsedNs(anchor, 1n)).toBe(0);
});

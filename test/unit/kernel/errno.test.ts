/** Names of errors are those of the kernel's headers. */
import { expect, test } from "bun:test";
import { constants } from "node:os";
import { ERRNO, errnoName } from "../../../src/kernel/errno.ts";

/** Two names of one number: the one that the kernel's sources use. */
const OTHER_NAMES: Record<string, string> = { EWOULDBLOCK: "EAGAIN", EDEADLOCK: "EDEADLK", ENOTSUP: "EOPNOTSUPP" };

test("every error that the kernel and libbpf give back has its name", () => {
	for (const [name, code] of Object.entries(ERRNO)) {
		expect(errnoName(code)).toBe(name);
		expect(errnoName(-code)).toBe(name);
	}
	const used = [
		"EINTR",
		"EIO",
		"E2BIG",
		"ENOEXEC",
		"ECHILD",
		"EAGAIN",
		"ENOMEM",
		"EFAULT",
		"EBUSY",
		"EEXIST",
		"ENODEV",
	];
	for (const name of [...used, "ENOTDIR", "EISDIR", "ETXTBSY", "ENOSPC", "EWOULDBLOCK", "ENOTSUP"] as const) {
		const code = constants.errno[name as keyof typeof constants.errno];
		expect(errnoName(code)).toBe(OTHER_NAMES[name] ?? name);
	}
});

test("a number without a name stays a number", () => {
	expect([0, 4095, -100_000].map(errnoName)).toEqual(["errno 0", "errno 4095", "errno 100000"]);
});

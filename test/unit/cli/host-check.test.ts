/** What a host lacks is said in one error each; the hosts that lack it are described as the kernel would answer. */
import { describe, expect, test } from "bun:test";
import { requireFeatures } from "../../../src/cli/host-check.ts";
import { missingCapabilities } from "../../../src/kernel/capabilities.ts";
import { attachModeOf, type KernelFeatures } from "../../../src/kernel/features.ts";
import { thrownBy } from "../../support/thrown.ts";

const OK = { ok: true };
const WHOLE: KernelFeatures = { bpf: OK, ringBuffer: OK, cookie: OK, uprobeMulti: OK };

describe("requireFeatures", () => {
	test("a kernel with everything", () => {
		expect(() => requireFeatures(WHOLE)).not.toThrow();
	});

	test("no ring buffer (before 5.8 the map type is unknown)", () => {
		const error = thrownBy(() => requireFeatures({ ...WHOLE, ringBuffer: { ok: false, error: "EINVAL" } }));
		expect(error).toMatchObject({ code: "E-HOST-RINGBUF", exitCode: 3 });
		expect(error.wanted).toContain("5.8");
	});

	test("no BPF at all", () => {
		const error = thrownBy(() => requireFeatures({ ...WHOLE, bpf: { ok: false, error: "ENOSYS" } }));
		expect(error).toMatchObject({ code: "E-HOST-BPF", exitCode: 3 });
		expect(error.mend).toContain("CONFIG_BPF_SYSCALL");
	});

	test("BPF forbidden (lockdown, seccomp)", () => {
		const error = thrownBy(() => requireFeatures({ ...WHOLE, bpf: { ok: false, error: "EPERM" } }));
		expect(error.code).toBe("E-HOST-BPF");
		expect(error.mend).toContain("lockdown");
	});
});

describe("attachModeOf", () => {
	const lacking = (feature: keyof KernelFeatures) => ({ ...WHOLE, [feature]: { ok: false, error: "EINVAL" } });

	test("takes the best that there is", () => {
		expect(attachModeOf(WHOLE, "")).toBe("multi");
		expect(attachModeOf(lacking("uprobeMulti"), "")).toBe("perf-cookie");
		expect(attachModeOf(lacking("cookie"), "")).toBe("perf-address");
	});

	test("takes what is asked for, or refuses", () => {
		expect(attachModeOf(WHOLE, "perf-address")).toBe("perf-address");
		expect(thrownBy(() => attachModeOf(WHOLE, "kprobe")).code).toBe("E-USAGE");
	});
});

test("missingCapabilities: CAP_SYS_ADMIN stands for all", () => {
	expect(missingCapabilities(new Set())).toEqual(["CAP_BPF", "CAP_PERFMON"]);
	expect(missingCapabilities(new Set(["CAP_BPF"]))).toEqual(["CAP_PERFMON"]);
	expect(missingCapabilities(new Set(["CAP_BPF", "CAP_PERFMON"]))).toEqual([]);
	expect(missingCapabilities(new Set(["CAP_SYS_ADMIN"]))).toEqual([]);
});

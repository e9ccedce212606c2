/** What a host lacks is said in one error each; the hosts that lack it are described as the kernel would answer. */
import { describe, expect, test } from "bun:test";
import { missingCapabilities } from "../../../src/kernel/capabilities.ts";
import type { Confinement } from "../../../src/kernel/confinement.ts";
import { attachModeOf, type KernelFeatures } from "../../../src/kernel/features.ts";
import { requireFeatures } from "../../../src/kernel/host-check.ts";
import { thrownBy } from "../../support/thrown.ts";

const OK = { ok: true };
const WHOLE: KernelFeatures = { bpf: OK, ringBuffer: OK, cookie: OK, uprobeMulti: OK };

const REFUSED = { ok: false, error: "EPERM" };
const FREE: Confinement = { userNamespace: false, seccomp: [], lockedMemory: undefined };

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
		const error = thrownBy(() => requireFeatures({ ...WHOLE, bpf: { ok: false, error: "ENOSYS" } }, () => FREE));
		expect(error).toMatchObject({ code: "E-HOST-BPF", exitCode: 3 });
		expect(error.advice).toContain("CONFIG_BPF_SYSCALL");
	});

	const refused = (features: Partial<KernelFeatures>, confinement: Partial<Confinement>) =>
		thrownBy(() => requireFeatures({ ...WHOLE, ...features }, () => ({ ...FREE, ...confinement })));

	test("BPF refused by a seccomp filter, whatever it answers", () => {
		for (const error of ["EPERM", "ENOSYS"]) {
			const thrown = refused({ bpf: { ok: false, error } }, { seccomp: ["bpf"] });
			expect(thrown).toMatchObject({ code: "E-HOST-SECCOMP", exitCode: 3 });
			expect(thrown.found).toContain(error);
			expect(thrown.mend).toContain("--security-opt seccomp=unconfined");
		}
	});

	test("a filter that lets BPF pass is not blamed for a kernel without it", () => {
		const thrown = refused({ bpf: { ok: false, error: "ENOSYS" } }, { seccomp: ["perf_event_open"] });
		expect(thrown.code).toBe("E-HOST-BPF");
	});

	test("in a user namespace", () => {
		expect(refused({ bpf: REFUSED }, { userNamespace: true })).toMatchObject({ code: "E-HOST-CAPS", exitCode: 3 });
	});

	test("the limit of locked memory, on kernels that count maps for it", () => {
		const thrown = refused({ ringBuffer: REFUSED }, { lockedMemory: 65_536, seccomp: ["perf_event_open"] });
		expect(thrown).toMatchObject({ code: "E-HOST-MEMLOCK", exitCode: 3 });
		expect(thrown.found).toContain("64 KiB");
		expect(thrown.mend).toContain("prlimit --memlock=unlimited");
	});

	test("refused for another reason: a security module", () => {
		const thrown = refused({ bpf: REFUSED }, {});
		expect(thrown.code).toBe("E-HOST-BPF");
		expect(thrown.mend).toContain("SELinux");
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

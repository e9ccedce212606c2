/** What keeps a process from BPF and perf events although it has the capabilities: found by trying, as far as it can be. */
import { closeSync, readFileSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { effectiveCapabilities } from "./capabilities.ts";
import { ERRNO } from "./errno.ts";
import { libbpf } from "./libbpf.ts";

export type RefusedCall = "bpf" | "perf_event_open";

export interface Confinement {
	/** In a user namespace, where capabilities do not count for BPF: a rootless container. */
	userNamespace: boolean;
	/** The system calls that a seccomp filter refuses. */
	seccomp: readonly RefusedCall[];
	/** The limit of locked memory, in bytes, where the kernel counts BPF maps for it (before 5.11) and refuses what is more. */
	lockedMemory: number | undefined;
}

const UNCONFINED: Confinement = { userNamespace: false, seccomp: [], lockedMemory: undefined };

/** In the first user namespace every id is itself. */
function inUserNamespace(): boolean {
	return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
}

/** What the profiles of Docker, Podman and systemd answer; EACCES is the kernel's own word for a lacking capability. */
const isRefusal = (code: number): boolean => code === -ERRNO.EPERM || code === -ERRNO.ENOSYS;

/** A filter can only be told by what it does: the calls are such that the kernel itself would not refuse them in this way. */
function refusedBySeccomp(): RefusedCall[] {
	const mode = /^Seccomp:\s*(\d)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
	if (mode !== "2") return [];
	const lib = libbpf();
	const room = new Uint8Array(new ArrayBuffer(8));
	// Of a descriptor that is none the kernel says EBADF.
	const answers = { bpf: lib.bpf_map_lookup_elem(-1, room, room), perf_event_open: lib.gmg_perf_refused() };
	return (["bpf", "perf_event_open"] as const).filter((call) => isRefusal(answers[call]));
}

const BPF_MAP_TYPE_ARRAY = 2;
const PAGE = 4096;
/** Above this a limit is not what stands in the way, and trying would take much memory. */
const MOST_TRIED = 256 << 20;

/** A map that is larger than the limit is refused only by a kernel that counts it. */
function lockedMemoryLimit(): number | undefined {
	const text = /^Max locked memory\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
	if (text === undefined || Number(text) > MOST_TRIED) return undefined;
	const limit = Number(text);
	const fd = libbpf().bpf_map_create(BPF_MAP_TYPE_ARRAY, null, 4, PAGE, Math.ceil(limit / PAGE) + 1, null);
	if (fd >= 0) closeSync(fd);
	return fd === -ERRNO.EPERM ? limit : undefined;
}

/** The first of them that is found. Throws E-HOST-LIBBPF. */
export function readConfinement(): Confinement {
	if (inUserNamespace()) return { ...UNCONFINED, userNamespace: true };
	const seccomp = refusedBySeccomp();
	if (seccomp.includes("bpf")) return { ...UNCONFINED, seccomp };
	return { userNamespace: false, seccomp, lockedMemory: lockedMemoryLimit() };
}

export interface Refusal {
	call: RefusedCall;
	wanted: string;
	/** What was refused, and the answer. */
	found: string;
	confinement: Confinement;
}

/** The error for something that was refused with EPERM or EACCES to a process that has the capabilities, as far as it is known. */
export function forbiddenError({ call, wanted, found, confinement }: Refusal): GomapgrowError {
	const { userNamespace, seccomp, lockedMemory } = confinement;
	if (userNamespace) {
		return new GomapgrowError("E-HOST-CAPS", {
			wanted,
			found: `${found}: this is a user namespace (a rootless container), whose capabilities do not count for BPF`,
			mend: "sudo gomapgrow doctor   # outside of it, as root of the host",
		});
	}
	if (seccomp.includes(call)) {
		return new GomapgrowError("E-HOST-SECCOMP", {
			wanted,
			found: `${found}: a seccomp filter refuses ${call}`,
			mend: "docker run --security-opt seccomp=unconfined …   # systemd: SystemCallFilter=bpf perf_event_open",
		});
	}
	if (call === "perf_event_open") return perfError(wanted, found);
	if (lockedMemory !== undefined) {
		return new GomapgrowError("E-HOST-MEMLOCK", {
			wanted: `${wanted}, which this kernel counts as locked memory (before Linux 5.11)`,
			found: `${found}: at most ${lockedMemory / 1024} KiB may be locked, and without CAP_SYS_RESOURCE that stays so`,
			mend: "sudo prlimit --memlock=unlimited --pid $$   # systemd: LimitMEMLOCK=infinity; docker run --ulimit memlock=-1",
		});
	}
	return new GomapgrowError("E-HOST-BPF", {
		wanted,
		found: `${found}, although the capabilities are there`,
		mend: "dmesg | tail   # a security module (SELinux, AppArmor, lockdown) says there what it refused",
	});
}

/** CAP_PERFMON is not enough for perf events on uprobes in newer kernels (seen in 6.1 and later), and with Debian's kernel.perf_event_paranoid of 3. */
function perfError(wanted: string, found: string): GomapgrowError {
	if (!effectiveCapabilities().has("CAP_SYS_ADMIN")) {
		return new GomapgrowError("E-HOST-CAPS", {
			wanted,
			found: `${found}: this kernel asks for CAP_SYS_ADMIN for perf events on uprobes`,
			mend: "sudo gomapgrow …   # in a container: docker run --cap-add=SYS_ADMIN",
		});
	}
	return new GomapgrowError("E-HOST-CAPS", {
		wanted,
		found: `${found}, although CAP_SYS_ADMIN is there`,
		mend: "dmesg | tail   # a security module (SELinux, AppArmor) says there what it refused",
	});
}

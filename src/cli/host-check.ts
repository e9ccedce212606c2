/** Makes sure that this host lets us observe, before any target is touched. */
import { GomapgrowError } from "../errors/error.ts";
import { effectiveCapabilities, missingCapabilities } from "../kernel/capabilities.ts";
import { type AttachMode, attachModeOf, detectFeatures, type KernelFeatures } from "../kernel/features.ts";

function list(names: readonly string[]): string {
	return names.join(" and ");
}

/** Throws E-HOST-CAPS when capabilities are missing. `command` is repeated with sudo in the message. */
export function requireCapabilities(command: readonly string[]): void {
	const missing = missingCapabilities(effectiveCapabilities());
	if (missing.length === 0) return;
	throw new GomapgrowError("E-HOST-CAPS", {
		wanted: "CAP_BPF and CAP_PERFMON (or root) to attach uprobes",
		found: `user ${process.getuid?.() ?? "?"} without ${list(missing)}`,
		mend: `sudo gomapgrow ${command.join(" ")}`.trim(),
	});
}

/** Throws E-HOST-BPF or E-HOST-RINGBUF when the kernel lacks what cannot be done without. */
export function requireFeatures(features: KernelFeatures): void {
	if (!features.bpf.ok) {
		const blocked = features.bpf.error === "EPERM" || features.bpf.error === "EACCES";
		throw new GomapgrowError("E-HOST-BPF", {
			wanted: "a kernel that loads BPF programs for uprobes",
			found: `bpf(BPF_PROG_LOAD) answers ${features.bpf.error}`,
			mend: blocked
				? "check `cat /sys/kernel/security/lockdown`, `sysctl kernel.unprivileged_bpf_disabled` and the container's seccomp profile"
				: "use a kernel with CONFIG_BPF_SYSCALL and CONFIG_UPROBE_EVENTS",
		});
	}
	if (!features.ringBuffer.ok) {
		throw new GomapgrowError("E-HOST-RINGBUF", {
			wanted: "the BPF ring buffer (Linux 5.8 or newer)",
			found: `bpf(BPF_MAP_CREATE) answers ${features.ringBuffer.error}`,
			mend: "use Linux 5.8 or newer; `uname -r` shows the running kernel",
		});
	}
}

/** How to attach on this host. Throws E-HOST-… */
export function checkHost(command: readonly string[]): AttachMode {
	requireCapabilities(command);
	const features = detectFeatures();
	requireFeatures(features);
	return attachModeOf(features);
}

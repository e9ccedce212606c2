/** Makes sure that this host lets us observe, before any target is touched. */
import { GomapgrowError } from "../errors/error.ts";
import { effectiveCapabilities, missingCapabilities } from "./capabilities.ts";
import { type Confinement, forbiddenError, readConfinement } from "./confinement.ts";
import { type AttachMode, attachModeOf, detectFeatures, type Feature, type KernelFeatures } from "./features.ts";
import { requireOwnProc } from "./pid-namespace.ts";

const isForbidden = ({ error }: Feature): boolean => error === "EPERM" || error === "EACCES";

function list(names: readonly string[]): string {
	return names.join(" and ");
}

/** Throws E-HOST-CAPS when capabilities are missing. `command` is repeated with sudo in the message. */
export function requireCapabilities(command: readonly string[]): void {
	const missing = missingCapabilities(effectiveCapabilities());
	if (missing.length === 0) return;
	const root = process.getuid?.() === 0;
	throw new GomapgrowError("E-HOST-CAPS", {
		wanted: "CAP_BPF and CAP_PERFMON (or root) to attach uprobes",
		found: `user ${process.getuid?.() ?? "?"} without ${list(missing)}`,
		mend: root
			? "docker run --cap-add=BPF --cap-add=PERFMON --cap-add=SYS_PTRACE …   # or as root outside of the container"
			: `sudo gomapgrow ${command.join(" ")}`.trim(),
	});
}

/** Throws what forbids BPF (confinement.ts), E-HOST-BPF or E-HOST-RINGBUF when the kernel lacks what cannot be done without. */
export function requireFeatures(features: KernelFeatures, confined: () => Confinement = readConfinement): void {
	const { bpf, ringBuffer } = features;
	if (!bpf.ok) {
		const wanted = "to load BPF programs for uprobes";
		const found = `bpf(BPF_PROG_LOAD) answers ${bpf.error}`;
		const confinement = confined();
		if (isForbidden(bpf) || confinement.seccomp.includes("bpf"))
			throw forbiddenError({ call: "bpf", wanted, found, confinement });
		throw new GomapgrowError("E-HOST-BPF", {
			wanted: "a kernel that loads BPF programs for uprobes",
			found,
			advice: "use a kernel with CONFIG_BPF_SYSCALL and CONFIG_UPROBE_EVENTS",
		});
	}
	if (!ringBuffer.ok) {
		const found = `bpf(BPF_MAP_CREATE) answers ${ringBuffer.error}`;
		if (isForbidden(ringBuffer)) {
			throw forbiddenError({ call: "bpf", wanted: "to make BPF maps", found, confinement: confined() });
		}
		throw new GomapgrowError("E-HOST-RINGBUF", {
			wanted: "the BPF ring buffer (Linux 5.8 or newer)",
			found,
			advice: "use Linux 5.8 or newer; `uname -r` shows the running kernel",
		});
	}
}

/** How to attach on this host. Throws E-HOST-… */
export function checkHost(command: readonly string[]): AttachMode {
	requireOwnProc();
	requireCapabilities(command);
	const features = detectFeatures();
	requireFeatures(features);
	return attachModeOf(features);
}

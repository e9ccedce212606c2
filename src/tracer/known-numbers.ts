import { GomapgrowError } from "../errors/error.ts";
import { ownPidNamespace } from "../kernel/pid-namespace.ts";
import { sharesPidNamespace } from "../process/procfs.ts";

/**
 * BPF programs tell processes by the number that they have in our PID namespace, or in the first one: of a process in
 * a namespace inside of ours, when ours is not the first, they know neither. Throws E-TARGET-PIDNS.
 */
export function requireKnownNumbers(pid: number): void {
	if (ownPidNamespace() === undefined || sharesPidNamespace(pid)) return;
	throw new GomapgrowError("E-TARGET-PIDNS", {
		wanted: `process ${pid} in gomapgrow's own PID namespace, or gomapgrow in the host's`,
		found: "both in PID namespaces of their own (a container in a container)",
		mend: "sudo nsenter --target 1 --pid --mount gomapgrow watch PID   # where the process has another number",
	});
}

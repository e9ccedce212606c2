/**
 * Which container a process is in, by the path of its cgroup: all runtimes put the container's id, 64 hexadecimal digits, into
 * a component of it, in cgroups of version 1 and 2, made by systemd or directly.
 */

/** "cri-containerd-ID.scope", "ID", "kubepods-….slice:cri-containerd:ID". */
const ID = /(?:^|[-:])([0-9a-f]{64})(?:\.scope)?$/;
/** conmon watches a container of CRI-O or Podman from outside, in a cgroup that is named after it. */
const MONITOR = /(?:^|-)conmon-/;

/** The id in a path; of nested containers that of the innermost. */
function idInPath(path: string): string | undefined {
	for (const part of path.split("/").reverse()) {
		const id = MONITOR.test(part) ? undefined : ID.exec(part)?.[1];
		if (id !== undefined) return id;
	}
	return undefined;
}

/** The container's id by the text of /proc/PID/cgroup (cgroups(7)); undefined outside of containers. */
export function containerIdOfCgroup(text: string): string | undefined {
	for (const line of text.split("\n")) {
		// "HIERARCHY:CONTROLLERS:PATH", and the path may contain colons.
		const path = /^\d+:[^:]*:(.*)$/.exec(line)?.[1];
		const id = path === undefined ? undefined : idInPath(path);
		if (id !== undefined) return id;
	}
	return undefined;
}

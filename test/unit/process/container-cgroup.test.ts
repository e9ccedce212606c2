/** Paths of cgroups as runtimes make them, taken from their documentation, tests and from machines. */
import { expect, test } from "bun:test";
import { containerIdOfCgroup } from "../../../src/process/container-cgroup.ts";

const ID = "b4d6d161c62525d726fa394b27df30e14f8ea5646313ada576b390de70cfc8cc";
const OTHER = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const POD = "f6f2d169_f2ae_4afa_95ed_06ff2ed6b288";
const DASHED = POD.replaceAll("_", "-");
const BURSTABLE = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD}.slice`;

const IN: readonly (readonly [what: string, text: string])[] = [
	["Kubernetes with containerd, version 2, systemd", `0::/${BURSTABLE}/cri-containerd-${ID}.scope`],
	["guaranteed pod", `0::/kubepods.slice/kubepods-pod${POD}.slice/cri-containerd-${ID}.scope`],
	["version 1, cgroupfs", `11:memory:/kubepods/besteffort/pod${DASHED}/${ID}\n0::/`],
	[
		"below containerd.service",
		`11:cpu,cpuacct:/system.slice/containerd.service/kubepods-besteffort-pod${POD}.slice:cri-containerd:${ID}`,
	],
	["CRI-O", `0::/${BURSTABLE}/crio-${ID}.scope/container`],
	["Docker, systemd", `0::/system.slice/docker-${ID}.scope`],
	["Docker, with an init of its own", `0::/system.slice/docker-${ID}.scope/init`],
	["Docker, cgroupfs", `4:memory:/docker/${ID}`],
	["Podman", `0::/machine.slice/libpod-${ID}.scope/container`],
	["Podman of a user", `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`],
	[
		"a static pod, whose UID is a hash",
		`0::/kubepods.slice/kubepods-pod${"0123456789abcdef".repeat(2)}.slice/cri-containerd-${ID}.scope`,
	],
	[
		"kind, seen from its node",
		`0::/../../kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${POD}.slice/cri-containerd-${ID}.scope`,
	],
	["a cgroup that the program has made", `0::/kubepods/burstable/pod${DASHED}/${ID}/app/worker`],
	["a container in a container", `0::/docker/${OTHER}/kubelet/${BURSTABLE}/cri-containerd-${ID}.scope`],
];

const OUTSIDE: readonly (readonly [what: string, text: string])[] = [
	["conmon itself", `0::/${BURSTABLE}/crio-conmon-${ID}.scope`],
	["a service", "0::/system.slice/sshd.service"],
	["a cgroup namespace of its own", "0::/"],
	[
		"a terminal",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-868f9513-eee8-457d-8e36-1b37ae8ae622.scope",
	],
	["digits that are too few or too many", `0::/docker/${ID.slice(1)}\n1:memory:/docker/${ID}0\n2:cpu:/docker/x${ID}`],
	["text that is no cgroup", `${ID}\n::\n0:${ID}\n`],
];

test.each(IN)("%s", (_, text) => expect(containerIdOfCgroup(text)).toBe(ID));
test.each(OUTSIDE)("no container: %s", (_, text) => expect(containerIdOfCgroup(text)).toBeUndefined());

/** Names from ancestors that look like those of each runtime; the end-to-end tests have containerd itself. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { containerNames } from "../../../src/process/containers.ts";
import { start, temporaryFolder } from "../../support/processes.ts";

const folder = temporaryFolder("containers");
const ID = "b4d6d161c62525d726fa394b27df30e14f8ea5646313ada576b390de70cfc8cc";

function write(path: string, content: unknown): void {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
}

/** The names of a process two generations below one with that command line, which works in `cwd`. */
async function below(commandLine: readonly string[], cwd: string): Promise<ReturnType<typeof containerNames>> {
	mkdirSync(cwd, { recursive: true });
	// A shell's command line is what it is given here, with the script behind the name.
	const script = join(folder, "parent.sh");
	writeFileSync(script, 'sh -c "sleep 60 & echo \\$!; wait"\n');
	const [name = "", ...args] = commandLine;
	const parent = start(["bash", "-c", 'exec -a "$0" sh "$@"', name, script, ...args], { cwd });
	const pid = Number((await parent.untilOutput(/^(\d+)\n/))[1]);
	const names = containerNames(pid, ID);
	process.kill(pid);
	await parent.finish();
	return names;
}

const SHIM = "/usr/bin/containerd-shim-runc-v2";

describe("containerd", () => {
	test("a container of a pod is beside the one that its shim works in", async () => {
		write(join(folder, "k8s.io", ID, "config.json"), {
			annotations: {
				"io.kubernetes.cri.sandbox-name": "web-6d5f",
				"io.kubernetes.cri.sandbox-namespace": "shop",
				"io.kubernetes.cri.container-name": "server",
				"io.kubernetes.cri.image-name": "example.org/shop:1",
			},
		});
		expect(await below([SHIM, "-namespace", "k8s.io"], join(folder, "k8s.io/sandbox"))).toEqual({
			...{ name: "server", pod: "web-6d5f", namespace: "shop", image: "example.org/shop:1" },
		});
	});

	test("Docker's own configuration has the name", async () => {
		const own = join(folder, "docker/containers", ID);
		const mounts = [{ source: "/etc/hosts" }, { destination: "/etc/resolv.conf", source: join(own, "resolv.conf") }];
		write(join(folder, "moby", ID, "config.json"), { mounts });
		write(join(own, "config.v2.json"), { Name: "/web", Config: { Image: "shop:1" } });
		expect(await below([SHIM, "-namespace", "moby"], join(folder, "moby", ID))).toEqual({
			name: "web",
			image: "shop:1",
		});
	});

	for (const [what, config] of [
		["no file", undefined],
		["no JSON", "{"],
		["no object", "null"],
		["other types", { annotations: { "io.kubernetes.cri.container-name": 7 }, mounts: [null, { source: 1 }] }],
		["a name beyond measure", { annotations: { "io.kubernetes.cri.container-name": "x".repeat(10_000) } }],
	] as const) {
		test(`${what}: no name`, async () => {
			const work = join(folder, what.replaceAll(" ", "-"));
			if (config !== undefined) write(join(work, ID, "config.json"), config);
			expect(await below([SHIM], join(work, ID))).toEqual({});
		});
	}
});

describe("conmon", () => {
	test("CRI-O: names are in the container's folder", async () => {
		const bundle = join(folder, "overlay-containers", ID, "userdata");
		write(join(bundle, "config.json"), {
			annotations: {
				"io.kubernetes.pod.name": "web-6d5f",
				"io.kubernetes.pod.namespace": "shop",
				"io.kubernetes.container.name": "server",
				"io.kubernetes.cri-o.ImageName": "example.org/shop:1",
			},
		});
		const args = ["/usr/libexec/crio/conmon", "-b", bundle, "-c", ID, "-n", "k8s_server_web"];
		expect(await below(args, folder)).toEqual({
			...{ name: "server", pod: "web-6d5f", namespace: "shop", image: "example.org/shop:1" },
		});
	});

	test("Podman: the name is an argument, and the image in its list of containers", async () => {
		const all = join(folder, "podman/overlay-containers");
		const bundle = join(all, ID, "userdata");
		write(join(bundle, "config.json"), {});
		write(join(all, "containers.json"), [
			{ id: "0", names: ["other"] },
			{ id: ID, names: ["web"], metadata: JSON.stringify({ "image-name": "docker.io/library/shop:1" }) },
		]);
		expect(await below(["/usr/bin/conmon", "-c", ID, "-b", bundle, "-n", "web"], folder)).toEqual({
			...{ name: "web", image: "docker.io/library/shop:1" },
		});
		// A folder of another container says nothing of this one.
		expect(await below(["/usr/bin/conmon", "-c", "0", "-b", bundle, "-n", "web"], folder)).toEqual({ name: "web" });
	});
});

test("without such an ancestor there are no names", async () => {
	expect(await below(["sh"], folder)).toEqual({});
	expect(containerNames(process.pid, ID)).toEqual({});
	expect(containerNames(4_194_304, ID)).toEqual({});
});

/** What is deployed fits what `serve` does. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveOptions } from "../../../src/cli/serve.ts";
import { GrowthMetrics } from "../../../src/metrics/growth-metrics.ts";

const DEPLOY = join(import.meta.dir, "../../../deploy");
const text = (path: string) => readFileSync(join(DEPLOY, path), "utf8");

interface Manifest {
	kind: string;
	// biome-ignore lint/suspicious/noExplicitAny: of any kind
	spec?: any;
}

function manifests(path: string): Manifest[] {
	return text(path)
		.split(/^---$/m)
		.map((part) => Bun.YAML.parse(part) as Manifest);
}

test("the DaemonSet has the least capabilities, and listens where its Service, probes and policy say", () => {
	const all = manifests("kubernetes/gomapgrow.yaml");
	const of = (kind: string) => all.find((manifest) => manifest.kind === kind)?.spec;
	const pod = of("DaemonSet").template.spec;
	const [container, ...others] = pod.containers;
	expect(others).toEqual([]);
	expect(pod.hostPID).toBe(true);
	expect([pod.hostNetwork, pod.volumes, container.volumeMounts, container.securityContext.privileged]).toEqual(
		Array(4).fill(undefined),
	);
	expect(container.securityContext).toMatchObject({
		...{ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
		capabilities: { drop: ["ALL"], add: ["BPF", "PERFMON", "SYS_PTRACE", "DAC_READ_SEARCH"] },
	});
	const [command, listen, budget] = container.args as string[];
	expect(command).toBe("serve");
	const options = serveOptions({ listen: listen?.replace("--listen=", ""), budget: budget?.replace("--budget=", "") });
	expect(options).toMatchObject({ host: "", port: 10435, budget: 0.005 });
	expect(container.ports[0].containerPort).toBe(options.port);
	expect(of("Service").ports[0].port).toBe(options.port);
	expect(of("NetworkPolicy").ingress[0].ports[0].port).toBe(options.port);
	const [monitor] = manifests("kubernetes/servicemonitor.yaml");
	expect(monitor?.spec.endpoints[0]).toMatchObject({ port: "http", path: "/metrics", honorLabels: true });
});

test("rules and dashboard ask for metrics that there are", () => {
	const metrics = new GrowthMetrics({ maxSites: 1, maxSeries: 1, labelsOf: () => ({}) });
	const known = metrics.families().map(({ name }) => name);
	const held = ["gomapgrow_maps_bytes"];
	const asked = [
		...`${text("prometheus/rules.yml")}${text("grafana/gomapgrow.json")}`.matchAll(/(?<![:\w])gomapgrow_[a-z_]+/g),
	];
	expect(asked.length).toBeGreaterThan(10);
	for (const [name] of asked) {
		const family = name.replace(/_(total|bucket|info)$/, "");
		expect([...known, ...held]).toContain(family);
	}
	JSON.parse(text("grafana/gomapgrow.json"));
});

test("the unit listens on the loopback interface", () => {
	const unit = text("systemd/gomapgrow.service");
	const address = /--listen (\S+)/.exec(unit)?.[1];
	expect(serveOptions({ listen: address }).host).toBe("127.0.0.1");
	expect(readdirSync(DEPLOY).sort()).toEqual(["grafana", "image", "kubernetes", "prometheus", "systemd"]);
});

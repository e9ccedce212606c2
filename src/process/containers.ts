/**
 * Names of containers, without asking a runtime: what started the container is an ancestor of its processes, and knows the folder
 * with the container's configuration (config.json of the OCI runtime specification).
 */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { GomapgrowError } from "../errors/error.ts";
import { BoundedTable } from "../lib/bounded-table.ts";
import { containerIdOfCgroup } from "./container-cgroup.ts";
import { readCmdline, readStat } from "./procfs.ts";
import { readProcfs } from "./procfs-file.ts";

/** What is known of a container; untrusted text. */
export interface Container {
	/** 64 hexadecimal digits. */
	id: string;
	name?: string;
	pod?: string;
	/** Of the pod. */
	namespace?: string;
	image?: string;
}

type Names = Omit<Container, "id">;

/** Longer chains of ancestors are not climbed. */
const MAX_ANCESTORS = 64;
const MAX_CONTAINERS = 4096;
/** Larger configurations are not read. */
const MAX_CONFIG_BYTES = 4 << 20;
/** Names of Kubernetes have 253 characters at most; of images, with a digest, some more. */
const MAX_NAME = 512;

/**
 * The annotations of each runtime that say a name: containerd (pkg/cri/annotations), CRI-O (pkg/annotations), and nerdctl
 * (pkg/labels).
 */
const ANNOTATIONS: Readonly<Record<keyof Names, readonly string[]>> = {
	name: ["io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"],
	pod: ["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"],
	namespace: ["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"],
	image: ["io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"],
};

/** A value as the object that JSON.parse made of it; empty for anything else. */
function asObject(value: unknown): Record<string, unknown> {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asName(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" && value.length <= MAX_NAME ? value : undefined;
}

/** A file of a runtime; undefined when it is not there, not for us, or nothing that can be read as JSON. */
function readJson(path: string): Record<string, unknown> | undefined {
	try {
		const { size } = statSync(path);
		return size > MAX_CONFIG_BYTES ? undefined : asObject(JSON.parse(readFileSync(path, "utf8")));
	} catch {
		// Whatever it is: the container keeps its id, and has no name.
		return undefined;
	}
}

function fromAnnotations(config: Record<string, unknown>): Names {
	const annotations = asObject(config.annotations);
	const names: Names = {};
	for (const [field, keys] of Object.entries(ANNOTATIONS)) {
		const value = keys.map((key) => asName(annotations[key])).find((name) => name !== undefined);
		if (value !== undefined) names[field as keyof Names] = value;
	}
	return names;
}

/** Docker writes no names into config.json, but mounts files that are beside its own configuration of the container. */
function fromDocker(root: string, id: string, config: Record<string, unknown>): Names {
	const mounts = Array.isArray(config.mounts) ? config.mounts : [];
	const sources = mounts.map((mount) => asName(asObject(mount).source));
	const source = sources.find((path) => path?.endsWith(`/containers/${id}/resolv.conf`));
	if (source === undefined) return {};
	const own = readJson(`${root}${dirname(source)}/config.v2.json`) ?? {};
	const name = asName(own.Name)?.replace(/^\//, "");
	const image = asName(asObject(own.Config).Image);
	return { ...(name === undefined ? {} : { name }), ...(image === undefined ? {} : { image }) };
}

/** Podman keeps a list of all containers above their folders. */
function fromPodman(bundle: string, id: string): Names {
	const list = readJson(`${bundle}/../../containers.json`);
	const entry = Array.isArray(list) ? list.map(asObject).find((container) => container.id === id) : undefined;
	const names = Array.isArray(entry?.names) ? entry.names : [];
	let metadata: Record<string, unknown> = {};
	try {
		metadata = asObject(JSON.parse(asName(entry?.metadata) ?? "{}"));
	} catch {
		// Another version's.
	}
	const name = asName(names[0]);
	const image = asName(metadata["image-name"]);
	return { ...(name === undefined ? {} : { name }), ...(image === undefined ? {} : { image }) };
}

/** What follows `option` in a command line. */
function argument(args: readonly string[], option: string): string | undefined {
	const at = args.indexOf(option);
	return at < 0 ? undefined : asName(args[at + 1]);
}

/** The names that an ancestor knows; undefined when it is no runtime's. */
function fromAncestor(pid: number, id: string): Names | undefined {
	const args = readCmdline(pid);
	const command = args[0] ?? "";
	const root = `/proc/${pid}/root`;
	// It runs in the folder of a container of the pod; those of the others are beside it.
	if (/(^|\/)containerd-shim/.test(command)) {
		const config = readJson(`/proc/${pid}/cwd/../${id}/config.json`);
		return config === undefined ? {} : { ...fromDocker(root, id, config), ...fromAnnotations(config) };
	}
	if (!/(^|\/)conmon$/.test(command)) return undefined;
	const bundle = argument(args, "-b");
	const name = argument(args, "-n");
	const known = name === undefined ? {} : { name };
	if (bundle === undefined || argument(args, "-c") !== id) return known;
	const path = `${root}${bundle}`;
	return { ...known, ...fromPodman(path, id), ...fromAnnotations(readJson(`${path}/config.json`) ?? {}) };
}

/** Names of the container `id` that this process is in; without those that are nowhere, or only for its owner. */
export function containerNames(pid: number, id: string): Names {
	try {
		let ancestor = readStat(pid).parentPid;
		for (let climbed = 0; ancestor > 1 && climbed < MAX_ANCESTORS; climbed++) {
			const names = fromAncestor(ancestor, id);
			if (names !== undefined) return names;
			ancestor = readStat(ancestor).parentPid;
		}
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code.startsWith("E-TARGET-"))) throw error;
	}
	return {};
}

/** Containers of processes; each one's names are looked up once. */
export class Containers {
	readonly #names = new BoundedTable<string, Names>(MAX_CONTAINERS);

	/** The container that a process is in; undefined outside of containers, and when only its owner may know. */
	of(pid: number): Container | undefined {
		let id: string | undefined;
		try {
			id = containerIdOfCgroup(readProcfs(pid, "cgroup").toString("utf8"));
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code.startsWith("E-TARGET-"))) throw error;
		}
		return id === undefined ? undefined : { id, ...this.#names.getOrAdd(id, () => containerNames(pid, id)) };
	}
}

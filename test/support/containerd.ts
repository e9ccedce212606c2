/** A containerd of our own, with state in a folder, that runs containers by the real runc. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Missing } from "./capability.ts";
import { cache } from "./go-binaries.ts";
import { Program } from "./processes.ts";

/** Where test/containers/runtime.sh puts them. */
const BIN = join(cache, "containers/bin");

export function missingContainerd(): Missing {
	return existsSync(join(BIN, "containerd")) ? undefined : "no containerd: test/containers/runtime.sh fetches it";
}

const env = { ...process.env, PATH: `${BIN}:${process.env.PATH}` };

export interface ContainerOptions {
	/** Of the OCI specification. */
	annotations: Readonly<Record<string, string>>;
	/** Folder that is its root. */
	root: string;
	command: readonly string[];
}

export class Containerd {
	readonly #folder: string;
	readonly #address: string;
	readonly #daemon: Program;
	readonly #containers = new Map<string, Program>();

	private constructor(folder: string) {
		this.#folder = folder;
		this.#address = join(folder, "containerd.sock");
		writeFileSync(
			join(folder, "config.toml"),
			[
				"version = 2",
				`root = "${join(folder, "root")}"`,
				`state = "${join(folder, "state")}"`,
				'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
				`[grpc]\n  address = "${this.#address}"`,
				`[ttrpc]\n  address = "${this.#address}.ttrpc"`,
			].join("\n"),
		);
		this.#daemon = new Program(["containerd", "--config", join(folder, "config.toml")], { env });
	}

	/** `folder`: for its state. */
	static async start(folder: string): Promise<Containerd> {
		mkdirSync(folder, { recursive: true });
		const containerd = new Containerd(folder);
		await containerd.#daemon.until("start", ({ stderr }) =>
			stderr.includes("successfully booted") ? true : undefined,
		);
		return containerd;
	}

	/** The process that runs a container, with the input and output of its command. */
	run(id: string, { annotations, root, command }: ContainerOptions): Program {
		const options = Object.entries(annotations).flatMap(([key, value]) => ["--annotation", `${key}=${value}`]);
		const args = ["--address", this.#address, "run", "--rootfs", "--fifo-dir", join(this.#folder, "fifo"), ...options];
		const container = new Program(["ctr", ...args, root, id, ...command], { env, stdin: "pipe" });
		this.#containers.set(id, container);
		return container;
	}

	/** Ends all containers, and itself. */
	async stop(): Promise<void> {
		for (const [id, container] of this.#containers) {
			const kill = new Program(["ctr", "--address", this.#address, "task", "kill", "--signal", "KILL", id], { env });
			await kill.finish();
			await container.finish();
			// With it its shim ends.
			await new Program(["ctr", "--address", this.#address, "task", "delete", id], { env }).finish();
		}
		await this.#daemon.stop();
	}
}

/** Profiles of the growths of some seconds, for clients that wait for them. */
import { gzipSync } from "node:zlib";
import { profileComments } from "../export/pprof/comments.ts";
import { Executables } from "../export/pprof/executables.ts";
import { ProfileBuilder } from "../export/pprof/profile.ts";
import type { GomapgrowRecord, Ledger, StartRecord } from "../records/records.ts";

const MAX_PROFILES = 2;

interface Collection {
	pid: number | undefined;
	builder: ProfileBuilder;
	beganMs: number;
	finish: () => void;
}

export class Profiles {
	readonly #executables = new Executables();
	readonly #collections = new Set<Collection>();
	#start: StartRecord | undefined;
	#ledger: Ledger | undefined;

	add(record: GomapgrowRecord): void {
		switch (record.type) {
			case "start":
				this.#start = record;
				break;
			case "target":
				this.#executables.add(record);
				break;
			case "window":
			case "end":
				this.#ledger = record.ledger;
				break;
			case "growth":
				for (const { pid, builder } of this.#collections) {
					if (pid === undefined || pid === record.pid) builder.add(record, this.#executables.of(record.pid));
				}
		}
	}

	/**
	 * Collects for so long, or until `finishAll`. `pids`: processes whose executables are in it in any case. Undefined when there are as many
	 * already as there may be, or the client has gone.
	 */
	async collect(
		ms: number,
		pids: readonly number[],
		pid: number | undefined,
		gone: AbortSignal,
	): Promise<Uint8Array | undefined> {
		if (this.#collections.size >= MAX_PROFILES) return undefined;
		const builder = new ProfileBuilder({ processes: true });
		for (const known of pid === undefined ? pids : [pid]) builder.addExecutable(this.#executables.of(known));
		const wallMs = Date.now();
		const collection: Collection = { pid, builder, beganMs: performance.now(), finish: () => {} };
		this.#collections.add(collection);
		try {
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, ms);
				collection.finish = () => {
					clearTimeout(timer);
					resolve();
				};
				gone.addEventListener("abort", collection.finish);
			});
		} finally {
			this.#collections.delete(collection);
		}
		if (gone.aborted) return undefined;
		return gzipSync(
			builder.encode({
				timeNs: BigInt(wallMs) * 1_000_000n,
				durationNs: (performance.now() - collection.beganMs) * 1e6,
				comments: profileComments(this.#start === undefined ? [] : [this.#start], this.#ledger),
			}),
		);
	}

	/** The clients get what there is. */
	finishAll(): void {
		for (const { finish } of this.#collections) finish();
	}
}

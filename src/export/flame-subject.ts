/** What a flame graph is of: `etcd 4711, go1.23.5`, and what is missing in it. */
import type { TargetRecord, TierLedger } from "../records/records.ts";
import { formatShare, plural } from "../text/units.ts";

type Named = Pick<TargetRecord, "pid" | "name" | "go_version">;

/** Processes that are counted one by one. */
const MAX_PROCESSES = 65_536;

/** The processes of a flame graph: one is named, several are counted. */
export class FlameSubject {
	#first: Named | undefined;
	readonly #pids = new Set<number>();
	#more = false;

	add({ pid, name, go_version }: Named): void {
		this.#first ??= { pid, name, go_version };
		if (this.#pids.has(pid)) return;
		if (this.#pids.size >= MAX_PROCESSES) this.#more = true;
		else this.#pids.add(pid);
	}

	/** `growths`: their ledger; undefined when nobody kept it. */
	text(growths: TierLedger | undefined): string {
		const parts: string[] = [];
		const first = this.#first;
		const count = this.#pids.size;
		if (count > 1) parts.push(`${this.#more ? "more than " : ""}${plural(count, "process")}`);
		else if (first !== undefined) parts.push(`${first.name} ${first.pid}, ${first.go_version}`);
		const { hits = 0, recorded = 0, lost = 0, sampled_out = 0, throttled = 0 } = growths ?? {};
		if (sampled_out + throttled > 0) parts.push(`${formatShare(recorded, hits)} of the growths recorded`);
		if (lost > 0) parts.push(`${plural(lost, "growth")} ${lost === 1 ? "was" : "were"} lost`);
		return parts.join(" · ");
	}
}

/** The same of processes that are known already. */
export function flameSubject(targets: readonly Named[], growths: TierLedger | undefined): string {
	const subject = new FlameSubject();
	for (const target of targets) subject.add(target);
	return subject.text(growths);
}

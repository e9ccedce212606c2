import type { TargetRecord } from "../records/records.ts";
import { formatCount, plural } from "../text/units.ts";

/** What a flame graph is of: `etcd 4711, go1.23.5`, and what is missing in it. */
export function flameSubject(targets: readonly TargetRecord[], lost: number): string {
	const [first, ...others] = targets;
	const parts: string[] = [];
	if (first !== undefined) {
		const pids = new Set(targets.map((target) => target.pid));
		parts.push(
			others.length === 0 || pids.size === 1
				? `${first.name} ${first.pid}, ${first.go_version}`
				: plural(pids.size, "process"),
		);
	}
	if (lost > 0) parts.push(`${formatCount(lost)} growths were lost`);
	return parts.join(" · ");
}

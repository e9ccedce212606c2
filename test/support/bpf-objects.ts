/** BPF objects of one process among those of the kernel: others may trace at the same time. */
import { readdirSync, readFileSync } from "node:fs";

const KINDS = ["prog", "link", "map"] as const;
export type BpfIds = Record<(typeof KINDS)[number], number[]>;

/** Ids of what the process holds descriptors of (proc_pid_fdinfo(5)); empty when it has ended. */
export function heldBpfObjects(pid: number): BpfIds {
	const ids: BpfIds = { prog: [], link: [], map: [] };
	let fds: string[];
	try {
		fds = readdirSync(`/proc/${pid}/fdinfo`);
	} catch {
		return ids;
	}
	for (const fd of fds) {
		let text = "";
		try {
			text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
		} catch {
			// Closed since the listing.
			continue;
		}
		// A link tells its program's id, too.
		const kind = KINDS.find((candidate) => candidate !== "prog" && text.includes(`\n${candidate}_id:`)) ?? "prog";
		const id = new RegExp(`^${kind}_id:\\s*(\\d+)`, "m").exec(text)?.[1];
		if (id !== undefined) ids[kind].push(Number(id));
	}
	return ids;
}

/** Those that are still in the kernel. Needs bpftool. */
export function stillThere(ids: BpfIds): BpfIds {
	const all = (kind: keyof BpfIds): Set<number> => {
		const { stdout } = Bun.spawnSync(["bpftool", "--json", kind, "list"]);
		return new Set((JSON.parse(stdout.toString() || "[]") as { id: number }[]).map(({ id }) => id));
	};
	return {
		prog: ids.prog.filter((id) => all("prog").has(id)),
		link: ids.link.filter((id) => all("link").has(id)),
		map: ids.map.filter((id) => all("map").has(id)),
	};
}

/** Which executable the growths of a process belong to: a profile or a mapping is of one executable. */
import { basename } from "node:path";
import { BoundedTable } from "../../lib/bounded-table.ts";
import type { TargetRecord } from "../../records/records.ts";

export interface ExecutableIdentity {
	/** Equal for processes of the same file: its path and its build id. */
	key: string;
	/** Name of the process, for file names and messages. */
	name: string;
	exe: string;
	buildId: string;
	goVersion: string;
}

/** Processes that are remembered; the ones that have not been used for longest are forgotten. */
const MAX_PROCESSES = 65_536;
const UNKNOWN: ExecutableIdentity = { key: "", name: "unknown", exe: "", buildId: "", goVersion: "" };

export class Executables {
	readonly #byPid = new BoundedTable<number, ExecutableIdentity>(MAX_PROCESSES);

	/** A later record of the same process replaces the earlier one: it has executed another file. */
	add({
		pid,
		name,
		exe,
		build_id = "",
		go_version,
	}: Omit<Pick<TargetRecord, "pid" | "name" | "exe" | "build_id" | "go_version">, never>): ExecutableIdentity {
		const identity = {
			key: `${exe}\n${build_id}`,
			name: name === "" ? basename(exe) : name,
			exe,
			buildId: build_id,
			goVersion: go_version,
		};
		this.#byPid.set(pid, identity);
		return identity;
	}

	/** The one without a name where the recording has no target record of the process. */
	of(pid: number): ExecutableIdentity {
		return this.#byPid.get(pid) ?? UNKNOWN;
	}
}

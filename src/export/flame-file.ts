/** Writes a flame graph of the growths so far to a file of its own in the current folder. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";
import type { TargetRecord } from "../records/records.ts";
import { flameSvg } from "./flame/svg.ts";
import type { FlameGraph } from "./flame/tree.ts";

const MAX_NAME = 40;
/** Files of the same second are numbered up to this. */
const MAX_NUMBER = 99;

function subjectOf(targets: readonly TargetRecord[]): string {
	const [first, ...others] = targets;
	if (first === undefined) return "no process";
	return others.length === 0 ? `${first.name} ${first.pid}, ${first.go_version}` : `${targets.length} processes`;
}

/** `gomapgrow-etcd-4711-20250131-120107` : what is no letter or digit of the process's name becomes `_`. */
function flameFileName(targets: readonly TargetRecord[], time: Date): string {
	const [first, ...others] = targets;
	const name = first?.name.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, MAX_NAME) ?? "";
	const subject =
		first === undefined ? "none" : others.length === 0 ? `${name}-${first.pid}` : `${targets.length}-processes`;
	const stamp = time.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
	return `gomapgrow-${subject}-${stamp}`;
}

/** Returns the path. Never writes to a file or through a link that is there already. Throws E-IO. */
export function writeFlameFile(graph: FlameGraph, targets: readonly TargetRecord[], time: Date): string {
	const svg = flameSvg(graph, { subject: subjectOf(targets) });
	const base = resolve(flameFileName(targets, time));
	for (let number = 1; ; number++) {
		const path = number === 1 ? `${base}.svg` : `${base}-${number}.svg`;
		try {
			writeFileSync(path, svg, { flag: "wx", mode: 0o644 });
			return path;
		} catch (error) {
			const code = errnoCode(error);
			if (code === "EEXIST" && number < MAX_NUMBER) continue;
			throw new GomapgrowError("E-IO", { wanted: `to write ${path}`, found: code ?? String(error), cause: error });
		}
	}
}

/** Reads the maps of a process in a process of its own. */
import { MOST_GROUPS } from "../serve/map-census.ts";

/** Of one processor, and for one reading. */
const SHARE = "10%";
const TIMEOUT_S = 60;
/** Longer answers are not read: fifty groups are some ten kilobytes. */
const MAX_ANSWER = 4 << 20;

/** What `maps` prints; undefined where it fails, or takes too long. */
export async function readHeldMaps(pid: number, stopped: AbortSignal): Promise<string | undefined> {
	const child = Bun.spawn(
		[
			...[process.execPath, "maps", String(pid), "--by", "holder", "--json", "--top", String(MOST_GROUPS)],
			...["--cpu", SHARE, "--timeout", `${TIMEOUT_S}s`],
		],
		{ stdin: "ignore", stdout: "pipe", stderr: "ignore", signal: stopped, timeout: 2 * TIMEOUT_S * 1000 },
	);
	const decoder = new TextDecoder();
	let text = "";
	for await (const chunk of child.stdout) {
		text += decoder.decode(chunk, { stream: true });
		if (text.length <= MAX_ANSWER) continue;
		child.kill("SIGKILL");
		return undefined;
	}
	return (await child.exited) === 0 ? text : undefined;
}

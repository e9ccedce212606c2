/** The tool for a long time, while processes come and go: memory, descriptors and entries of the kernel's tables, measured again and again. */
import { dlopen } from "bun:ffi";
import { closeSync, copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { libbpfPath } from "../../src/kernel/libbpf.ts";
import { goBuild } from "./go-binaries.ts";
import { type Exit, Program } from "./processes.ts";
import { GOMAPGROW } from "./trace.ts";
import { descriptorsOf, memoryOf } from "./usage.ts";

export interface Sample {
	seconds: number;
	bytes: number;
	descriptors: number;
	/** Entries of the hash tables of the BPF programs. */
	entries: number;
}

export interface Soak {
	samples: Sample[];
	processes: number;
	exit: Exit;
	stderr: string;
}

/** BPF_MAP_TYPE_HASH, PERCPU_HASH, LRU_HASH (include/uapi/linux/bpf.h): those of the tool's tables that can have more or fewer entries. */
const HASHES = new Set([1, 5, 9]);

const library = dlopen(libbpfPath(), {
	bpf_map_get_fd_by_id: { args: ["u32"], returns: "i32" },
	bpf_map_get_next_key: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});

function entriesOf(pid: number): number {
	let entries = 0;
	for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
		let info = "";
		try {
			info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
		} catch {
			// Closed since the listing.
			continue;
		}
		const field = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(info)?.[1]);
		if (!HASHES.has(field("map_type"))) continue;
		const map = library.symbols.bpf_map_get_fd_by_id(field("map_id"));
		if (map < 0) throw new Error(`BPF map ${field("map_id")}: error ${map}`);
		const key = new Uint8Array(field("key_size"));
		// A key that is removed meanwhile begins the walk anew.
		for (let n = 0; n < field("max_entries"); n++) {
			if (library.symbols.bpf_map_get_next_key(map, n === 0 ? null : key, key) !== 0) break;
			entries++;
		}
		closeSync(map);
	}
	return entries;
}

export interface SoakOptions {
	seconds: number;
	/** Between two measurements. */
	everySeconds: number;
	/** Of a process that is there all the time. */
	goroutines: number;
	types: number;
	/** Where executables and records go. */
	folder: string;
	onSample?: (sample: Sample) => void;
}

/** Watches all processes of one name: one that stays, and one or two that come each second and live for a few seconds. */
export async function soak(options: SoakOptions): Promise<Soak> {
	const { seconds, everySeconds, goroutines, types, folder, onSample } = options;
	const path = join(folder, `gmgsoak${process.pid}`);
	const other = join(folder, "other", basename(path));
	copyFileSync(goBuild({ version: "1.27", program: "crowd" }), path);
	await Bun.write(other, Bun.file(goBuild({ version: "1.23", program: "crowd" })));
	Bun.spawnSync(["chmod", "755", other]);
	const stays = new Program([path, String(goroutines), String(types), `${seconds + 600}s`]);
	await stays.untilOutput(/^pid/m, 60_000);
	const tool = new Program([
		GOMAPGROW,
		"watch",
		"--budget",
		"off",
		"--interval",
		"1s",
		"-o",
		"/dev/null",
		basename(path),
	]);
	const running = new Set<Program>();
	const samples: Sample[] = [];
	let processes = 0;
	try {
		await tool.untilOutput(/growth=/, 60_000);
		const begun = performance.now();
		const elapsed = (): number => (performance.now() - begun) / 1000;
		let next = 0;
		while (elapsed() < seconds) {
			const short = new Program([processes % 2 === 0 ? path : other, "50", "20", "2500ms"]);
			running.add(short);
			void short.exited.then(() => running.delete(short));
			processes++;
			// Both are of the test alone: what it prints is not kept.
			tool.stdout = "";
			if (elapsed() >= next) {
				const sample = {
					...{ seconds: elapsed(), bytes: memoryOf(tool.pid).now, descriptors: descriptorsOf(tool.pid) },
					entries: entriesOf(tool.pid),
				};
				samples.push(sample);
				onSample?.(sample);
				next += everySeconds;
			}
			await Bun.sleep(1000);
		}
		tool.signal("SIGINT");
		const exit = await tool.finish(60_000);
		return { samples, processes, exit, stderr: tool.stderr };
	} finally {
		await Promise.all([stays, tool, ...running].map((program) => program.stop()));
	}
}

/** Least squares: how much a value grows in a minute. */
export function slopePerMinute(samples: readonly Sample[], value: (sample: Sample) => number): number {
	const n = samples.length;
	const meanX = samples.reduce((sum, { seconds }) => sum + seconds, 0) / n;
	const meanY = samples.reduce((sum, sample) => sum + value(sample), 0) / n;
	const xy = samples.reduce((sum, sample) => sum + (sample.seconds - meanX) * (value(sample) - meanY), 0);
	const xx = samples.reduce((sum, { seconds }) => sum + (seconds - meanX) ** 2, 0);
	return xx === 0 ? 0 : (60 * xy) / xx;
}

/** Counts how often instructions are passed with the kernel's own perf events, without any BPF program (native/uprobe-counter.c). */
import { closeSync, readFileSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { parseCpuList } from "./cpu-list.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { cstring, type Libbpf, libbpf } from "./libbpf.ts";
import { attachError } from "./uprobe-link.ts";

const PMU_TYPE = "/sys/bus/event_source/devices/uprobe/type";
const ONLINE_CPUS = "/sys/devices/system/cpu/online";

function readSysfs(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (cause) {
		throw new GomapgrowError("E-HOST-UPROBE", {
			wanted: "perf events on uprobes (Linux 4.17, CONFIG_UPROBE_EVENTS) and /sys mounted",
			found: `no ${path}`,
			mend: "mount -t sysfs sysfs /sys",
			cause,
		});
	}
}

/** Numbers of the processors that run. Throws E-HOST-UPROBE. */
export function onlineCpus(): number[] {
	return parseCpuList(readSysfs(ONLINE_CPUS));
}

export class UprobeCounters {
	readonly #lib: Libbpf = libbpf();
	readonly #pmu: number;
	readonly #path: string;
	/** Must stay where it is while an event is opened. */
	readonly #cpath: Buffer;
	readonly #offsets: readonly number[];
	/** Of each instruction: an event for each thread or processor. */
	readonly #events: number[][];
	/** Of each thread. */
	readonly #migrations = new Map<number, number>();
	readonly #sum = new BigUint64Array(new ArrayBuffer(8));

	/** `path`: the executable as we can open it; `offsets`: of the instructions in that file. Counts nothing yet. Throws E-HOST-UPROBE. */
	constructor(path: string, offsets: readonly number[]) {
		this.#pmu = Number(readSysfs(PMU_TYPE));
		this.#path = path;
		this.#cpath = cstring(path);
		this.#offsets = offsets;
		this.#events = offsets.map(() => []);
	}

	/** Counts all processes that run this file, on one processor. Throws E-HOST-… */
	countCpu(cpu: number): void {
		this.#offsets.forEach((offset, index) => {
			this.#add(index, this.#open(offset, -1, cpu));
		});
	}

	/** Counts one thread, and none that it starts. Returns whether it still runs. Throws E-HOST-… */
	countThread(tid: number): boolean {
		return this.#offsets.every((offset, index) => {
			const opened = this.#open(offset, tid, -1);
			if (opened === -ERRNO.ESRCH) return false;
			this.#add(index, opened);
			return true;
		});
	}

	#open(offset: number, tid: number, cpu: number): number {
		return this.#lib.gmg_open_uprobe_counter(this.#pmu, this.#cpath, offset, tid, cpu);
	}

	#add(index: number, opened: number): void {
		this.#events[index]?.push(this.#checked(opened));
	}

	#checked(opened: number): number {
		if (opened === -ERRNO.EMFILE) {
			throw new GomapgrowError("E-HOST-UPROBE", {
				wanted: "a perf event for each probed function and processor or thread",
				found: "no more file descriptors (EMFILE)",
				mend: "ulimit -n 65536",
			});
		}
		if (opened < 0) throw attachError(this.#path, -opened);
		return opened;
	}

	/** Counts how often a thread, and those that it starts from now on, move to another processor. Throws E-HOST-… */
	countMigrations(tid: number): void {
		if (this.#migrations.has(tid)) return;
		const opened = this.#lib.gmg_open_migration_counter(tid);
		if (opened === -ERRNO.ESRCH) return;
		this.#migrations.set(tid, this.#checked(opened));
	}

	/** How often they have. */
	get migrations(): number {
		return this.#read([...this.#migrations.values()]);
	}

	/** How often the instruction with this index has been passed since it is counted. */
	read(index: number): number {
		return this.#read(this.#events[index] ?? []);
	}

	#read(events: readonly number[]): number {
		if (events.length === 0) return 0;
		const fds = new Int32Array(new ArrayBuffer(4 * events.length));
		fds.set(events);
		const code = this.#lib.gmg_read_counters(fds, fds.length, this.#sum);
		if (code !== 0)
			throw new GomapgrowError("E-HOST-UPROBE", { wanted: "to read a perf event", found: errnoName(code) });
		return Number(this.#sum[0]);
	}

	close(): void {
		for (const events of this.#events) for (const fd of events.splice(0)) closeSync(fd);
		for (const fd of this.#migrations.values()) closeSync(fd);
		this.#migrations.clear();
	}
}

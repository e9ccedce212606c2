/** Where the threads of a process are: those that sleep in the kernel from /proc, those that run by a timer interrupt. */
import { sampleThreads } from "../kernel/thread-sampler.ts";
import type { TargetProcess } from "../process/discover.ts";
import { readThread, threadIdsByNamespace } from "../process/threads.ts";
import type { ThreadPlace, ThreadReader } from "../snapshot/running.ts";

export class TargetThreads implements ThreadReader {
	readonly #process: TargetProcess;
	/** Thread ids as the process knows them -> ours; empty in the same PID namespace. */
	#ids: ReadonlyMap<number, number> = new Map();

	constructor(process: TargetProcess) {
		this.#process = process;
	}

	places(tids: readonly number[]): ReadonlyMap<number, ThreadPlace | string> {
		const places = new Map<number, ThreadPlace | string>();
		if (tids.length === 0) return places;
		const { pid, namespacePid } = this.#process;
		if (namespacePid !== pid) this.#ids = threadIdsByNamespace(pid);
		const onProcessor: number[] = [];
		for (const tid of tids) {
			const thread = readThread(pid, this.#idOf(tid));
			if (thread === "running") onProcessor.push(tid);
			else if (thread === undefined) places.set(tid, "its thread has ended or may not be looked at");
			else places.set(tid, { pc: thread.pc, sp: thread.sp, origin: "kernel" });
		}
		const samples = sampleThreads(onProcessor.map((tid) => this.#idOf(tid)));
		for (const tid of onProcessor) {
			const sample = samples.get(this.#idOf(tid)) ?? "its thread was not sampled";
			places.set(tid, typeof sample === "string" ? sample : { ...sample, origin: "sample" });
		}
		return places;
	}

	isStill(tid: number, place: ThreadPlace): boolean {
		const now = readThread(this.#process.pid, this.#idOf(tid));
		return typeof now === "object" && now.pc === place.pc && now.sp === place.sp;
	}

	#idOf(tid: number): number {
		return this.#ids.get(tid) ?? tid;
	}
}

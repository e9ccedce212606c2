import { readFileSync, writeFileSync } from "node:fs";

/** Processor seconds of this thread and those that work for it; a busy machine counts less than by the clock. */
export function processorMs(): number {
	const { user, system } = process.threadCpuUsage();
	return (user + system) / 1000;
}

/** Makes the kernel count the highest memory use anew (proc(5), clear_refs). */
export function resetPeak(): void {
	writeFileSync("/proc/self/clear_refs", "5");
}

/** The most memory that the process held since then, and what it holds now, in bytes. */
export function memory(): { peak: number; now: number } {
	const status = readFileSync("/proc/self/status", "utf8");
	const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
	return { peak: kib("VmHWM") * 1024, now: kib("VmRSS") * 1024 };
}

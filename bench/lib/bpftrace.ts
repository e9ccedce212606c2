/** bpftrace as a contestant. It probes the first instruction of a function, which must have a symbol. */
import { Breakpoint } from "./breakpoint.ts";
import { Tracer } from "./tracer.ts";

/** The command that counts the calls of a function, and prints the count every 100 ms when `reports` is set. */
function bpftraceCommand(pid: number, path: string, fn: string, reports: boolean): string[] {
	const count = `uprobe:${path}:"${fn}" { @calls = count(); }`;
	return ["bpftrace", "-p", String(pid), "-e", reports ? `${count} interval:ms:100 { print(@calls); }` : count];
}

/** `entry`: run-time address of the function. */
export function startBpftrace(pid: number, path: string, fn: string, entry: number, reports = false): Tracer {
	return new Tracer(bpftraceCommand(pid, path, fn, reports), new Breakpoint(pid, entry));
}

export function requireBpftrace(): void {
	if (Bun.which("bpftrace") === null) throw new Error("wanted bpftrace to compare with; found none; run: make bench");
}

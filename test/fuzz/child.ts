/**
 * Runs cases in a process of its own, which the driver ends when one does not: child.ts WHICH SEED FIRST LAST. Prints a line of JSON before
 * each case and after each in which something forbidden happened.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { PatchedSource } from "../support/patched-source.ts";
import { Cases, type Which } from "./cases.ts";
import { exercise, type Outcome } from "./exercise.ts";
import { memory, processorMs, resetPeak } from "./meter.ts";
import type { Damage } from "./mutations.ts";
import type { FuzzSubject } from "./subjects.ts";

/** Memory that one case may take on top of what the process had: the readers' own bounds, and what the collector leaves lying. */
const PEAK_BYTES = 160 << 20;

export type Message =
	| { event: "ready" }
	| { event: "start"; index: number; what: string }
	| { event: "end"; index: number; outcome: Outcome; ms: number; peakMiB: number };

const [which, seed, first, last] = process.argv.slice(2);
const cases = new Cases(which as Which, Number(seed));
/** By program, so that a reader that writes into what it was given is noticed. */
const digests = new Map<string, string>();
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function send(message: Message): void {
	const line = Buffer.from(`${JSON.stringify(message)}\n`);
	for (let done = 0; done < line.length; ) done += writeSync(1, line, done);
}

/** Runs a case; `grown`: the most memory that it took on top, in bytes. */
function measure({ bytes, probes }: FuzzSubject, variant: Damage): { outcome: Outcome; ms: number; grown: number } {
	const source = new PatchedSource(bytes, variant);
	resetPeak();
	const { now } = memory();
	const started = processorMs();
	const outcome = exercise(source, probes);
	return { outcome, ms: processorMs() - started, grown: memory().peak - now };
}

// So that no case is blamed for the time and memory that this takes.
for (const name of cases.programs) cases.subjects.get(name);
send({ event: "ready" });
for (let index = Number(first); index < Math.min(Number(last), cases.count); index++) {
	const { subject, variant } = cases.at(index);
	if (!digests.has(subject.name)) digests.set(subject.name, digest(subject.bytes));
	send({ event: "start", index, what: `${subject.name}: ${variant.what.join("; ")}` });
	if (memory().now > 600 << 20) Bun.gc(true);
	let measured = measure(subject, variant);
	if (measured.grown > PEAK_BYTES) {
		// It may be what earlier cases left behind: only what happens again counts.
		Bun.gc(true);
		const again = measure(subject, variant);
		if (again.grown < measured.grown) measured = again;
	}
	const { outcome, ms, grown } = measured;
	if (grown > PEAK_BYTES) outcome.violations.push(`memory: grew by ${grown >> 20} MiB`);
	send({ event: "end", index, outcome, ms, peakMiB: grown / 1048576 });
}
for (const { name, bytes } of cases.subjects.loaded) {
	const before = digests.get(name);
	if (before !== undefined && digest(bytes) !== before)
		throw new Error("a reader wrote into the bytes that it was given");
}

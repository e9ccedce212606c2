/**
 * Runs cases in a process of its own, which the driver ends when one does not: child.ts WHICH SEED FIRST LAST. Prints a line of JSON before
 * each case and after each in which something forbidden happened.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { PatchedSource } from "../support/patched-source.ts";
import { Prng } from "../support/prng.ts";
import { exercise, type Outcome } from "./exercise.ts";
import { memory, processorMs, resetPeak } from "./meter.ts";
import { damage } from "./mutations.ts";
import { fuzzSubjects } from "./subjects.ts";

/** Memory that one case may take on top of what the process had: the readers' own bounds, and what the collector leaves lying. */
const PEAK_BYTES = 160 << 20;

export type Message =
	| { event: "start"; index: number; what: string }
	| { event: "end"; index: number; outcome: Outcome; ms: number; peakMiB: number };

const [which, seed, first, last] = process.argv.slice(2);
const subjects = fuzzSubjects(which === "few" ? "few" : "all");
const digest = (): string =>
	createHash("sha256")
		.update(Buffer.concat(subjects.map(({ bytes }) => bytes)))
		.digest("hex");
const before = digest();

function send(message: Message): void {
	const line = Buffer.from(`${JSON.stringify(message)}\n`);
	for (let done = 0; done < line.length; ) done += writeSync(1, line, done);
}

for (let index = Number(first); index < Number(last); index++) {
	const random = new Prng(Number(seed), index);
	const subject = subjects[index % subjects.length];
	if (subject === undefined) throw new Error("no programs");
	const variant = damage(subject, subjects, random);
	send({ event: "start", index, what: `${subject.name}: ${variant.what.join("; ")}` });
	const source = new PatchedSource(subject.bytes, variant);
	if (memory().now > 600 << 20) Bun.gc(true);
	resetPeak();
	const { now } = memory();
	const started = processorMs();
	const outcome = exercise(source, subject.probes);
	const ms = processorMs() - started;
	const grown = memory().peak - now;
	if (grown > PEAK_BYTES) outcome.violations.push(`memory: grew by ${grown >> 20} MiB`);
	send({ event: "end", index, outcome, ms, peakMiB: grown / 1048576 });
}
if (digest() !== before) {
	throw new Error("a reader wrote into the bytes that it was given");
}

/** What is observed must not notice: a minute of attaching to and detaching from programs that check themselves. */
import { expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start } from "../support/processes.ts";
import { startGomapgrow } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const SECONDS = 60;
const ATTACHMENTS = 50;
/** How long a busy machine may take for so many. */
const AT_MOST_SECONDS = 150;

/**
 * Attaches and detaches for so long and so often, with a pause of a few milliseconds between. `idle`: how often nothing was seen,
 * which happens on a busy machine where the target gets no processor for that long.
 */
async function attachAgainAndAgain(target: Program): Promise<{ attachments: number; idle: number }> {
	let attachments = 0;
	let idle = 0;
	for (
		const until = performance.now() + SECONDS * 1000;
		performance.now() < until || attachments < ATTACHMENTS;
		attachments++
	) {
		// Of different length, so that they end at different moments of the target's work.
		const duration = `${150 + (attachments % 7) * 50}ms`;
		const program = startGomapgrow(["watch", "--interval", "100ms", "--duration", duration, String(target.pid)]);
		const exit = await program.finish(20_000);
		expect(target.running).toBe(true);
		expect(exit.code).toBe(0);
		const [, hits] = /^ledger: growth ([\d,]+) hits = /m.exec(program.stderr) ?? [];
		expect(hits).toBeDefined();
		if (hits === "0") idle++;
		await Bun.sleep(attachments % 20);
	}
	return { attachments, idle };
}

testWith(missingForTracing())(
	`a classic and a swiss program survive ${SECONDS} seconds and ${ATTACHMENTS} attachments each`,
	async () => {
		const programs = ["1.19", "1.27"].map((version) =>
			start([buildProgram("torture", version, { stripped: true }), "-for", `${AT_MOST_SECONDS}s`]),
		);
		const outcomes = await Promise.all(programs.map(attachAgainAndAgain));
		for (const program of programs) program.signal("SIGTERM");
		const exits = await Promise.all(programs.map((program) => program.finish(30_000)));
		for (const [i, program] of programs.entries()) {
			expect(program.stderr).toBe("");
			expect(program.stdout).toMatch(/\nOK [1-9]\d* keys inserted, [1-9]\d* stacks grown, [1-9]\d* collections\n$/);
			expect(exits[i]).toEqual({ code: 0, signal: undefined });
		}
		for (const { attachments, idle } of outcomes) expect(idle).toBeLessThan(attachments / 10);
	},
	(AT_MOST_SECONDS + 60) * 1000,
);

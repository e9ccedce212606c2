import { GomapgrowError } from "../errors/error.ts";
import { sanitize } from "../lib/sanitize.ts";
import { asUsed, type UsedCommand } from "./used-command.ts";

/** Longer than any sentence of ours, shorter than what would hide it. */
const MAX_SENTENCE = 2000;

/** Keeps the line breaks of our own texts, but nothing else that could act on a terminal. */
function safeLines(text: string, indent: string): string {
	return text
		.split("\n")
		.map((line) => sanitize(line, MAX_SENTENCE))
		.join(`\n${indent}`);
}

/**
 * An error as shown on standard error, ending in a line feed: what was wanted and found, then what fixes it: `run:` and a command, or
 * advice. Anything but a GomapgrowError is a fault of this program and gets the code E-INTERNAL. Never a stack trace.
 */
export function errorText(error: unknown, used?: UsedCommand): string {
	if (!(error instanceof GomapgrowError)) {
		const message = error instanceof Error ? error.message || error.name : String(error);
		return `error[E-INTERNAL]: ${safeLines(message, "  ")}\n  this is a fault of gomapgrow, not of the observed program\n`;
	}
	const head = `error[${error.code}]: wanted ${safeLines(error.wanted, "  ")}; found ${safeLines(error.found, "  ")}\n`;
	const advice = error.advice === undefined ? "" : `  ${safeLines(error.advice, "  ")}\n`;
	if (error.mend === undefined) return head + advice;
	const command = used === undefined ? error.mend : asUsed(error.mend, used);
	return `${head}${advice}  run:  ${safeLines(command, "        ")}\n`;
}

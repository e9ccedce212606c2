/**
 * Every error that a user can meet has one code, one exit code and one sentence each for what was wanted,
 * what was found and what to do. The codes are stable: scripts and documents name them.
 */

import { inWords } from "./errno-words.ts";

/** Exit codes of the executable (README, "Exit codes"). */
export const EXIT = { done: 0, failed: 1, usage: 2, host: 3, target: 4, check: 5 } as const;

/** Error code -> exit code. A code is never reused for another meaning. */
export const ERROR_CODES = {
	"E-USAGE": EXIT.usage,
	"E-IO": EXIT.failed,
	"E-INTERNAL": EXIT.failed,
	"E-TIMEOUT": EXIT.failed,
	"E-RECORD-SCHEMA": EXIT.failed,
	"E-RECORD-MALFORMED": EXIT.failed,
	"E-HOST-OS": EXIT.host,
	"E-HOST-CAPS": EXIT.host,
	"E-HOST-BPF": EXIT.host,
	"E-HOST-RINGBUF": EXIT.host,
	"E-HOST-UPROBE": EXIT.host,
	"E-HOST-MEMLOCK": EXIT.host,
	"E-HOST-SECCOMP": EXIT.host,
	"E-HOST-PIDNS": EXIT.host,
	"E-HOST-LIBBPF": EXIT.host,
	"E-TARGET-NOT-FOUND": EXIT.target,
	"E-TARGET-AMBIGUOUS": EXIT.target,
	"E-TARGET-GONE": EXIT.target,
	"E-TARGET-DENIED": EXIT.target,
	"E-TARGET-EXEC": EXIT.target,
	"E-TARGET-PIDNS": EXIT.target,
	"E-BIN-NOT-ELF": EXIT.target,
	"E-BIN-TRUNCATED": EXIT.target,
	"E-BIN-MALFORMED": EXIT.target,
	"E-BIN-32BIT": EXIT.target,
	"E-BIN-ARCH": EXIT.target,
	"E-BIN-NOT-GO": EXIT.target,
	"E-BIN-GO-OLD": EXIT.target,
	"E-BIN-GO-NEW": EXIT.target,
	"E-BIN-NO-MAPS": EXIT.target,
	"E-BIN-NO-SITES": EXIT.target,
	"E-BIN-CHANGED": EXIT.target,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
	/** What the tool needed, as a clause: "a 64-bit ELF executable". */
	wanted: string;
	/** What it found instead, quoting values: "a 32-bit ELF file (EI_CLASS 1)". */
	found: string;
	/** The command that fixes it, with a comment behind `#`; "gomapgrow …" stands for the command that failed. Absent when none can. */
	mend?: string;
	/** What fixes it that is no command. */
	advice?: string;
	cause?: unknown;
}

/** An error to be shown to the user as `error[CODE]: wanted …; found …` without a stack trace. */
export class GomapgrowError extends Error {
	readonly code: ErrorCode;
	readonly wanted: string;
	readonly found: string;
	readonly mend: string | undefined;
	readonly advice: string | undefined;

	constructor(code: ErrorCode, details: ErrorDetails) {
		const found = inWords(details.found);
		super(`${code}: wanted ${details.wanted}; found ${found}`, { cause: details.cause });
		this.name = "GomapgrowError";
		this.code = code;
		this.wanted = details.wanted;
		this.found = found;
		this.mend = details.mend;
		this.advice = details.advice;
	}

	get exitCode(): number {
		return ERROR_CODES[this.code];
	}
}

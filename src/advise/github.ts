/** Annotations of GitHub Actions (workflow commands on standard output). */
import { relative } from "node:path";
import type { Advice, AdviceRecord } from "./record.ts";
import { editText, KIND_NAMES, sentences } from "./wording.ts";

/** actions/toolkit, command.ts: what ends a command or begins a new one must not come from a name. */
function data(text: string): string {
	return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
	return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/**
 * One line for each advice whose file is known and lies below the workspace: GitHub shows others nowhere. `pathOf`: the
 * file's absolute path.
 */
export function githubAnnotations(
	record: AdviceRecord,
	workspace: string,
	pathOf: (advice: Advice) => string | undefined,
): string {
	const lines = record.advice.flatMap((advice) => {
		const { kind, make_at, hint } = advice;
		const path = pathOf(advice);
		if (path === undefined || make_at.line === undefined) return [];
		const file = relative(workspace, path);
		if (file === "" || file.startsWith("..") || file.startsWith("/")) return [];
		const level = kind === "leave" ? "notice" : "warning";
		const what = hint === undefined || kind === "leave" ? "" : `${editText(advice)}: `;
		const title = `gomapgrow: ${KIND_NAMES[kind]}`;
		const message = what + sentences(advice, record.observed_ns).join("; ");
		return [`::${level} file=${property(file)},line=${make_at.line},title=${property(title)}::${data(message)}\n`];
	});
	return lines.join("");
}

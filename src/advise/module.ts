/** Which module a line belongs to. */

import type { MadeAt } from "../records/makes.ts";

/** A file in the module cache, or of a build with -trimpath: "…/golang.org/x/net@v0.10.0/http2/server.go". */
const VERSIONED = /(?:^|\/pkg\/mod\/|^)((?:[^/@]+\/)*[^/@]+)@v[^/]*\//;
const VENDORED = /\/vendor\/([^/]+\.[^/]+(?:\/[^/]+){0,2})\//;

/**
 * `own`: the line belongs to the main module, or to a program that was built outside of one. `module`: what it belongs
 * to, where that can be seen by its file or package.
 */
export function moduleOf({ fn, file }: MadeAt, mainModule: string | undefined): { module?: string; own: boolean } {
	const path = packageOf(fn);
	if (path === "main" || (mainModule !== undefined && isIn(path, mainModule))) {
		return mainModule === undefined ? { own: true } : { module: mainModule, own: true };
	}
	const versioned = file === undefined ? undefined : (afterCache(file) ?? VENDORED.exec(file)?.[1]);
	if (versioned !== undefined) return { module: versioned, own: false };
	// The packages of the standard library have no dot in the first part of their path.
	if (!(path.split("/")[0] ?? "").includes("."))
		return mainModule === undefined ? { own: path !== "" && !isStandard(file) } : { module: "std", own: false };
	return { module: path, own: false };
}

function afterCache(file: string): string | undefined {
	const at = file.lastIndexOf("/pkg/mod/");
	return VERSIONED.exec(at < 0 ? file : file.slice(at + "/pkg/mod/".length))?.[1];
}

/** Of a program without module information, by where the file is: $GOROOT/src, and what -trimpath leaves of it. */
function isStandard(file: string | undefined): boolean {
	return (
		file !== undefined &&
		(/(^|\/)(go|goroot|go-?\d[\d.]*)\/src\//.test(file) || /^[a-z]+(\/[a-z\d]+)*\/[\w.]+\.go$/.test(file))
	);
}

function isIn(path: string, module: string): boolean {
	return path === module || path.startsWith(`${module}/`);
}

/** The import path in a full function name: "example.com/a/store.(*Index).Add" -> "example.com/a/store". */
function packageOf(fn: string): string {
	const bracket = fn.search(/[([]/);
	const slash = fn.lastIndexOf("/", bracket < 0 ? fn.length : bracket);
	const dot = fn.indexOf(".", slash + 1);
	return (dot < 0 ? fn : fn.slice(0, dot)).replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
		String.fromCharCode(Number.parseInt(hex, 16)),
	);
}

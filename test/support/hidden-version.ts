/** Go executables without what says by which version they were made. */
import { readFileSync } from "node:fs";

const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");

function replaceAll(bytes: Buffer, what: Buffer, by: Buffer): number {
	let count = 0;
	for (let at = bytes.indexOf(what); at >= 0; at = bytes.indexOf(what, at + what.length), count++) by.copy(bytes, at);
	return count;
}

/** The file without build information: its magic is another. */
export function withoutBuildInfo(path: string): Uint8Array {
	const bytes = Buffer.from(readFileSync(path));
	if (replaceAll(bytes, MAGIC, Buffer.from("\xff No buildinf:", "latin1")) === 0) {
		throw new Error(`no build information in ${path}`);
	}
	return Uint8Array.from(bytes);
}

/** Nor does any text outside of compressed DWARF have the version ("go1.22.12"). */
export function withoutVersion(path: string, version: string): Uint8Array {
	const bytes = Buffer.from(withoutBuildInfo(path));
	if (replaceAll(bytes, Buffer.from(version), Buffer.from("x".repeat(version.length))) === 0) {
		throw new Error(`no ${version} in ${path}`);
	}
	return Uint8Array.from(bytes);
}

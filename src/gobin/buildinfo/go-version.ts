import { GomapgrowError } from "../../errors/error.ts";

/** The Go releases whose structures this tool knows (layout-table.ts). */
export const OLDEST_MINOR = 15;
export const NEWEST_MINOR = 27;

export interface GoVersion {
	/** As in the binary, for example "go1.24.4 X:noswissmap". */
	raw: string;
	major: number;
	minor: number;
	/** Absent for beta, rc and development versions and for releases without one ("go1.20"). */
	patch?: number;
	/** A development version ("devel go1.26-abc"), a beta or a release candidate. */
	devel: boolean;
	/** GOEXPERIMENT differences from the default, for example ["noswissmap"]. */
	experiments: string[];
	/**
	 * No text has the version: the minor versions that the file does not refute, ascending; `minor` is the last of
	 * them.
	 */
	candidates?: readonly number[];
}

/**
 * Where a version is from: the build information; the variable that runtime.Version() returns; the compiler's name
 * in DWARF; or nothing but the shape of the program's tables and code.
 */
export type VersionSource = "build-info" | "build-version" | "dwarf" | "tables";

/**
 * Parses runtime.Version(): "go1.24.4", "go1.24rc1", "go1.24.4 X:a,b", "devel go1.26-abc date", "go1.26-devel_abc
 * date" (since 1.25), "go1.22.1 (vendor text)", "go1.20.5-vendor". Undefined when no version is in it ("devel +abc
 * date", before 1.17).
 */
export function parseGoVersion(raw: string): GoVersion | undefined {
	const match = /^(devel )?go(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(beta|rc|-[0-9a-f]+\b|-devel)?/.exec(raw);
	if (match === null) {
		return undefined;
	}
	const experiments = / X:([^ ]+)/.exec(raw)?.[1];
	const version: GoVersion = {
		raw,
		major: Number(match[2]),
		minor: Number(match[3]),
		devel: match[1] !== undefined || /^(beta|rc|-devel)$/.test(match[5] ?? ""),
		experiments: experiments === undefined ? [] : experiments.split(","),
	};
	if (match[4] !== undefined) {
		version.patch = Number(match[4]);
	}
	return version;
}

/**
 * "old": nothing is known of it. "known": a release, or a candidate for one, whose structures the table has.
 * "unproven": newer, or a development version, whose structures may be like those of the nearest release or not.
 */
export type Standing = "old" | "known" | "unproven";

export function standingOf(version: GoVersion): Standing {
	const { major, minor, devel, candidates } = version;
	if (candidates !== undefined) {
		return "unproven";
	}
	if (major < 1 || (major === 1 && minor < OLDEST_MINOR)) {
		return "old";
	}
	const candidate = /^go[\d.]+rc/.test(version.raw);
	return major > 1 || minor > NEWEST_MINOR || (devel && !candidate) ? "unproven" : "known";
}

/** The known release whose structures an unproven version has most likely. */
export function nearestMinor(version: GoVersion): number {
	return version.major > 1 ? NEWEST_MINOR : Math.min(version.minor, NEWEST_MINOR);
}

/** The E-BIN-GO-OLD or E-BIN-GO-NEW error; it names both bounds. */
export function unsupported(code: "E-BIN-GO-OLD" | "E-BIN-GO-NEW", found: string, cause?: unknown): GomapgrowError {
	return new GomapgrowError(code, {
		wanted: `a program built with Go 1.${OLDEST_MINOR} (the oldest supported) to 1.${NEWEST_MINOR} (the newest known)`,
		found,
		advice:
			code === "E-BIN-GO-OLD"
				? `build the program with Go 1.${OLDEST_MINOR} or newer`
				: "install a newer gomapgrow, or build the program with its debug information (without -w, -s and strip)",
		cause,
	});
}

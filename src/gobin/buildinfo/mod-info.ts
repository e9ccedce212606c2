/** What the go command wrote about the main module and the build (runtime/debug.BuildInfo as text). */
export interface ModInfo {
	/** Import path of the main package; absent without module information. */
	packagePath?: string;
	/** The main module; absent for builds outside a module. */
	modulePath?: string;
	moduleVersion?: string;
	/** Number of modules that the program depends on. */
	dependencies: number;
	/** Build settings (1.18+): "-ldflags", "CGO_ENABLED", "GOEXPERIMENT", "vcs.revision", … */
	settings: Map<string, string>;
}

/** Parses the lines of the module information; unknown lines are ignored (runtime/debug/mod.go, ParseBuildInfo). */
export function parseModInfo(source: string): ModInfo {
	const info: ModInfo = { dependencies: 0, settings: new Map() };
	for (const line of source.split("\n")) {
		const [kind, first, second] = line.split("\t");
		if (first === undefined) {
			continue;
		}
		if (kind === "path") {
			info.packagePath = first;
		} else if (kind === "mod") {
			info.modulePath = first;
			if (second !== undefined) {
				info.moduleVersion = second;
			}
		} else if (kind === "dep") {
			info.dependencies++;
		} else if (kind === "build") {
			addSetting(info.settings, line.slice("build\t".length));
		}
	}
	return info;
}

/** One `key=value`; either side is quoted as a Go string when it has special characters. */
function addSetting(settings: Map<string, string>, pair: string): void {
	const split = splitKey(pair);
	if (split !== undefined) {
		settings.set(unquote(split.key), unquote(split.value));
	}
}

function splitKey(pair: string): { key: string; value: string } | undefined {
	const quoted = /^("(?:[^"\\]|\\.)*"|`[^`]*`)=/.exec(pair)?.[1];
	const end = quoted === undefined ? pair.indexOf("=") : quoted.length;
	return end <= 0 ? undefined : { key: pair.slice(0, end), value: pair.slice(end + 1) };
}

const ESCAPES: Record<string, string> = {
	a: "\x07",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
	"\\": "\\",
	'"': '"',
};

/** A Go string literal as strconv.Quote writes it, or the text itself when it is not quoted. */
function unquote(quoted: string): string {
	if (quoted.length >= 2 && quoted.startsWith("`") && quoted.endsWith("`")) {
		return quoted.slice(1, -1);
	}
	if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) {
		return quoted;
	}
	return quoted
		.slice(1, -1)
		.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (all, x, u, long, simple) => {
			const code = x ?? u ?? long;
			if (code !== undefined) {
				const point = Number.parseInt(code, 16);
				return point <= 0x10ffff ? String.fromCodePoint(point) : all;
			}
			return ESCAPES[simple] ?? all;
		});
}

/**
 * What `inspect` says about a Go executable, in the spelling of its JSON. The rules are those of the records: addresses are hex
 * strings, sizes end in `_bytes`, what is not known is absent, text from the executable is sanitised.
 */
import type { VersionSource } from "../gobin/buildinfo/go-version.ts";
import type { MapImpl, TierName } from "../records/records.ts";

export interface InspectedSite {
	address: string;
	file_offset: number;
	/** "jbe +0x10" */
	instruction: string;
	/** "emulated": without a single step. */
	cost: "emulated" | "stepped";
	/** Why this instruction. */
	reason: string;
}

/** Where the end of a call is seen. Each call that returns leaves at one of its function's exits, once. */
export interface InspectedExit extends InspectedSite {
	/** A conditional branch that leaves by one of its outcomes: "e" of je, and whether it is the one that is taken. Absent: every pass leaves. */
	leaves_when?: { condition: string; taken: boolean };
	/** Function whose end is the end of this call, as it is called last: by the other outcome, or always when there is no `leaves_when`. */
	hands_over_to?: string;
	/** The longest way from here to the end, which is not measured: instructions, and functions that may be called on it. */
	tail: { instructions: number; calls: string[] };
}

export interface InspectedFunction {
	name: string;
	/** Virtual address in the file, without the load bias. */
	address: string;
	/** Absent when the file does not hold the code. */
	file_offset?: number;
	size_bytes: number;
	/** Growths are recorded one by one, work is counted. */
	tier: TierName;
	/** Absent when it cannot be probed: `reason` says why. */
	site?: InspectedSite;
	reason?: string;
	exits: InspectedExit[];
	/** Why there are no exits, so that it cannot be told how long calls take. */
	exits_missing?: string;
}

export interface InspectedCopy {
	/** Full name of the function that was inlined. */
	name: string;
	/** The function whose code has the copy. */
	inlined_into: string;
	/** Of that one. */
	address: string;
	/** Each passage through the copy passes exactly one of them; empty when it cannot be seen: `reason` says why. */
	sites: (InspectedSite & { tier: TierName })[];
	reason?: string;
}

export interface InspectedLayout {
	offset: number;
	/** "code": read out of the program's instructions. */
	from: "dwarf" | "table" | "code";
	/** Go source file that declares it, from GOROOT/src. */
	file?: string;
	/** What else was asked and says the same. */
	agrees?: string[];
	/** What else was asked and says another offset. */
	differs?: Record<string, number>;
}

export interface CgoExport {
	/** The name in C. */
	name: string;
	/** Go function behind it. */
	fn: string;
	address: string;
	file_offset?: number;
}

export interface Inspection {
	/** Path as it was given, or as the process has it. */
	exe: string;
	/** The file was removed or replaced since the process started. */
	exe_deleted?: true;
	pid?: number;
	/** Of the running process: run-time address minus address in the file. */
	load_bias?: string;
	/** "unknown" when no text has it. */
	go_version: string;
	/**
	 * "build-info": the build information. Without: "build-version": runtime.buildVersion, what runtime.Version() returns; "dwarf": the
	 * compiler's name in DWARF; "tables": the shape of tables and code, which `go_candidates` (minor versions) is all they leave.
	 */
	go_version_from: VersionSource;
	go_candidates?: string[];
	/** "1.15 to 1.27" */
	supported: string;
	/** Absent when no map of the program can grow. */
	map_impl?: MapImpl;
	arch: string;
	/** GOOS. */
	os: string;
	stripped: boolean;
	pie: boolean;
	static: boolean;
	cgo?: boolean;
	dwarf_version?: number;
	build_id?: string;
	gnu_build_id?: string;
	main_package?: string;
	module?: { path: string; version?: string };
	/** Modules that it depends on. */
	dependencies: number;
	vcs?: { system?: string; revision: string; time?: string; modified?: boolean };
	build_settings: Record<string, string>;
	/** False when some package was compiled with -N. */
	optimized?: boolean;
	/** False when some package was compiled with -l. */
	inlining?: boolean;
	packages?: { total: number; unoptimized: number; uninlined: number };
	/** Which packages -N or -l were given for, when only the build settings tell and it was not for all: a pattern, or words. */
	flagged?: string;
	functions: InspectedFunction[];
	/** Copies of functions of interest that the compiler has inlined into others, and how their passages are seen. */
	copies: InspectedCopy[];
	/** Functions that the tool would look at but that are not there. */
	functions_absent: { name: string; reason: string }[];
	cgo_exports: CgoExport[];
	layouts: Record<string, InspectedLayout>;
	/** What is worth knowing about the layouts as a whole. */
	layout_notes: string[];
	/** One sentence: what can be watched, or why nothing. */
	verdict: string;
	watchable: boolean;
	/** What a trace shows or lacks, a sentence each. */
	notes: string[];
	/** Why nothing can be watched. */
	error?: { code: string; wanted: string; found: string; mend?: string };
}

/** `gomapgrow doctor`: what this host allows, what is missing, and the command that fixes it. */
import { existsSync, statSync } from "node:fs";
import { release } from "node:os";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { BpfObject } from "../kernel/bpf-object.ts";
import { effectiveCapabilities, missingCapabilities } from "../kernel/capabilities.ts";
import {
	type AttachMode,
	attachModeOf,
	detectFeatures,
	type Feature,
	type KernelFeatures,
} from "../kernel/features.ts";
import { requireCapabilities, requireFeatures } from "../kernel/host-check.ts";
import { hasFileCapabilities, monotonicNs, wallNs } from "../kernel/libc.ts";
import { requireOwnProc } from "../kernel/pid-namespace.ts";
import { COMMIT, VERSION } from "../lib/version.ts";
import { asUsed } from "../report/used-command.ts";
import { formatDuration } from "../text/units.ts";
import { Session } from "../tracer/session.ts";
import { usedCommand } from "./used-command.ts";
import { writeAll } from "./write-all.ts";

interface Check {
	name: string;
	ok: boolean;
	/** A host without it can be used all the same. */
	optional: boolean;
	detail: string;
}

interface Diagnosis {
	version: string;
	commit: string;
	kernel: string;
	arch: string;
	ready: boolean;
	attach: string;
	checks: Check[];
	/** What is dangerous here; absent: nothing. */
	warning?: string;
	/** What a hit costs the observed program here, in nanoseconds; absent when nothing can be observed. */
	hit_cost_ns?: HitCostRow;
	error?: { code: string; wanted: string; found: string; advice?: string; mend?: string };
}

interface HitCostRow {
	counted: number;
	/** A call whose duration is measured, with its exit. */
	timed: number;
	growth: number;
	/** What single-stepping the probed instruction adds. */
	single_step: number;
}

/** Anybody who may execute a file with capabilities can read the memory of all processes with it. */
function fileWarning(path: string): string | undefined {
	const open = (statSync(path).mode & 0o001) !== 0 && hasFileCapabilities(path);
	return open
		? `everybody may execute ${path}, which has capabilities, and so read the memory of any process: chgrp it to a group, and chmod 0750`
		: undefined;
}

function measureHits(mode: AttachMode): HitCostRow {
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	const session = new Session({ mode, anchor, latency: true, iterations: false, maxSites: 1 });
	try {
		const { workNs, timedWorkNs, leaveNs, steppedNs, growthNs } = session.calibrate();
		const [counted, timed, growth, single_step] = [workNs, timedWorkNs + leaveNs, growthNs, steppedNs].map(Math.round);
		return { counted: counted ?? 0, timed: timed ?? 0, growth: growth ?? 0, single_step: single_step ?? 0 };
	} finally {
		session.close();
	}
}

const MODES = {
	multi: "one link for all probes of a process (uprobe_multi)",
	"perf-cookie": "one perf event per probe, with cookies",
	"perf-address": "one perf event per probe, told apart by address",
} as const;

function featureCheck(name: string, feature: Feature, optional: boolean, without: string): Check {
	const denied = feature.error === "EPERM" || feature.error === "EACCES";
	const missing = denied ? `could not be tried: ${feature.error}` : `${feature.error ?? "missing"}; ${without}`;
	return { name, ok: feature.ok, optional, detail: feature.ok ? "works" : missing };
}

function featureChecks(features: KernelFeatures): Check[] {
	return [
		featureCheck("BPF programs", features.bpf, false, "nothing can be observed without"),
		featureCheck("BPF ring buffer", features.ringBuffer, false, "Linux 5.8 or newer has it"),
		featureCheck(
			"uprobe_multi",
			features.uprobeMulti,
			true,
			"attaching falls back to perf events, and detaching is slower (Linux 6.10 has it)",
		),
		featureCheck("attach cookies", features.cookie, true, "probes are told apart by address (Linux 5.15 has them)"),
	];
}

/** What a hit costs, or the first thing that makes observing impossible. */
function tryAll(features: KernelFeatures): HitCostRow | GomapgrowError {
	try {
		requireOwnProc();
		requireCapabilities(["doctor"]);
		requireFeatures(features);
		return measureHits(attachModeOf(features));
	} catch (error) {
		if (error instanceof GomapgrowError) return error;
		throw error;
	}
}

function diagnose(): Diagnosis {
	const missing = missingCapabilities(effectiveCapabilities());
	const features = detectFeatures();
	const warning = fileWarning(process.execPath);
	const outcome = tryAll(features);
	const error = outcome instanceof GomapgrowError ? outcome : undefined;
	const capabilities: Check = {
		name: "capabilities",
		ok: missing.length === 0,
		optional: false,
		detail: missing.length === 0 ? "sufficient" : `without ${missing.join(" and ")}`,
	};
	const perf: Check = {
		name: "uprobe perf events",
		ok: existsSync("/sys/bus/event_source/devices/uprobe/type"),
		optional: features.uprobeMulti.ok,
		detail: "/sys/bus/event_source/devices/uprobe/type",
	};
	return {
		version: VERSION,
		commit: COMMIT,
		kernel: release(),
		arch: process.arch,
		ready: error === undefined,
		attach: MODES[attachModeOf(features)],
		checks: [capabilities, ...featureChecks(features), perf],
		...(warning === undefined ? {} : { warning }),
		...(outcome instanceof GomapgrowError ? {} : { hit_cost_ns: outcome }),
		...(error === undefined
			? {}
			: {
					error: {
						code: error.code,
						wanted: error.wanted,
						found: error.found,
						...(error.advice === undefined ? {} : { advice: error.advice }),
						...(error.mend === undefined ? {} : { mend: asUsed(error.mend, usedCommand(["doctor"])) }),
					},
				}),
	};
}

function diagnosisText(diagnosis: Diagnosis): string {
	const width = Math.max(...diagnosis.checks.map((check) => check.name.length));
	const lines = diagnosis.checks.map((check) => {
		const mark = check.ok ? "ok" : check.optional ? "--" : "no";
		return `  ${mark}  ${check.name.padEnd(width)}  ${check.detail}`;
	});
	const { error, hit_cost_ns: costs } = diagnosis;
	const hits =
		costs === undefined
			? []
			: [
					`a hit costs the observed program ${formatDuration(costs.counted)}; ${formatDuration(costs.timed)} with its duration, ${formatDuration(costs.growth)} for a growth with its stack; single-stepping adds ${formatDuration(costs.single_step)}`,
				];
	const reason =
		error === undefined
			? []
			: [
					`not ready: error[${error.code}]: wanted ${error.wanted}; found ${error.found}`,
					...(error.advice === undefined ? [] : [`  ${error.advice}`]),
					...(error.mend === undefined ? [] : [`  run:  ${error.mend}`]),
				];
	return [
		`gomapgrow ${diagnosis.version} on Linux ${diagnosis.kernel}, ${diagnosis.arch}`,
		...lines,
		...hits,
		...reason,
		"",
		verdictText(diagnosis),
		"",
	].join("\n");
}

/** One sentence. */
function verdictText({ ready, attach, warning }: Diagnosis): string {
	if (!ready) return "This host is not ready: no program can be observed until that is fixed.";
	if (warning !== undefined) return `This host is ready, but ${warning}.`;
	return `This host is ready: probes are attached with ${attach}.`;
}

/** Prints what the kernel's verifier says of each BPF program, whole. Throws E-HOST-… when it refuses one. */
export function verifierLog(): number {
	requireOwnProc();
	requireCapabilities(["doctor"]);
	const features = detectFeatures();
	requireFeatures(features);
	const object = new BpfObject({
		...{ mode: attachModeOf(features), latency: true, iterations: true, makes: true, maxSites: 1 },
		onVerifierLog: (program, log) => writeAll(1, `# program ${program}\n${log}\n\n`),
	});
	object.close();
	return EXIT.done;
}

/** Prints the diagnosis; exit code 0 when this host can be used, 3 when not. */
export function doctor(json: boolean): number {
	const diagnosis = diagnose();
	process.stdout.write(json ? `${JSON.stringify(diagnosis)}\n` : diagnosisText(diagnosis));
	return diagnosis.ready ? EXIT.done : EXIT.host;
}

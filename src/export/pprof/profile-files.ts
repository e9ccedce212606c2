/** Profiles of a recording or of an observation: one for each executable, written at the end. */
import { gzipSync } from "node:zlib";
import { GomapgrowError } from "../../errors/error.ts";
import { sanitize } from "../../lib/sanitize.ts";
import type { GomapgrowRecord, GrowthRecord, TargetRecord } from "../../records/records.ts";
import { formatCount, plural } from "../../text/units.ts";
import { checkNewFile, nameForFile, writePrivateFile } from "../private-file.ts";
import { type ExecutableIdentity, Executables } from "./executables.ts";
import { ProfileBuilder, type ProfileContext } from "./profile.ts";

export interface ProfileRequest {
	/** Where to; `{name}` stands for the name of the executable. */
	path: string;
	/** Growths of this process alone. */
	pid: number | undefined;
	/** Label samples with their goroutine. */
	goroutines: boolean;
	/** Replace files that are there. */
	force: boolean;
	/** Several executables without `{name}` get names all the same: an observation cannot be made again. */
	named?: boolean;
}

/** Executables of one recording that get a profile. */
const MAX_EXECUTABLES = 256;
/** Names of those that are shown where one is to be chosen. */
const SHOWN_NAMES = 5;
export const NAME_FIELD = "{name}";

interface Collected {
	executable: ExecutableIdentity;
	profile: ProfileBuilder;
}

export class ProfileFiles {
	readonly #request: ProfileRequest;
	readonly #executables = new Executables();
	readonly #profiles = new Map<string, Collected>();
	/** Growths of executables beyond the bound. */
	#leftOut = 0;

	/** Throws E-IO where the file is there already, unless it is to be replaced. */
	constructor(request: ProfileRequest) {
		this.#request = request;
		if (!request.path.includes(NAME_FIELD)) checkNewFile(request.path, request.force);
	}

	add(record: GomapgrowRecord): void {
		if (record.type === "target") this.#addTarget(record);
		else if (record.type === "growth") this.#addGrowth(record);
	}

	#addTarget(target: TargetRecord): void {
		const executable = this.#executables.add(target);
		if (this.#request.pid === undefined || this.#request.pid === target.pid) this.#collected(executable);
	}

	#addGrowth(record: GrowthRecord): void {
		if (this.#request.pid !== undefined && record.pid !== this.#request.pid) return;
		const executable = this.#executables.of(record.pid);
		const collected = this.#collected(executable);
		if (collected === undefined) this.#leftOut++;
		else collected.profile.add(record, executable);
	}

	#collected(executable: ExecutableIdentity): Collected | undefined {
		const known = this.#profiles.get(executable.key);
		if (known !== undefined) return known;
		if (this.#profiles.size >= MAX_EXECUTABLES) return undefined;
		const profile = new ProfileBuilder({ goroutines: this.#request.goroutines, processes: true });
		profile.addExecutable(executable);
		const made = { executable, profile };
		this.#profiles.set(executable.key, made);
		return made;
	}

	/** Those with growths; when nothing has grown an empty one is an answer, too. */
	#wanted(): Collected[] {
		const all = [...this.#profiles.values()];
		const grown = all.filter(({ profile }) => profile.growths > 0);
		return grown.length > 0 ? grown : all.slice(0, 1);
	}

	/**
	 * Writes the files and returns their paths. Throws E-USAGE when several executables have one name of a file, or none is of the
	 * process that was asked for; E-IO.
	 */
	write(context: ProfileContext): string[] {
		const { pid, force, named } = this.#request;
		const wanted = this.#wanted();
		const path = wanted.length > 1 && named === true ? withNameField(this.#request.path) : this.#request.path;
		if (wanted.length === 0) {
			throw new GomapgrowError("E-USAGE", {
				wanted: pid === undefined ? "growths or processes to make a profile of" : `the process ${pid} in the recording`,
				found: "none",
			});
		}
		if (wanted.length > 1 && !path.includes(NAME_FIELD)) throw severalExecutables(wanted, path);
		const comments = [...context.comments];
		if (this.#leftOut > 0)
			comments.push(
				`${plural(this.#leftOut, "growth")} of more than ${formatCount(MAX_EXECUTABLES)} executables left out`,
			);
		const taken = new Set<string>();
		return wanted.map(({ executable, profile }) => {
			const file = fileFor(path, executable.name, taken);
			const go = executable.goVersion === "" ? [] : [`${sanitize(executable.name)}: ${sanitize(executable.goVersion)}`];
			writePrivateFile(file, gzipSync(profile.encode({ ...context, comments: [...comments, ...go] })), force);
			return file;
		});
	}
}

/** Executables of equal names are numbered. */
function fileFor(path: string, name: string, taken: Set<string>): string {
	const safe = nameForFile(name);
	let file = path.replaceAll(NAME_FIELD, safe);
	for (let number = 2; taken.has(file); number++) file = path.replaceAll(NAME_FIELD, `${safe}-${number}`);
	taken.add(file);
	return file;
}

/** `run.pb.gz` as `run-{name}.pb.gz`. */
function withNameField(path: string): string {
	return path.includes(NAME_FIELD) ? path : path.replace(/((\.pb)?\.gz)?$/, `-${NAME_FIELD}$1`);
}

function severalExecutables(wanted: readonly Collected[], path: string): GomapgrowError {
	const names = wanted.slice(0, SHOWN_NAMES).map(({ executable }) => sanitize(executable.name));
	if (wanted.length > SHOWN_NAMES) names.push("…");
	return new GomapgrowError("E-USAGE", {
		wanted: `${NAME_FIELD} in the name of the file, or --pid: a profile is of one executable`,
		found: `growths of ${wanted.length} executables: ${names.join(", ")}`,
		mend: `gomapgrow report … --pprof ${withNameField(path)}`,
	});
}

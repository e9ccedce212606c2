/** From what recordings have of makes to the list of advice. */
import type { EndRecord, GrowthRecord, TargetRecord } from "../records/records.ts";
import { plural } from "../text/units.ts";
import { chooseAdvice } from "./choose.ts";
import { addChurn, type Churn, type LeftOut, type MakeSite, makeSites } from "./make-site.ts";
import type { Advice, AdviceRecord } from "./record.ts";

/** Lines and types of which churn is remembered, and processes: bounds for recordings that somebody else wrote. */
const MAX_CHURN = 16_384;
const MAX_TARGETS = 4096;
const MAX_SITES = 16_384;
const MAX_LIMITS = 16;

/** Takes the records of recordings, one recording after the other. */
export class Adviser {
	readonly #sites: MakeSite[] = [];
	readonly #leftOut: LeftOut = { untyped: 0, unknownProcess: 0 };
	#targets = new Map<number, TargetRecord>();
	#churn = new Map<string, Churn>();
	/** What could not be seen of the programs. */
	readonly #limits = new Set<string>();
	#observedNs = 0;
	#unlinked = 0;
	#omitted = 0;
	#complete = true;
	#recordings = 0;
	#withMakes = 0;
	#sampled = false;

	/** Any record; others than these three say nothing of makes. */
	add(record: { type: string }): void {
		if (record.type === "target") {
			const target = record as TargetRecord;
			if (this.#targets.size < MAX_TARGETS) this.#targets.set(target.pid, target);
			for (const limit of target.limits ?? []) if (this.#limits.size < MAX_LIMITS) this.#limits.add(limit);
		} else if (record.type === "growth") addChurn(this.#churn, record as GrowthRecord, MAX_CHURN);
		else if (record.type === "end") this.#end(record as EndRecord);
	}

	#end(end: EndRecord): void {
		this.#recordings++;
		this.#observedNs += end.elapsed_ns;
		this.#complete &&= end.complete;
		if (end.makes !== undefined) {
			this.#withMakes++;
			this.#sampled ||= end.measured?.make === "sampled";
			this.#unlinked += end.growths_unlinked ?? 0;
			this.#omitted += end.makes_omitted ?? 0;
			const { sites, leftOut } = makeSites(end.makes, [...this.#targets.values()], this.#churn);
			this.#sites.push(...sites.slice(0, MAX_SITES - this.#sites.length));
			this.#leftOut.untyped += leftOut.untyped;
			this.#leftOut.unknownProcess += leftOut.unknownProcess;
		}
		this.#targets = new Map();
		this.#churn = new Map();
	}

	/** Whether any recording says where maps were made. */
	get hasMakes(): boolean {
		return this.#withMakes > 0;
	}

	/** All sites, those of several recordings apart. */
	get sites(): readonly MakeSite[] {
		return this.#sites;
	}

	get observedNs(): number {
		return this.#observedNs;
	}

	result(): AdviceRecord {
		const chosen = merged(this.#sites).map(chooseAdvice);
		return {
			type: "advice",
			observed_ns: this.#observedNs,
			complete: this.#complete && this.#omitted === 0 && !this.#sampled && this.#withMakes === this.#recordings,
			lines: this.#sites.length + this.#leftOut.untyped,
			undecided: chosen.filter(({ undecided }) => undecided).length,
			growths_unlinked: this.#unlinked,
			notes: this.#notes(),
			advice: chosen.flatMap(({ advice }) => (advice === undefined ? [] : [advice])).sort(bestFirst),
		};
	}

	#notes(): string[] {
		const { unknownProcess } = this.#leftOut;
		return [
			...this.#limits,
			...(this.#withMakes < this.#recordings
				? [`${plural(this.#recordings - this.#withMakes, "recording")} without makes: recorded without --makes`]
				: []),
			...(this.#sampled
				? ["makes were watched part of the time: numbers are estimates; --budget off watches all"]
				: []),
			...(this.#unlinked > 0
				? [
						`${plural(this.#unlinked, "growth")} of maps whose making was not seen: made before the start, cloned, or not linked to their line`,
					]
				: []),
			...(this.#omitted > 0 ? [`${plural(this.#omitted, "map")} made at lines for which there was no room`] : []),
			...(unknownProcess > 0
				? [`${plural(unknownProcess, "line")} of processes that the recording does not describe`]
				: []),
		];
	}
}

/** What saves most comes first; then what is to be left. */
function bestFirst(a: Advice, b: Advice): number {
	return b.bytes_saved - a.bytes_saved || b.growths_saved - a.growths_saved;
}

/** The same line and type in several recordings is one site. */
function merged(sites: readonly MakeSite[]): MakeSite[] {
	const known = new Map<string, MakeSite>();
	sites.forEach((site, recording) => {
		const release = site.parts[0]?.kind.release;
		const key = [
			release?.impl,
			release?.minor,
			site.at.file ?? site.at.fn,
			site.at.line,
			site.mapType,
			site.clone,
		].join("\0");
		const other = known.get(key);
		if (other === undefined) {
			known.set(key, site);
			return;
		}
		const pids = new Set([...other.pids, ...[...site.pids].map((pid) => pid + recording * 2 ** 32)]);
		known.set(key, { ...other, pids, parts: [...other.parts, ...site.parts], sampled: other.sampled || site.sampled });
	});
	return [...known.values()];
}

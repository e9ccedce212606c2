import { sanitize } from "../lib/sanitize.ts";
import { ledgerComplete, measuredTiersOf, unaccounted } from "../records/ledger.ts";
import type { Ledger, LossRecord, TierLedger, TierName } from "../records/records.ts";
import { formatCount } from "../text/units.ts";

const UNPAIRED: Record<string, string> = {
	left: "with no return seen",
	evicted: "forgotten",
	withdrawn: "whose probe was detached",
};

/** `120 hits = 100 recorded + 20 lost`: terms that are 0 are left out, except what was recorded. */
export function tierText(tier: TierLedger): string {
	const terms: [number, string][] = [
		[tier.sampled_out, "sampled out"],
		[tier.throttled, "throttled"],
		[tier.lost, "lost"],
		...Object.entries(tier.unpaired ?? {}).map(([reason, calls]): [number, string] => [
			calls,
			UNPAIRED[reason] ?? reason,
		]),
	];
	const rest = terms.filter(([count]) => count !== 0).map(([count, name]) => ` + ${formatCount(count)} ${name}`);
	return `${formatCount(tier.hits)} hits = ${formatCount(tier.recorded)} recorded${rest.join("")}`;
}

const STAGES: Record<LossRecord["stage"], string> = {
	ring: "in the ring buffer",
	"site-table": "in the table of call sites",
	unreadable: "as their maps could not be read",
	"unknown-record": "in records of an unknown kind",
};

/** What was lost in a tier and where, from the last loss record of each stage. */
function lossText(name: TierName, lost: number, losses: readonly LossRecord[]): string {
	const stages = losses.filter((loss) => loss.tier === name).map((loss) => STAGES[loss.stage]);
	const where = [...new Set(stages)].join(" and ");
	return `${formatCount(lost)} ${name} events lost${where === "" ? "" : ` ${where}`}`;
}

/** "no events lost", or what is missing: of loss alone, so it stands beside what was sampled. `losses`: the last loss record of each stage and tier. */
export function verdictText(ledger: Ledger, losses: readonly LossRecord[]): string {
	if (ledgerComplete(ledger)) return "no events lost";
	const faults = measuredTiersOf(ledger).flatMap(([name, tier]) => {
		const open = unaccounted(tier);
		const texts = tier.lost === 0 ? [] : [lossText(name, tier.lost, losses)];
		if (open !== 0) texts.push(`the ${name} ledger is off by ${formatCount(Math.abs(open))}: please report this`);
		return texts;
	});
	return faults.join(", ");
}

/** Durations have no probes of their own tier, but are only in the ledger when they are measured. */
function isMeasured(name: TierName, measured: readonly TierName[]): boolean {
	return name === "latency" || measured.includes(name);
}

/** The ledger of all tiers in one line. `measured`: the tiers that have probes. */
export function ledgerText(ledger: Ledger, measured: readonly TierName[]): string {
	const tiers = measuredTiersOf(ledger)
		.filter(([name]) => name === "growth" || name === "work" || name === "latency")
		.map(([name, tier]) => (isMeasured(name, measured) ? `${name} ${tierText(tier)}` : `${name} not measured`));
	return `ledger: ${tiers.join("; ")}`;
}

/** What helps against the losses, each hint once. */
export function lossHints(losses: readonly LossRecord[]): string[] {
	return [...new Set(losses.map((loss) => sanitize(loss.hint)))];
}

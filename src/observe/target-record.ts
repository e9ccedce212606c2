/** The record that says what a target is and what is probed in it. */

import { sanitize } from "../lib/sanitize.ts";
import { sanitizedContainer } from "../records/container.ts";
import type { TargetRecord } from "../records/records.ts";
import type { Target } from "../tracer/target.ts";
import { type Timing, untimed } from "../tracer/timed-probes.ts";

export function targetRecord(target: Target, time: string, timing: Timing): TargetRecord {
	const { binary, identity, plan } = target;
	const { unproven } = target;
	const { modulePath } = binary.buildInfo;
	const limits = [...(plan.limits ?? []), ...(unproven === undefined ? [] : [unproven]), ...untimed(plan, timing)];
	return {
		type: "target",
		time,
		pid: identity.pid,
		name: sanitize(identity.name),
		exe: sanitize(identity.exe, 4096),
		...(identity.command === undefined ? {} : { command: identity.command.map((argument) => sanitize(argument)) }),
		...(binary.buildId === undefined ? {} : { build_id: sanitize(binary.buildId) }),
		...(identity.container === undefined ? {} : { container: sanitizedContainer(identity.container) }),
		go_version: sanitize(plan.goVersion),
		...(modulePath === undefined ? {} : { module: sanitize(modulePath, 4096) }),
		map_impl: plan.impl,
		arch: binary.arch,
		pie: binary.pie,
		stripped: binary.stripped,
		probes: plan.probes.map((probe) => ({
			fn: probe.fn,
			tier: probe.tier,
			address: `0x${probe.site.address.toString(16)}`,
			file_offset: probe.site.fileOffset,
			instruction: probe.site.instruction,
			cost: probe.site.cost,
			...(probe.inlinedInto === undefined ? {} : { inlined_into: sanitize(probe.inlinedInto) }),
		})),
		not_probed: plan.skipped,
		...(limits.length === 0 ? {} : { limits: limits.map((limit) => sanitize(limit)) }),
	};
}

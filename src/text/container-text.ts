import { sanitize } from "../lib/sanitize.ts";
import type { ContainerRecord } from "../records/parts.ts";
import type { TargetRecord } from "../records/records.ts";

/** As much of an id as `docker ps` and `crictl ps` show, or nearly so. */
const SHORT_ID = 12;

/** The shortest text that a user knows the container by: "shop/web-6d5f/server", its name, or the beginning of its id. */
export function containerText({ id, name, pod, namespace }: ContainerRecord): string {
	const names = [namespace, pod, name].filter((part) => part !== undefined);
	return names.length === 0 ? id.slice(0, SHORT_ID) : names.join("/");
}

/** "shopd", or "shopd in shop/web-6d5f/server": safe to print, also from a recording. */
export function targetName({ name, container }: Pick<TargetRecord, "name" | "container">): string {
	return sanitize(container === undefined ? name : `${name} in ${containerText(container)}`);
}

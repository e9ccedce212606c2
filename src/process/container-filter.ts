/** Which containers a user means. */
import type { Container } from "./containers.ts";

/** All that are there must fit. `*` in a value stands for any text. */
export interface ContainerFilter {
	/** Name, or at least the first eight digits of the id. */
	container?: string;
	pod?: string;
	namespace?: string;
}

const ID_PREFIX = /^[0-9a-f]{8,64}$/;

/** Whether the text is what the pattern means, without regular expressions, whose time a pattern could make grow. */
function fits(pattern: string, text: string | undefined): boolean {
	if (text === undefined) return false;
	const [first = "", ...rest] = pattern.split("*");
	const last = rest.pop();
	if (last === undefined) return text === first;
	if (!text.startsWith(first)) return false;
	let at = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return text.length - last.length >= at && text.endsWith(last);
}

/** Whether a process that is in `container` (undefined: in none) is meant. */
export function matchesContainer(filter: ContainerFilter, container: Container | undefined): boolean {
	if (container === undefined) return false;
	const { container: named, pod, namespace } = filter;
	return (
		(named === undefined || fits(named, container.name) || (ID_PREFIX.test(named) && container.id.startsWith(named))) &&
		(pod === undefined || fits(pod, container.pod)) &&
		(namespace === undefined || fits(namespace, container.namespace))
	);
}

/** "container server, pod web-*": for messages. */
export function filterText(filter: ContainerFilter): string {
	return (["container", "pod", "namespace"] as const)
		.flatMap((field) => (filter[field] === undefined ? [] : [`${field} ${filter[field]}`]))
		.join(", ");
}

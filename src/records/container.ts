/** A container as records have it. */
import { sanitize } from "../lib/sanitize.ts";
import type { ContainerRecord } from "./parts.ts";

/** With its names made safe to print. */
export function sanitizedContainer({ id, name, pod, namespace, image }: ContainerRecord): ContainerRecord {
	return {
		id: sanitize(id),
		...(name === undefined ? {} : { name: sanitize(name) }),
		...(pod === undefined ? {} : { pod: sanitize(pod) }),
		...(namespace === undefined ? {} : { namespace: sanitize(namespace) }),
		...(image === undefined ? {} : { image: sanitize(image) }),
	};
}

import { sanitize } from "../lib/sanitize.ts";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/**
 * Untrusted text for an XML 1.0 document, as content or attribute value. Sanitised first: most control characters must not be in
 * XML at all, not even as references (XML 1.0, section 2.2).
 */
export function xmlText(text: string): string {
	return sanitize(text, 4096)
		.replace(/[\ufffe\uffff]/g, "\ufffd")
		.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

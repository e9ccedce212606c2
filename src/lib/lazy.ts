/** A function that computes its value once, when first called. An error is remembered too: a damaged file is searched once. */
export function lazy<T>(make: () => T): () => T {
	let outcome: { value: T } | { error: unknown } | undefined;
	return () => {
		if (outcome === undefined) {
			try {
				outcome = { value: make() };
			} catch (error) {
				outcome = { error };
			}
		}
		if ("error" in outcome) {
			throw outcome.error;
		}
		return outcome.value;
	};
}

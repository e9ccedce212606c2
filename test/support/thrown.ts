import { GomapgrowError } from "../../src/errors/error.ts";

/** The GomapgrowError that `action` throws; anything else that it does fails the test. */
export function thrownBy(action: () => unknown): GomapgrowError {
	try {
		action();
	} catch (error) {
		if (error instanceof GomapgrowError) return error;
		throw error;
	}
	throw new Error("expected a GomapgrowError, nothing was thrown");
}

/** What ends an observation from outside: a signal, a key, the end of the reader. */
import type { EndReason } from "../records/records.ts";

/** The first reason to leave wins; the loop is woken at once. */
export class StopRequest {
	#reason: EndReason | undefined;
	#wake: (() => void) | undefined;

	get reason(): EndReason | undefined {
		return this.#reason;
	}

	request(reason: EndReason): void {
		this.#reason ??= reason;
		this.#wake?.();
	}

	/** Ends the wait that is under way, if there is one, without a reason to leave. */
	wake(): void {
		this.#wake?.();
	}

	/** Waits `ms`, or less when a stop is requested meanwhile. */
	async sleep(ms: number): Promise<void> {
		if (this.#reason !== undefined) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = undefined;
	}
}

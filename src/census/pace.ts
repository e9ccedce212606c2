/** Keeps what reading costs below a share of one processor. */

export interface PaceClock {
	/** Processor time of this process and time that has passed, both since it began, in milliseconds. */
	cpuMs(): number;
	elapsedMs(): number;
	sleepMs(ms: number): void;
}

/** Longest sleep at once: whoever waits for the end looks at its deadline in between. */
const MOST_MS = 250;

/** Returns what is called between pieces: it sleeps until the processor time is within `share` of the time that has passed. */
export function pace(share: number, clock: PaceClock, onSleep: () => void): () => void {
	return () => {
		for (;;) {
			const due = clock.cpuMs() / share - clock.elapsedMs();
			if (!(due > 0)) return;
			clock.sleepMs(Math.min(MOST_MS, due));
			onSleep();
		}
	};
}

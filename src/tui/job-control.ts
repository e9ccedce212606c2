/** Ctrl-Z and fg: the shell must find its terminal as it was, and we must find ours again. */

export interface JobControlOptions {
	/** Gives the terminal back. */
	leave: () => void;
	/** Takes the terminal, whatever the shell has done to it meanwhile, and draws anew. */
	enter: () => void;
}

export class JobControl {
	readonly #options: JobControlOptions;
	#over = false;

	constructor(options: JobControlOptions) {
		this.#options = options;
		process.on("SIGTSTP", this.#stop);
		process.on("SIGCONT", this.#continue);
	}

	/** What the terminal does for Ctrl-Z when it is not raw: stops the whole foreground group, a command that we run included. */
	suspend(): void {
		process.kill(0, "SIGTSTP");
	}

	/** What the terminal does for Ctrl-C. */
	interrupt(): void {
		process.kill(0, "SIGINT");
	}

	close(): void {
		this.#over = true;
		process.off("SIGTSTP", this.#stop);
		process.off("SIGCONT", this.#continue);
	}

	readonly #stop = (): void => {
		this.#options.leave();
		// Without a handler the signal does what it always does, and the shell sees a job that was stopped by it.
		process.off("SIGTSTP", this.#stop);
		process.kill(process.pid, "SIGTSTP");
		// Here again after fg, or at once: the kernel stops no process that nobody could continue (an orphaned group).
		setTimeout(() => {
			if (this.#over) return;
			process.on("SIGTSTP", this.#stop);
			this.#options.enter();
		}, 1);
	};

	readonly #continue = (): void => {
		if (!this.#over) this.#options.enter();
	};
}

export type ColorFlag = "auto" | "always" | "never";

export interface ColorInputs {
	/** The value of --color. */
	flag: ColorFlag;
	/** The environment, as in `process.env`. */
	env: { readonly [name: string]: string | undefined };
	/** Whether this very stream is a terminal: standard output and standard error are decided apart. */
	isTTY: boolean;
}

/** Whether a stream gets colours. The command line wins over NO_COLOR (https://no-color.org). */
export function decideColor(inputs: ColorInputs): boolean {
	if (inputs.flag !== "auto") return inputs.flag === "always";
	const { NO_COLOR, TERM } = inputs.env;
	return !NO_COLOR && TERM !== "dumb" && inputs.isTTY;
}

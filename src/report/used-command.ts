/** Commands in error messages as this user can type them. */

/** How gomapgrow was called. */
export interface UsedCommand {
	/** As typed: "./gomapgrow" for instance. */
	program: string;
	args: readonly string[];
	/** For root `sudo` changes nothing. */
	root: boolean;
}

function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const IN_CONTAINER = /^sudo gomapgrow … +# in a container: (.*)$/;

/** A command that names "gomapgrow", and with "gomapgrow …" the one that failed. */
export function asUsed(mend: string, { program, args, root }: UsedCommand): string {
	const contained = IN_CONTAINER.exec(mend)?.[1];
	if (root && contained !== undefined) return `${contained} …   # or as root outside of the container`;
	const command = root ? mend.replace(/^sudo /, "") : mend;
	const whole = [program, ...args].map(quoted).join(" ");
	return command
		.replace(/\bgomapgrow …/g, () => whole)
		.replace(/(^|[\s;])gomapgrow(?= )/g, (_, before: string) => `${before}${quoted(program)}`);
}

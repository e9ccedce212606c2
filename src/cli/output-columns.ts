/** Columns of output that goes into a pipe or a file. */
const PIPE_COLUMNS = 200;

/** Columns of standard output. */
export function outputColumns(): number {
	return process.stdout.isTTY === true ? process.stdout.columns || 80 : PIPE_COLUMNS;
}

/** The architecture of the machine that we run on, as Go spells it. */
export const MACHINE = process.arch === "x64" ? "amd64" : process.arch;

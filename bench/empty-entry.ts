/** An executable that does nothing: what Bun takes to start any. Prints what plan-entry prints without a path. */
console.log(JSON.stringify({ probes: [] }));

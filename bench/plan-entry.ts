/**
 * plan-entry [EXE]: from a path to a complete probe plan, as `watch` makes it; without a path it only starts. Prints one line of JSON: what the
 * plan took, and what was read of the file.
 */
import { readFileSync } from "node:fs";
import { openGoBinary } from "../src/gobin/go-binary.ts";
import { makePlan } from "../src/plan/make-plan.ts";
import { openFileBytes } from "../src/process/file-bytes.ts";

const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);

const path = process.argv[2];
const before = bytesRead();
const started = performance.now();
let probes: string[] = [];
if (path !== undefined) {
	const file = openFileBytes(path);
	probes = makePlan(openGoBinary(file)).probes.map(({ fn }) => fn);
	file.close();
}
const ms = performance.now() - started;
console.log(JSON.stringify({ probes, ms, bytes: bytesRead() - before }));

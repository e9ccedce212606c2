/** Which processes execute the same file. */
import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { othersExecuting } from "../../../src/process/same-executable.ts";
import { copyOfSleep, start, temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const inContainer = readlinkSync("/proc/self/ns/pid") !== "pid:[4026531836]";

test("others are those that run now", async () => {
	const path = copyOfSleep(temporaryFolder("same-executable"), "gmg-alike");
	const first = start([path, "60"]);
	expect(othersExecuting(first.pid)).toEqual(inContainer ? undefined : []);
	const second = start([path, "60"]);
	expect(othersExecuting(first.pid)).toEqual(inContainer ? undefined : [second.pid]);
	await second.stop();
	expect(othersExecuting(first.pid)).toEqual(inContainer ? undefined : []);
	await first.stop();
	if (!inContainer) expect(thrownBy(() => othersExecuting(first.pid))).toMatchObject({ code: "E-TARGET-GONE" });
});

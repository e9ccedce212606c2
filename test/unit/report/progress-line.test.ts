import { expect, test } from "bun:test";
import { progressLine } from "../../../src/report/progress-line.ts";
import { displayWidth } from "../../../src/text/width.ts";

const progress = {
	path: "/var/tmp/recordings/today/run.ndjson.gz",
	elapsedNs: 72e9,
	intervalNs: 1e9,
	growths: 1204,
	total: 86_688,
	bytes: 4_200_000,
};

test("the progress of a recording fits into its line; the name is cut before the numbers", () => {
	expect(progressLine(progress, 120)).toBe(
		"recording /var/tmp/recordings/today/run.ndjson.gz  01:12  86,688 growths  1,204/s  4.2 MB written  Ctrl-C ends",
	);
	expect(progressLine(progress, 90)).toBe(
		"recording run.ndjson.gz  01:12  86,688 growths  1,204/s  4.2 MB written  Ctrl-C ends",
	);
	expect(progressLine(progress, 60)).toBe("recording run.ndjson.gz  01:12  86,688 growths  1,204/s");
	for (let columns = 1; columns < 130; columns++) {
		expect(displayWidth(progressLine(progress, columns))).toBeLessThanOrEqual(columns);
	}
	expect(progressLine({ ...progress, path: "a\u001b[2J" }, 90)).toContain("recording a\\x1b[2J  01:12");
});

import { expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { namingFile } from "../../../src/process/name-file.ts";
import { thrownBy } from "../../support/thrown.ts";

function failing(code: "E-BIN-NOT-GO" | "E-BIN-MALFORMED", path: string, found = "a script"): string {
	return thrownBy(() =>
		namingFile(path, () => {
			throw new GomapgrowError(code, { wanted: "Go", found });
		}),
	).found;
}

test("an error about the kind of a file names it, by the path that the user knows", () => {
	expect(failing("E-BIN-NOT-GO", "/bin/x")).toBe("/bin/x: a script");
	expect(failing("E-BIN-NOT-GO", "/bin/x", "a folder: /bin/x")).toBe("a folder: /bin/x");
	expect(failing("E-BIN-NOT-GO", `/proc/${process.pid}/exe`)).toBe(`${process.execPath}: a script`);
});

test("other errors and values stay as they are", () => {
	expect(failing("E-BIN-MALFORMED", "/bin/x")).toBe("a script");
	expect(namingFile("/bin/x", () => 7)).toBe(7);
});

import { expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { errorText } from "../../../src/report/error-text.ts";
import { asUsed } from "../../../src/report/used-command.ts";

const user = { program: "./gomapgrow", args: ["watch", "my service", "--json"], root: false };
const root = { ...user, root: true };
const DENIED = "sudo gomapgrow …   # in a container: docker run --cap-add=SYS_PTRACE";

test("a command names the program as it was called, and the command that failed", () => {
	expect(asUsed("gomapgrow run -- ./program", user)).toBe("./gomapgrow run -- ./program");
	expect(asUsed(DENIED, user)).toBe(
		"sudo ./gomapgrow watch 'my service' --json   # in a container: docker run --cap-add=SYS_PTRACE",
	);
	expect(
		asUsed("gomapgrow maps a > a.json; sleep 60; gomapgrow maps --diff", { ...user, program: "/opt/a b/gmg" }),
	).toBe("'/opt/a b/gmg' maps a > a.json; sleep 60; '/opt/a b/gmg' maps --diff");
});

test("root is not sent to sudo", () => {
	expect(asUsed(DENIED, root)).toBe("docker run --cap-add=SYS_PTRACE …   # or as root outside of the container");
	expect(asUsed("sudo prlimit --memlock=unlimited --pid $$", root)).toBe("prlimit --memlock=unlimited --pid $$");
});

test("`run:` stands before commands alone", () => {
	const error = new GomapgrowError("E-BIN-CHANGED", { wanted: "a", found: "b", advice: "restart the process" });
	expect(errorText(error, user)).toBe("error[E-BIN-CHANGED]: wanted a; found b\n  restart the process\n");
});

test("codes of the system are said in words", () => {
	const found = (code: string): string => new GomapgrowError("E-IO", { wanted: "to write x", found: code }).found;
	expect(found("ENOENT")).toBe("no such file or folder (ENOENT)");
	expect(found("bpf answers EPERM")).toBe("bpf answers EPERM");
	expect(found("ESTRANGE")).toBe("ESTRANGE");
});

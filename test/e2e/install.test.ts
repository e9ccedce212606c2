/** `make install` puts everything where shells, man and PATH find it. */
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { completionScript } from "../../src/help/completion.ts";
import { missingCommands, testWith } from "../support/capability.ts";
import { run } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW } from "../support/trace.ts";

testWith(missingCommands("make", "install"), existsSync(GOMAPGROW) ? undefined : "the executable has not been built")(
	"executable, manual page and completions are below PREFIX",
	() => {
		const prefix = join(temporaryFolder("install"), "a folder");
		const project = resolve(dirname(import.meta.dir), "..");
		// The executable as it is: nothing is built while other tests use it.
		run(["make", "-s", "-C", project, "-o", "dist/gomapgrow", "install", `PREFIX=${prefix}`]);
		expect(run([join(prefix, "bin/gomapgrow"), "--version"])).toStartWith("gomapgrow ");
		const share = (path: string): string => readFileSync(join(prefix, "share", path), "utf8");
		expect(share("man/man1/gomapgrow.1")).toStartWith(".TH GOMAPGROW 1");
		expect(share("bash-completion/completions/gomapgrow")).toBe(completionScript("bash"));
		expect(share("zsh/site-functions/_gomapgrow")).toBe(completionScript("zsh"));
		expect(share("fish/vendor_completions.d/gomapgrow.fish")).toBe(completionScript("fish"));
	},
	60_000,
);

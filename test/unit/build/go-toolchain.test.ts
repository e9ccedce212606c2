import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const build = join(import.meta.dir, "../../../build");

describe("go-toolchain.sh", () => {
	test("refuses a version that no suite has, before it fetches anything", () => {
		const run = Bun.spawnSync([join(build, "go-toolchain.sh"), "1.23", "1.14"], {
			env: { ...process.env, GOMAPGROW_CACHE: "/nonexistent/cache" },
		});
		expect(run.exitCode).toBe(1);
		expect(run.stderr.toString()).toBe(
			"go-toolchain.sh: wanted one of 1.15 1.19 1.21 1.22 1.23 1.24 1.25 1.26 1.27; found '1.14'\n",
		);
	});

	test("says which exact version it took", () => {
		const run = Bun.spawnSync([join(build, "go-toolchain.sh"), "1.27"]);
		expect(run.stdout.toString()).toMatch(/^Go 1\.27: go1\.27\.\d+ in \/.*\/go\/1\.27\n$/);
	});
});

test("go.sh shields the build from the caller's Go settings", () => {
	const run = Bun.spawnSync([join(build, "go.sh"), "1.23", "env", "GOFLAGS", "GO111MODULE", "CGO_ENABLED", "GOROOT"], {
		env: { ...process.env, GOFLAGS: "-mod=vendor", GO111MODULE: "on", GOROOT: "/usr/lib/go" },
	});
	const [flags, modules, cgo, root] = run.stdout.toString().split("\n");
	expect({ flags, modules, cgo }).toEqual({ flags: "", modules: "off", cgo: "0" });
	expect(root).toEndWith("/go/1.23");
});

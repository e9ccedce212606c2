/** The native files that the executable carries: those of the machine that it is compiled for. From source they are read where the build put them. */

import objectPath from "../../dist/native/gomapgrow.bpf.o" with { type: "file" };

// The bundler knows process.arch and follows only one of the branches.
const { default: libraryPath } =
	process.arch === "arm64"
		? await import("../../dist/native/arm64/libgomapgrow-bpf.so", { with: { type: "file" } })
		: await import("../../dist/native/x64/libgomapgrow-bpf.so", { with: { type: "file" } });

export { libraryPath, objectPath };

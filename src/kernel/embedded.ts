/** The native files that the executable carries. From source they are read where the build put them. */

import objectPath from "../../dist/native/gomapgrow.bpf.o" with { type: "file" };
import libraryPath from "../../dist/native/x64/libgomapgrow-bpf.so" with { type: "file" };

export { libraryPath, objectPath };

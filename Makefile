# Every target installs what it needs; `make` alone lists the targets.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# In Bun's spelling, as build/lib/native.sh. `make build ARCH=arm64` builds for another machine; make passes that on to the scripts.
MACHINE := $(patsubst aarch64,arm64,$(patsubst x86_64,x64,$(shell uname -m)))
ARCH := $(MACHINE)
BUN := node_modules/.bin/bun
PACKAGES := node_modules/.installed
LIBRARY := dist/native/$(ARCH)/libgomapgrow-bpf.so
BPF_OBJECT := dist/native/gomapgrow.bpf.o
# glibc or musl.
LIBC := glibc
EXECUTABLE := dist/gomapgrow$(if $(filter musl,$(LIBC)),-musl)$(if $(filter-out $(MACHINE),$(ARCH)),-$(ARCH))
# Of `make install`; DESTDIR comes before it.
PREFIX := /usr/local
SOURCES := $(shell find src -name '*.ts' -o -name '*.json')

.PHONY: help setup build test test-matrix test-kernels fuzz bench lint format typecheck release demo install toolchains clean apt-packages test-packages force

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: $(PACKAGES) ## install what is missing: packages with apt, then npm's

build: $(EXECUTABLE) ## compile dist/gomapgrow (ARCH=arm64: dist/gomapgrow-arm64; LIBC=musl: dist/gomapgrow-musl)

test: test-packages $(EXECUTABLE) toolchains ## everything: lint, typecheck, unit and end-to-end tests, an old and a new kernel
	@$(MAKE) -s build LIBC=musl && test/musl/libraries.sh || echo "musl cannot be had here: its tests fail where CI=true, and are skipped elsewhere"
	@test/vm/packages.sh && test/vm/kernels.sh 5.10 7 || echo "other kernels cannot be booted here: their tests fail where CI=true, and are skipped elsewhere"
	@test/containers/runtime.sh >/dev/null || echo "containerd cannot be had here: its test fails where CI=true, and is skipped elsewhere"
	@build/test.sh

test-matrix: test-packages $(PACKAGES) toolchains ## the readers on every Go release in every way of building; minutes
	@$(BUN) test --timeout 600000 ./test/matrix

test-kernels: test-packages $(EXECUTABLE) toolchains ## the executables on Linux 5.10 to 7, on x86-64 and arm64, each booted in QEMU; minutes
	@test/vm/packages.sh arm64
	@$(MAKE) -s build ARCH=arm64
	@test/vm/kernels.sh 5.10 6.1 6.12 6.18 7 arm64/5.10 arm64/6.12 arm64/7
	@$(BUN) test ./test/vm

fuzz: $(PACKAGES) toolchains ## feed damaged programs to the readers (FUZZ_SECONDS=300, FUZZ_SEED=N)
	@$(BUN) test/fuzz/run.ts

bench: $(EXECUTABLE) toolchains ## compare with bpftrace: speed of the traced program, cost of a hit, start and end
	@build/setup.sh --bench
	@$(BUN) bench/throughput.ts
	@$(BUN) bench/startup.ts

lint: $(PACKAGES) ## check style and lint rules
	@$(BUN) --bun node_modules/.bin/biome check --error-on-warnings --max-diagnostics=50

format: $(PACKAGES) ## rewrite the sources in the project's style
	@$(BUN) --bun node_modules/.bin/biome check --write

typecheck: $(PACKAGES) ## check types
	@$(BUN) --bun node_modules/.bin/tsc --noEmit

release: $(PACKAGES) ## build both executables twice, pack them with notices and bills of materials into dist/release
	@ARCH=arm64 build/setup.sh
	@build/release.sh

demo: $(EXECUTABLE) ## watch a small service, list its maps, ask for advice (GO=1.23: one with classic maps)
	@build/demo.sh $(GO)

toolchains: | apt-packages ## fetch the Go toolchains that tests compile programs with
	@build/go-toolchain.sh 1.15 1.19 1.21 1.22 1.23 1.24 1.25 1.26 1.27

install: $(EXECUTABLE) ## install executable, manual page and completions below PREFIX (default: /usr/local)
	@install -D -m 755 $(EXECUTABLE) "$(DESTDIR)$(PREFIX)/bin/gomapgrow"
	@$(EXECUTABLE) man | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/man/man1/gomapgrow.1"
	@$(EXECUTABLE) completion bash | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gomapgrow"
	@$(EXECUTABLE) completion zsh | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gomapgrow"
	@$(EXECUTABLE) completion fish | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gomapgrow.fish"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/gomapgrow"

clean: ## remove what was built; the cache of sources and toolchains stays
	rm -rf dist

# Runs at every call and is quick when nothing is missing, so it must not make anything out of date: order-only.
apt-packages:
	@build/setup.sh

test-packages:
	@build/setup.sh --test

$(PACKAGES): package-lock.json package.json build/npm-install.sh | apt-packages
	build/npm-install.sh
	@touch $@

$(LIBRARY): build/libbpf.sh build/check-native.sh $(wildcard build/lib/*.sh build/native/* src/kernel/native/*) | apt-packages
	build/libbpf.sh

# The library's build brings the headers.
$(BPF_OBJECT): build/bpf-object.sh build/lib/cache.sh build/lib/native.sh $(wildcard bpf/*.[ch]) | apt-packages $(LIBRARY)
	build/bpf-object.sh

# Changes only when another commit is checked out.
dist/commit: force
	@mkdir -p dist
	@commit=$$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown; \
	[ "$$commit" = "$$(cat $@ 2>/dev/null)" ] || echo "$$commit" >$@

$(EXECUTABLE): build/executable.sh build/bun-runtime.sh build/close-runtime.ts dist/commit package.json tsconfig.json $(PACKAGES) $(LIBRARY) $(BPF_OBJECT) $(SOURCES)
	build/executable.sh

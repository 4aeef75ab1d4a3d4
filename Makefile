# The commands for developers and CI. `make` without a target lists them.

CARGO ?= cargo

.PHONY: help demo test lint tools examples-c bench fuzz library install uninstall abi clean

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Starts a local registry, pushes an image, and asks about it
	@scripts/demo.sh

# A test that needs a missing tool is skipped and counted. In CI a missing tool is an error.
test: ## Installs the tools, runs lint and all tests
	@scripts/install-tools.sh || [ -z "$$CI" ]
	@$(MAKE) --no-print-directory lint
	@scripts/test.sh

lint: ## Checks formatting, widths, clippy and documentation
	@scripts/lint-width.sh
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --features ocireg/_panic -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --features ocireg/capi --quiet

tools: ## Installs the tools of the tests into target/tools
	@scripts/install-tools.sh

examples-c: ## Builds the C programs in examples-c
	@$(MAKE) --no-print-directory -C examples-c

# The tables leave out what can't be installed, and say so.
bench_tools = curl openssl libcurl docker-registry token-server crane python-dxf
bench: ## Compares ocireg with other clients
	@scripts/install-tools.sh $(bench_tools) || true
	$(CARGO) run --release --quiet --manifest-path bench/Cargo.toml

SECONDS ?= 20

fuzz: ## Runs each fuzz target for SECONDS (20)
	@scripts/fuzz.sh $(SECONDS)

# The library for C. Programs find it in PREFIX, LIBDIR and INCLUDEDIR. DESTDIR is for packagers.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
library install uninstall: export PREFIX := $(PREFIX)
library install uninstall: export LIBDIR := $(LIBDIR)
library install uninstall: export INCLUDEDIR := $(INCLUDEDIR)
library install uninstall: export DESTDIR := $(DESTDIR)

library: ## Builds the library for C, shared and static
	@scripts/install-c.sh build

install: ## Installs the library for C below PREFIX (/usr/local)
	@scripts/install-c.sh install

uninstall: ## Removes the files of install
	@scripts/install-c.sh uninstall

abi: ## Updates abi/ after an addition to the C interface
	@scripts/abi.sh write

clean: ## Removes all built files and the tools
	$(CARGO) clean
	@$(MAKE) --no-print-directory -C examples-c clean
	rm -rf target

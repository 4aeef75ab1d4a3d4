# What a person runs, and what CI runs. `make` alone lists the targets.

CARGO ?= cargo

.PHONY: help demo test lint tools examples-c bench fuzz library install uninstall abi clean

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Starts a local registry, fills it, and asks it questions
	@scripts/demo.sh

# Without a tool the tests that need it are skipped and counted; in CI that is a failure, so it
# fails at once there.
test: ## Runs everything: tools, lint, all tests
	@scripts/install-tools.sh || [ -z "$$CI" ]
	@$(MAKE) --no-print-directory lint
	@scripts/test.sh

lint: ## Checks formatting, widths, clippy and documentation
	@scripts/lint-width.sh
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --features ocireg/_panic -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --features ocireg/capi --quiet

tools: ## Gets the real registries and proxies into target/tools
	@scripts/install-tools.sh

examples-c: ## Builds the C programs in examples-c
	@$(MAKE) --no-print-directory -C examples-c

# What could not be had is left out of the tables, which say so.
bench: ## Measures ocireg beside its peers
	@scripts/install-tools.sh curl openssl libcurl docker-registry token-server crane python-dxf || true
	$(CARGO) run --release --quiet --manifest-path bench/Cargo.toml

SECONDS ?= 20

fuzz: ## Runs each fuzz target for SECONDS (20)
	@scripts/fuzz.sh $(SECONDS)

# The library for C. PREFIX, LIBDIR and INCLUDEDIR are where it will be used; DESTDIR is for
# packagers.
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

uninstall: ## Removes what install put there
	@scripts/install-c.sh uninstall

abi: ## Writes abi/ anew, after an addition to the C interface
	@scripts/abi.sh write

clean: ## Removes what was built, tools included
	$(CARGO) clean
	@$(MAKE) --no-print-directory -C examples-c clean
	rm -rf target

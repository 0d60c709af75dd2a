# The two commands of a fresh Debian machine, `make demo` and `make test`, install what is missing and say so.

CARGO ?= cargo
# What the tests run against beside the program itself.
TEST_PACKAGES = age postgresql util-linux libheif-examples python3-pip curl libimage-exiftool-perl openssh-client \
    openssh-server rclone redis-server rsync tar unzip zip
# Where everything is built, and what is fetched for the tests is kept.
TARGET = $(abspath $(or $(CARGO_TARGET_DIR),target))
# What the package is built for.
ARCH ?= $(shell dpkg --print-architecture)
# How long each fuzz target runs.
FUZZ_SECONDS ?= 600

.PHONY: all demo test lint deb repo appliance-test vm-test measure fuzz corpus emulator storage clean toolchain test-packages

all: toolchain ## build the program
	$(CARGO) build --release --locked

demo: toolchain ## the real program on a pretend chat, with a page to watch it
	$(CARGO) build --release --locked
	$(CARGO) build --locked --example demo
	target/debug/examples/demo target/release/storyline $(DEMO)

test: toolchain test-packages lint corpus emulator storage ## everything, as CI runs it
	$(CARGO) test --locked
	$(CARGO) test --locked --no-default-features --lib
	packaging/appliance/test


# Debian's own toolchain brings neither rustfmt nor clippy; CI's must.
lint: toolchain
	@if $(CARGO) fmt --version >/dev/null 2>&1 && $(CARGO) clippy --version >/dev/null 2>&1; then \
	    set -x; \
	    $(CARGO) fmt --check && \
	    $(CARGO) clippy --locked --all-targets -- --deny warnings && \
	    $(CARGO) clippy --locked --all-targets --no-default-features -- --deny warnings; \
	elif [ -n "$$CI" ]; then \
	    echo 'lint: rustfmt and clippy are missing' >&2; exit 1; \
	else \
	    echo 'lint: LEFT OUT: this toolchain has no rustfmt and clippy; CI runs them' >&2; \
	fi

deb: ## the Debian package for this kind of machine, or for ARCH=arm64
	packaging/deb $(ARCH) $(TARGET)/packages

repo: deb ## a signed apt repository with it, as a folder
	packaging/repo $(TARGET)/repository $(TARGET)/packages/*.deb

appliance-test: ## the package installed on a Debian with systemd: started, hung, killed, upgraded, removed
	packaging/appliance/test

# Slow, for each instruction of the machines is emulated. A SEED chooses the same instants for the cuts again.
vm-test: ## the same for 64-bit ARM on machines of its own, with Debian 12 and 13, and power cuts
	packaging/appliance/vm-test $(SEED)

measure: toolchain ## what the program costs: size, processor, memory, writes, delays
	$(CARGO) build --release --locked
	$(CARGO) build --release --locked --example measure
	target/release/examples/measure target/release/storyline $(MEASURE)

# Not part of `test`: it takes as long as it is given, and wants a nightly toolchain and `cargo install cargo-fuzz`. A finding
# ends it, and is told with the file that leads to it again: `cargo +nightly fuzz run --fuzz-dir tests/fuzz TARGET FILE`.
fuzz: corpus ## any bytes as files: what a fuzzer finds in FUZZ_SECONDS a target
	tests/fuzz/seeds $(TARGET)/corpus $(TARGET)/fuzz/seeds
	for target in inspect clip decode; do \
	    mkdir -p $(TARGET)/fuzz/found/$$target && \
	    $(CARGO) +nightly fuzz run -O --fuzz-dir tests/fuzz --target-dir $(TARGET)/fuzz $$target \
	        $(TARGET)/fuzz/found/$$target $(TARGET)/fuzz/seeds/$$target -- \
	        -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 -max_len=16384 \
	        -artifact_prefix=$(TARGET)/fuzz/ || exit 1; \
	done

# Pictures and clips of other projects, fetched once.
corpus: test-packages
	@packaging/corpus $(TARGET)/corpus

# Another project's idea of Telegram, fetched once.
emulator: test-packages
	@packaging/emulator $(TARGET)/emulator

# A server of buckets, built once.
storage: toolchain
	@packaging/prepare storage $(TARGET)/storage

toolchain:
	@packaging/prepare toolchain

test-packages:
	@packaging/prepare packages $(TEST_PACKAGES)

clean:
	$(CARGO) clean

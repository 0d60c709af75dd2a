# The two commands of a fresh Debian machine, `make demo` and `make test`, install what is missing and say so.

CARGO ?= cargo
# What the tests run against beside the program itself.
TEST_PACKAGES = postgresql util-linux libheif-examples curl libimage-exiftool-perl openssh-client openssh-server rclone rsync \
    tar unzip zip

.PHONY: all demo test lint measure clean toolchain test-packages

all: toolchain ## build the program
	$(CARGO) build --release --locked

demo: toolchain ## the real program on a pretend chat, with a page to watch it
	$(CARGO) build --release --locked
	$(CARGO) build --locked --example demo
	target/debug/examples/demo target/release/storyline $(DEMO)

test: toolchain test-packages lint ## everything, as CI runs it
	$(CARGO) test --locked
	$(CARGO) test --locked --no-default-features --lib

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

measure: toolchain ## what the program costs: size, processor, memory, writes, delays
	$(CARGO) build --release --locked
	$(CARGO) build --locked --example measure
	target/debug/examples/measure target/release/storyline $(MEASURE)

toolchain:
	@packaging/prepare toolchain

test-packages:
	@packaging/prepare packages $(TEST_PACKAGES)

clean:
	$(CARGO) clean

# On a fresh machine `make run` or `make test` is all: both bring what they need (see scripts/setup).

BUILD_JOBS ?= $(shell nproc)
TEST_JOBS ?= 2

# Only the daemon, as it is shipped, started on the example files.
run: build
	@scripts/run

build: setup
	cmake --preset release
	cmake --build --preset release --target flagstone --parallel $(BUILD_JOBS)

# Every test, under AddressSanitizer and UBSan.
test: setup
	cmake --preset asan
	cmake --build --preset asan --parallel $(BUILD_JOBS)
	ctest --test-dir build/asan --parallel $(TEST_JOBS) --output-on-failure

# The official clients against the release build; `make test` runs them too.
interop: build
	cd tests/interop && FLAGSTONE_BINARY=$(CURDIR)/build/release/flagstone \
	  FLAGSTONE_BUILD_DIR=$(CURDIR)/build/release PYTHONDONTWRITEBYTECODE=1 \
	  PYTHONPATH=$(CURDIR)/tests:$(CURDIR)/tests/integration python3 -m unittest -v

# The tests of what is handed between threads, under ThreadSanitizer.
tsan: setup
	cmake --preset tsan
	cmake --build --preset tsan --parallel $(BUILD_JOBS)
	TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.suppressions" ctest --test-dir build/tsan --parallel $(TEST_JOBS) --output-on-failure

# The page docs/benchmarks.md and its two plots. Takes a quarter of an hour and wants a quiet machine.
bench:
	@scripts/setup bench
	cmake --preset release -DFLAGSTONE_BENCH=ON
	cmake --build --preset release --parallel $(BUILD_JOBS)
	python3 tests/bench/run_bench.py

# How many instructions a request takes, against the budgets of tests/guard; needs no quiet machine.
# After a change that is meant to cost more, or that saves: tests/guard/check.py --update.
guard:
	@scripts/setup guard
	cmake --preset release -DFLAGSTONE_GUARD=ON
	cmake --build --preset release --target instruction_script --parallel $(BUILD_JOBS)
	python3 tests/guard/check.py

# Each fuzz target for a short while; scripts/fuzz SECONDS runs them for longer.
fuzz:
	@scripts/setup fuzz
	@scripts/fuzz

# Packages and llhttp's sources; builds nothing.
setup:
	@scripts/setup

format:
	@scripts/setup lint
	@scripts/lint --fix

lint:
	@scripts/setup lint
	@scripts/lint

clean:
	rm -rf build

.PHONY: run build test interop tsan bench guard fuzz setup format lint clean

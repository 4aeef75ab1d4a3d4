#!/usr/bin/env bash
# Runs every fuzz target for a bounded time. libFuzzer needs the compiler's unstable coverage flags.
# A stable compiler accepts them with RUSTC_BOOTSTRAP=1, so neither nightly nor cargo-fuzz is
# needed.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions \
-Ccodegen-units=1"
target=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --manifest-path fuzz/Cargo.toml --target "$target"
for source in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    echo "== $name, $seconds s"
    mkdir -p "fuzz/corpus/$name" fuzz/artifacts
    "fuzz/target/$target/release/$name" "fuzz/corpus/$name" -max_total_time="$seconds" \
        -max_len=4096 -timeout=5 -artifact_prefix="fuzz/artifacts/$name-" \
        -print_final_stats=1 2>&1 | tail -n 12
done

#!/usr/bin/env bash
# Runs every test suite, also after one has failed, and ends with the line
# `N passed, N failed[, N skipped]`.
#
# A test that cannot find a server it needs appends a line to the file that OCIREG_SKIP_LOG names
# and returns; libtest counts it as passed, we as skipped. In CI (variable CI set) a skip is a
# failure: the tools are installed there.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OCIREG_SKIP_LOG=$work/skipped
: >"$OCIREG_SKIP_LOG"
passed=0
failed=0

# suite NAME COMMAND...: shows the output as it comes and adds up the lines in which libtest sums up
# each test binary.
suite() {
    local name=$1 status=0 good bad
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$work/output" || status=$?
    read -r good bad < <(awk '
        /^test result: / {
            for (i = 2; i <= NF; i++) {
                if ($i == "passed;") good += $(i - 1)
                if ($i == "failed;") bad += $(i - 1)
            }
        }
        END { print good + 0, bad + 0 }' "$work/output")
    # A suite that does not build, or a test program that crashes, sums up nothing.
    if ((status != 0 && bad == 0)); then
        echo "== $name: ended with status $status"
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
}

suite 'workspace' cargo test --workspace --features ocireg/capi --no-fail-fast
# What ureq's features must not change: the same expectations with them and without.
suite 'consumer' cargo test --no-fail-fast --manifest-path tests/consumer/Cargo.toml
suite 'consumer, without features' cargo test --no-fail-fast --manifest-path tests/consumer/Cargo.toml --no-default-features

echo
skipped=$(sort -u "$OCIREG_SKIP_LOG" | wc -l)
if ((skipped > 0)); then
    echo "skipped:"
    sort -u "$OCIREG_SKIP_LOG" | sed 's/^/  /'
    passed=$((passed > skipped ? passed - skipped : 0))
    if [[ -n ${CI:-} ]]; then
        echo "in CI a skip is a failure"
        failed=$((failed + skipped))
        skipped=0
    fi
fi
summary="$passed passed, $failed failed"
if ((skipped > 0)); then
    summary+=", $skipped skipped"
fi
echo "$summary"
((failed == 0 && passed > 0))

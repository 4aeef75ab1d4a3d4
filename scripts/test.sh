#!/usr/bin/env bash
# Runs all test suites, even if one fails. The last line is `N passed, N failed[, N skipped]`.
#
# A test that needs a missing tool appends a line to the file that OCIREG_SKIP_LOG names, and
# returns. libtest counts it as passed, but this script counts it as skipped. In CI (if the variable
# CI is set) the tools must be there, so a skipped test is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OCIREG_SKIP_LOG=$work/skipped
: >"$OCIREG_SKIP_LOG"
passed=0
failed=0

# suite NAME COMMAND...: shows the output as it comes, and adds up the numbers of libtest's result
# lines. There is one for each test binary.
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
    # A suite that does not build, or crashes, prints no result line.
    if ((status != 0 && bad == 0)); then
        echo "== $name: ended with status $status"
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
}

suite 'workspace' cargo test --workspace --features ocireg/capi --no-fail-fast
# ureq's features must change nothing, so the same tests run with and without them.
consumer=(cargo test --no-fail-fast --manifest-path tests/consumer/Cargo.toml)
suite 'consumer' "${consumer[@]}"
suite 'consumer, without features' "${consumer[@]}" --no-default-features

echo
skipped=$(sort -u "$OCIREG_SKIP_LOG" | wc -l)
if ((skipped > 0)); then
    echo "skipped:"
    sort -u "$OCIREG_SKIP_LOG" | sed 's/^/  /'
    passed=$((passed > skipped ? passed - skipped : 0))
    if [[ -n ${CI:-} ]]; then
        echo "in CI, a skipped test is a failure"
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

#!/usr/bin/env bash
# The binary interface of the library, as programs that are already built rely on it.
#
#   scripts/abi.sh compare HEADER exit status 0 if programs built against abi/ would work with a
#   library of this header; otherwise 1, and what changed scripts/abi.sh current exit status 0 if
#   abi/ describes include/ocireg.h in full scripts/abi.sh write writes abi/ anew; refuses what
#   breaks programs, unless OCIREG_ABI_VERSION has risen
#
# libabigail compares debug information. That of our library is rustc's, which tells neither C's
# names nor the enums behind ocireg_status. So it gets a library without content that g++ makes of
# the header: as C++, where those enums are types of the functions, while in C they are int32_t.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=${TOOLS_DIR:-target/tools}
[[ $tools = /* ]] || tools=$PWD/$tools
PATH=$tools/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'abi: %s\n' "$*" >&2
    exit 1
}
for program in g++ nm abidw abidiff; do
    command -v "$program" >/dev/null || fail "no $program here: scripts/install-tools.sh g++ abidiff"
done

# stub HEADER NAME: $work/NAME.so, with every function that the header declares
stub() {
    {
        printf '#include "%s"\nextern "C" {\n' "$(readlink -f "$1")"
        # The declarations without comments and preprocessor, each with a body.
        sed -n '/^extern "C" {/,/^}  \/\/ extern "C"/p' "$1" | grep -vE '^(extern|}|#| ?\*|/\*)' | sed 's/);$/) { __builtin_abort(); }/'
        printf '}\n'
    } >"$work/$2.cpp"
    (cd "$work" && g++ -std=c++11 -g -O0 -fPIC -shared "$2.cpp" -o "$2.so") || fail "no library can be made of $1"
}

# number HEADER: its OCIREG_ABI_VERSION
number() { sed -n 's/^#define OCIREG_ABI_VERSION \([0-9]*\)$/\1/p' "$1"; }
recorded() { sed -n 's/^# OCIREG_ABI_VERSION \([0-9]*\)$/\1/p' abi/symbols.txt; }

# Not the machine's: two machines must agree. The locations are ours, and would change with every
# comment.
describe() {
    abidw --no-architecture --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names \
        --type-id-style hash "$1"
}

compatible() {
    abidiff --no-architecture --no-added-syms --no-show-locs abi/ocireg.abi "$work/$1.so" >"$work/report"
}

case ${1:-} in
compare)
    stub "$2" new
    compatible new && exit
    cat "$work/report"
    fail "programs that were built before would break. If they have to: raise OCIREG_ABI_VERSION, then \`make abi\`"
    ;;
current)
    stub include/ocireg.h new
    [[ $(number include/ocireg.h) = $(recorded) ]] || fail "OCIREG_ABI_VERSION is not that of abi/symbols.txt: run \`make abi\`"
    abidiff --harmless --no-architecture --no-show-locs abi/ocireg.abi "$work/new.so" || fail "abi/ocireg.abi is stale: run \`make abi\`"
    ;;
write)
    stub include/ocireg.h new
    mkdir -p abi
    if [[ -e abi/ocireg.abi ]] && ! compatible new && (($(number include/ocireg.h) <= $(recorded))); then
        cat "$work/report"
        fail "programs that were built before would break. If they have to: raise OCIREG_ABI_VERSION first"
    fi
    describe "$work/new.so" >"$work/ocireg.abi"
    {
        echo "# The functions of libocireg. Written by \`make abi\`."
        echo "# OCIREG_ABI_VERSION $(number include/ocireg.h)"
        nm -D --defined-only "$work/new.so" | sed -n 's/.* T //p' | LC_ALL=C sort
    } >"$work/symbols.txt"
    mv "$work/ocireg.abi" "$work/symbols.txt" abi/
    ;;
*) fail "usage: scripts/abi.sh compare HEADER|current|write" ;;
esac

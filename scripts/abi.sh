#!/usr/bin/env bash
# The binary interface of the library, which programs that are already built rely on.
#
#   scripts/abi.sh compare HEADER   Exits with 0 if programs that were built with abi/ work with a
#                                   library of this header. Otherwise prints the changes and exits
#                                   with 1.
#   scripts/abi.sh current          Exits with 0 if abi/ describes include/ocireg.h in full.
#   scripts/abi.sh write            Writes abi/ anew. Refuses a change that breaks programs, unless
#                                   OCIREG_ABI_VERSION has risen.
#
# libabigail compares debug information. That of our library comes from rustc, which knows neither
# the names of C nor the enums behind ocireg_status. So libabigail gets a library with empty
# functions that g++ makes of the header: in C++ these enums are types of the functions, while in C
# they are int32_t.
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
    command -v "$program" >/dev/null ||
        fail "$program is not installed: run scripts/install-tools.sh g++ abidiff"
done

# stub HEADER NAME: makes $work/NAME.so with every function that the header declares.
stub() {
    {
        printf '#include "%s"\nextern "C" {\n' "$(readlink -f "$1")"
        # The declarations without comments and preprocessor lines, each with a body.
        sed -n '/^extern "C" {/,/^}  \/\/ extern "C"/p' "$1" |
            grep -vE '^(extern|}|#| ?\*|/\*)' |
            sed 's/);$/) { __builtin_abort(); }/'
        printf '}\n'
    } >"$work/$2.cpp"
    (cd "$work" && g++ -std=c++11 -g -O0 -fPIC -shared "$2.cpp" -o "$2.so") ||
        fail "g++ can't make a library of $1"
}

# number HEADER: prints its OCIREG_ABI_VERSION. recorded: prints that of abi/.
number() { sed -n 's/^#define OCIREG_ABI_VERSION \([0-9]*\)$/\1/p' "$1"; }
recorded() { sed -n 's/^# OCIREG_ABI_VERSION \([0-9]*\)$/\1/p' abi/symbols.txt; }

# Leaves out everything that depends on the machine, since two machines must write the same. Leaves
# out the locations, since they change with every comment.
describe() {
    abidw --no-architecture --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
        --no-parameter-names --type-id-style hash "$1"
}

compatible() {
    abidiff --no-architecture --no-added-syms --no-show-locs abi/ocireg.abi "$work/$1.so" \
        >"$work/report"
}

breaks() {
    cat "$work/report"
    fail "programs that are already built would break. If this is intended, raise" \
        "OCIREG_ABI_VERSION and run \`make abi\`"
}

case ${1:-} in
compare)
    stub "$2" new
    compatible new || breaks
    ;;
current)
    stub include/ocireg.h new
    [[ $(number include/ocireg.h) = $(recorded) ]] ||
        fail "abi/symbols.txt has another OCIREG_ABI_VERSION: run \`make abi\`"
    abidiff --harmless --no-architecture --no-show-locs abi/ocireg.abi "$work/new.so" ||
        fail "abi/ocireg.abi is stale: run \`make abi\`"
    ;;
write)
    stub include/ocireg.h new
    mkdir -p abi
    if [[ -e abi/ocireg.abi ]] && ! compatible new; then
        (($(number include/ocireg.h) > $(recorded))) || breaks
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

#!/usr/bin/env bash
# Fails on lines of more than 100 columns, and names them. Arguments: the files or folders to check;
# without any, the whole repository.
#
# Exempt are rows of Markdown tables, lines that hold nothing but one long URL, and files whose
# lines are not ours to break: what programs write, and the bytes of test fixtures.
set -euo pipefail
if (($# == 0)); then
    cd "$(dirname "$0")/.."
    set -- .
fi

exempt_files=(
    --exclude-dir={.git,target,corpus,artifacts,fixtures}
    --exclude={Cargo.lock,go.sum,ocireg.abi,.built-with}
)
table_row='^[^:]+\.md:[0-9]+: *\|'
only_a_url='^[^:]+:[0-9]+:[^[:alnum:]]*https?://[^[:space:]]+$'

# In this locale a character is a column, whatever its bytes are. Status 1 means "nothing found".
wide=$(LC_ALL=C.UTF-8 grep -rHnIE '.{101}' "${exempt_files[@]}" -- "$@") || (($? == 1))
wide=$(grep -vE "$table_row|$only_a_url" <<<"$wide") || (($? == 1))
if [[ -n $wide ]]; then
    echo 'over 100 columns:'
    cut -c -160 <<<"$wide"
    exit 1
fi

#!/usr/bin/env bash
# Starts a registry on this machine, pushes a small image with curl, and asks ocireg about it. The
# exit status is 0 only if every answer was as expected. The demo contacts only 127.0.0.1 (except to
# download tools), and stops what it starts.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
finish() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
# For curl: the registry on this machine is not behind a proxy.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

heading() { printf '\n== %s\n' "$*"; }

# show COMMAND...: prints a command as a user would type it, with quotes around words that the shell
# would split.
show() {
    local word line='$'
    for word in "$@"; do
        [[ $word = *[[:space:]\&\?\;]* ]] && word="'$word'"
        line+=" $word"
    done
    printf '%s\n' "$line"
}

build() {
    echo "Building the ocireg command, the Rust example and the C library." \
        "The first build takes some minutes."
    cargo build -q --release -p ocireg-cli
    cargo build -q --release --example exists
    build_c_examples
    PATH=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd):$PATH
}

c_missing=
# Uses the library of this clone, even if another one is installed. Only this part needs a C
# compiler.
build_c_examples() {
    local tool compiler=${CC:-cc}
    for tool in make "${compiler%% *}"; do
        command -v "$tool" >/dev/null || c_missing+=" $tool"
    done
    [[ -n $c_missing ]] || make -s --no-print-directory -C examples-c FROM=tree
}

# Starts the server in the background. Sets $server to its process id, and $registry to the address
# in its log.
start_registry() {
    local log=$work/server.log tools=${TOOLS_DIR:-target/tools}
    if scripts/install-tools.sh docker-registry >"$work/tools.log" 2>&1; then
        cat >"$work/config.yml" <<YAML
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/data}}
http: {addr: "127.0.0.1:0", secret: demo}
YAML
        PATH=$tools/bin:$PATH
        docker-registry serve "$work/config.yml" >"$log" 2>&1 &
        what="Docker's registry $(docker-registry --version | cut -d ' ' -f 3)"
    else
        cat "$work/tools.log"
        echo "docker-registry can't be installed here. The demo uses this project's fake-registry."
        cargo build -q --release -p fake-registry
        fake-registry --port 0 >"$log" 2>&1 &
        what="fake-registry"
    fi
    server=$!
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        # Both servers print their address. The kernel chooses a free port.
        registry=$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$log" | head -n 1 || true)
        [[ -n $registry ]] && curl -s -o "$work/ping" "http://$registry/v2/" && break
        kill -0 "$server" 2>/dev/null || break
        registry=
        sleep 0.1
    done
    if [[ -z $registry ]]; then
        cat "$log"
        echo "the registry did not start"
        exit 1
    fi
    heading "A registry on this machine: $what, http://$registry (process $server)"
}

# curl_expecting STATUS ARGUMENTS...: ends the demo if the status is another one. Writes the headers
# of the answer to $work/head.
curl_expecting() {
    local expected=$1 got
    shift
    got=$(curl -sS --max-time 20 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@") ||
        got="no answer"
    if [[ $got != "$expected" ]]; then
        show curl "$@"
        cat "$work/body"
        echo "expected $expected, got $got"
        exit 1
    fi
}

digest_of() { echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"; }

# push_blob FILE: asks for an upload, and sends the bytes to the location that the registry gives.
push_blob() {
    local location joint='?' digest
    digest=$(digest_of "$1")
    show curl -X POST "http://$registry/v2/demo/hello/blobs/uploads/"
    curl_expecting 202 -X POST "http://$registry/v2/demo/hello/blobs/uploads/"
    location=$(tr -d '\r' <"$work/head" | awk 'tolower($1) == "location:" { print $2 }')
    [[ $location = /* ]] && location=http://$registry$location
    [[ $location = *\?* ]] && joint='&'
    # The real location is long and changes each time.
    printf '$ curl -T %s "$LOCATION%sdigest=%s..."\n' "${1##*/}" "$joint" "${digest:0:14}"
    curl_expecting 201 -T "$1" -H 'Content-Type: application/octet-stream' \
        "$location${joint}digest=$digest"
}

push_image() {
    heading "A small image, pushed with curl under three tags"
    mkdir "$work/root"
    echo 'hello from the demo' >"$work/root/greeting"
    tar -C "$work/root" --mtime=@0 --owner=0 --group=0 --mode=644 -c greeting |
        gzip -n >"$work/layer.tar.gz"
    local diff size_config size_layer tag manifests=$registry/v2/demo/hello/manifests
    local media=application/vnd.docker.distribution.manifest.v2+json
    diff=sha256:$(gunzip -c "$work/layer.tar.gz" | sha256sum | cut -d ' ' -f 1)
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}' \
        "$diff" >"$work/config.json"
    size_config=$(stat -c %s "$work/config.json")
    size_layer=$(stat -c %s "$work/layer.tar.gz")
    cat >"$work/manifest.json" <<JSON
{"schemaVersion": 2, "mediaType": "$media",
 "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
            "size": $size_config, "digest": "$(digest_of "$work/config.json")"},
 "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
             "size": $size_layer, "digest": "$(digest_of "$work/layer.tar.gz")"}]}
JSON
    digest=$(digest_of "$work/manifest.json")
    push_blob "$work/layer.tar.gz"
    push_blob "$work/config.json"
    for tag in 1.0 1.0.3 latest; do
        printf '$ curl -T manifest.json -H "$TYPE" http://%s/%s\n' "$manifests" "$tag"
        curl_expecting 201 -T "$work/manifest.json" -H "Content-Type: $media" \
            "http://$manifests/$tag"
    done
}

wrong=0
asked=0
input=/dev/null
# ask STATUS PATTERN COMMAND...: prints the command, its answer and its exit code, and compares them
# with what is expected.
ask() {
    local status=$1 pattern=$2 got=0
    shift 2
    asked=$((asked + 1))
    show "$@"
    timeout 60 "$@" >"$work/answer" 2>"$work/reason" <"$input" || got=$?
    cat "$work/answer" "$work/reason"
    ((got == 0)) || echo "(exit code $got)"
    # The registry chooses the order of lists.
    # shellcheck disable=SC2053  # a pattern, not a text
    if [[ $got != "$status" || $(sort "$work/answer") != $pattern ]]; then
        printf 'WRONG: expected exit code %s and: %s\n' "$status" "$pattern"
        wrong=$((wrong + 1))
    fi
}

# lines LINE...: a pattern of these lines
lines() {
    local IFS=$'\n'
    printf '%s' "$*"
}

build
start_registry
push_image

image=$registry/demo/hello
heading "Questions to the ocireg command (exit code 0 where none is shown)"
ask 0 "exists $image:1.0 $digest" ocireg exists "$image:1.0"
ask 1 "absent $image:9.9 -" ocireg exists "$image:9.9"
ask 0 "$digest" ocireg digest "$image:latest"
ask 0 "$digest application/vnd.docker.* $image:1.0.3" ocireg head "$image:1.0.3"
ask 0 "$(lines 1.0 1.0.3 latest)" ocireg tags "$image"
ask 0 'demo/hello' ocireg catalog "$registry"
ask 0 "$registry anonymous" ocireg ping "$registry"
ask 1 '*"presence":"absent"*"http_status":404*' ocireg exists --json "$image:9.9"
# Nothing listens at port 1 of this machine. No answer does not mean "absent".
ask 2 'error 127.0.0.1:1/demo/hello:1.0 -' ocireg exists 127.0.0.1:1/demo/hello:1.0

heading "Which tags are the same image? Do all images of a deployment exist?"
ask 0 "$(lines "1.0 $digest" "1.0.3 $digest" "latest $digest")" ocireg find "$image:latest"
input=$work/images.txt
printf '%s\n' "$image:1.0" "$image:1.0.3" "$image:latest" "$image:1.0" >"$input"
echo "(standard input: $(wc -l <"$input") references, one of them twice)"
there="exists $image:1.0 $digest"
absent="absent $image:9.9 -"
ask 0 "$(lines "$there" "$there" "exists $image:1.0.3 $digest" "exists $image:latest $digest")" \
    ocireg exists -
input=/dev/null
ask 1 "$(lines "$absent" "$there")" ocireg exists --wait 2s "$image:9.9" "$image:1.0"

heading "The same from a Rust program: examples/exists.rs"
ask 1 "*absent*exists*$digest*" \
    cargo run -q --release --example exists -- "$image:1.0" "$image:9.9"

heading "The same from a C program: examples-c/exists.c"
if [[ -n $c_missing ]]; then
    echo "Left out, because this is missing:$c_missing"
else
    nobody=127.0.0.1:1/demo/hello:1.0
    ask 1 "$(lines "$absent" "$there")" examples-c/exists "$image:1.0" "$image:9.9"
    ask 2 "$(lines "error $nobody -" "$there")" examples-c/exists "$nobody" "$image:1.0"
fi

echo
if ((wrong > 0)); then
    echo "$wrong of $asked answers were wrong."
    exit 1
fi
cat <<END
All $asked answers were as expected${c_missing:+ (the C program was left out)}.
The registry is stopped, and its files are removed.
The command is ${CARGO_TARGET_DIR:-target}/release/ocireg. \`ocireg help\` explains it.
For C, see the programs in examples-c and the manual in include/ocireg.h.
\`make library && sudo make install\` installs the library.
END

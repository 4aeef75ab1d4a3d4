#!/usr/bin/env bash
# Gets the real registries and proxies that the tests, the demo and the benchmarks talk to, what
# they compare with, and what the tests of the C interface compile and look with.
#
# Nothing on the system is changed: Debian's packages are unpacked, not installed, since installing
# docker-registry or nginx would start a service on port 5000 or 80. So root is not needed either.
# The exceptions are curl, openssl, compilers and the like, which have too many files to unpack:
# they are installed when root asks, and otherwise named as missing.
#
# With names as arguments only these are got, else all that the tests need. A tool of the right
# version on PATH is used as it is; TOOLS_DIR says where the others go (default: target/tools). Exit
# status 1 when a tool could not be had; the others are installed all the same.
set -euo pipefail

CRANE_VERSION=v0.22.1
DISTRIBUTION_VERSION=v3.1.2
TOKEN_SERVER_VERSION=v2.8.3+incompatible
CONTAINER_REGISTRY_VERSION=0.3.1
# The newest that Rust 1.95 builds.
CARGO_C_VERSION=0.10.24
DXF_VERSION=12.1.1

cd "$(dirname "$0")/.."
tools=${TOOLS_DIR:-target/tools}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
log=$tools/install.log
PATH=$tools/bin:$PATH:/usr/sbin:/sbin
: >"$log"
missing=()

say() { printf 'tools: %s\n' "$*"; }

# have NAME WANTED VERSION_COMMAND...: is the tool there, and does it say WANTED when asked for its
# version?
have() {
    local name=$1 wanted=$2
    shift 2
    command -v "$name" >/dev/null || return 1
    local answer
    answer=$("$@" 2>&1 || true)
    if [[ $answer != *"$wanted"* ]]; then
        say "$name on PATH is another version, leaving it alone: ${answer%%$'\n'*}"
        return 1
    fi
    say "$name: $(command -v "$name")"
}

# apt_private ARGUMENTS...: apt-get with package lists of our own, so that neither root nor
# `apt-get update` is needed.
apt_private() {
    mkdir -p "$tools/apt/lists/partial" "$tools/apt/cache/archives/partial"
    apt-get -q -o Dir::State::lists="$tools/apt/lists" -o Dir::Cache="$tools/apt/cache" -o Debug::NoLocking=1 \
        -o APT::Sandbox::User= "$@"
}

# download PACKAGE...: the .deb files, into the current directory. The system's package lists may be
# absent or too old to name files that are still served; then our own are fetched once.
download() {
    apt-get -q -o APT::Sandbox::User= download "$@" >>"$log" 2>&1 && return
    if [[ ! -e $tools/apt/updated ]]; then
        say "fetching Debian's package lists"
        apt_private update >>"$log" 2>&1 || return 1
        touch "$tools/apt/updated"
    fi
    apt_private download "$@" >>"$log" 2>&1
}

# unpack BINARY PACKAGE...: BINARY is the path inside the first package; the other packages are what
# it needs beside it.
unpack() {
    local binary=$1
    shift
    unpack_only "$@" && [[ -x $tools/root/$binary ]] || return 1
    link "$binary"
}

# unpack_only PACKAGE...: into root/, whatever is in them.
unpack_only() {
    local work status=0
    say "unpacking Debian's $*"
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "no apt-get or dpkg here" >>"$log"; return 1; }
    work=$(mktemp -d "$tools/unpack.XXXXXX") || return 1
    (cd "$work" && download "$@") || status=1
    local deb
    for deb in "$work"/*.deb; do
        [[ -e $deb ]] && { dpkg -x "$deb" "$tools/root" || status=1; }
    done
    rm -rf "$work"
    return "$status"
}

# link BINARY: puts it in bin/. Where the system lacks one of its libraries, a wrapper finds the
# unpacked one; the wrapper execs, so the process id stays that of the program.
link() {
    local binary=$1 name=${1##*/} libraries
    rm -f "$tools/bin/$name"
    # Not a pipe to grep -q, which ends before ldd has written all: then the pipe fails, as if
    # nothing had been found.
    if [[ $(ldd "$tools/root/$binary" 2>/dev/null) != *'not found'* ]]; then
        ln -s "../root/$binary" "$tools/bin/$name"
        return
    fi
    libraries=$(find "$tools/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
    if LD_LIBRARY_PATH=$libraries ldd "$tools/root/$binary" | grep 'not found' >>"$log"; then
        return 1
    fi
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$tools/root/$binary" >"$tools/bin/$name"
    chmod +x "$tools/bin/$name"
}

# headers NAME PACKAGE...: C headers of Debian's development packages, into include/; the library
# itself is the system's.
headers() {
    local name=$1 found
    shift
    unpack_only "$@" || return 1
    found=$(find "$tools/root/usr/include" -type d -name "$name" | head -n 1)
    [[ -n $found ]] || return 1
    mkdir -p "$tools/include"
    ln -sfn "$found" "$tools/include/$name"
}

# go_install BINARY PACKAGE@VERSION
go_install() {
    say "go install $2 (a minute the first time)"
    command -v go >/dev/null || { echo "no go here" >>"$log"; return 1; }
    GOBIN=$tools/bin go install -trimpath -ldflags='-s -w' "$2" >>"$log" 2>&1 && [[ -x $tools/bin/$1 ]]
}

# cargo_install BINARY CRATE@VERSION ARGUMENT...
cargo_install() {
    local name=$1 crate=$2
    shift 2
    say "cargo install $crate (minutes the first time)"
    # Outside our own build: neither its lock file nor its flags are ours.
    env -u RUSTFLAGS cargo install --quiet --locked --root "$tools" --target-dir "$tools/build" "$crate" --bin "$name" "$@" \
        >>"$log" 2>&1 && [[ -x $tools/bin/$name ]] && rm -rf "$tools/build"
}

# pip_install DIRECTORY REQUIREMENT: into a virtual environment of its own
pip_install() {
    say "pip install $2"
    command -v python3 >/dev/null || { echo "no python3 here" >>"$log"; return 1; }
    python3 -m venv "$tools/$1" >>"$log" 2>&1 && "$tools/$1/bin/pip" install --quiet --disable-pip-version-check "$2" >>"$log" 2>&1
}

# system PACKAGE...: installs them, for root only.
system() {
    [[ $(id -u) = 0 ]] || { echo "$* must be installed by root: apt-get install $*" >>"$log"; return 1; }
    command -v apt-get >/dev/null || { echo "no apt-get here" >>"$log"; return 1; }
    say "installing Debian's $*"
    apt-get -q update >>"$log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" >>"$log" 2>&1
}

# Can clang link a program with its address sanitizer?
sanitizes() {
    local work status=0
    work=$(mktemp -d)
    echo 'int main(void) { return 0; }' | clang -fsanitize=address -x c - -o "$work/program" >>"$log" 2>&1 || status=1
    rm -rf "$work"
    return "$status"
}

give_up() {
    say "FAILED to get $1:"
    tail -n 5 "$log" | sed 's/^/tools:   /'
    missing+=("$1")
}

# get NAME: finds or installs one tool.
get() {
    case $1 in
    curl) have curl 'curl ' curl --version || system curl ;;
    openssl) have openssl 'OpenSSL ' openssl version || system openssl ;;
    docker-registry)
        have docker-registry ' 2.8' docker-registry --version || unpack usr/bin/docker-registry docker-registry
        ;;
    libcurl)
        [[ -e /usr/include/curl/curl.h || -e $tools/include/curl/curl.h ]] && say "libcurl's headers: here" ||
            headers curl libcurl4-openssl-dev
        ;;
    nginx) have nginx nginx/ nginx -v || unpack usr/sbin/nginx nginx nginx-common libpcre2-8-0 ;;
    strace) have strace 'strace -- version' strace --version || unpack usr/bin/strace strace libunwind8 ;;
    crane)
        have crane "$CRANE_VERSION" crane version ||
            go_install crane "github.com/google/go-containerregistry/cmd/crane@$CRANE_VERSION"
        ;;
    registry)
        have registry "$DISTRIBUTION_VERSION" registry --version ||
            go_install registry "github.com/distribution/distribution/v3/cmd/registry@$DISTRIBUTION_VERSION"
        ;;
    token-server)
        # It does not tell its version; ours is the only one that goes into bin/.
        have token-server 'token' token-server -help ||
            go_install token-server "github.com/docker/distribution/contrib/token-server@$TOKEN_SERVER_VERSION"
        ;;
    container-registry)
        have container-registry "$CONTAINER_REGISTRY_VERSION" container-registry --version ||
            cargo_install container-registry "container-registry@$CONTAINER_REGISTRY_VERSION" --features bin
        ;;
    gcc) have gcc 'gcc ' gcc --version || system gcc libc6-dev ;;
    g++) have g++ 'g++ ' g++ --version || system g++ ;;
    clang) have clang 'clang version' clang --version || system clang ;;
    asan)
        # A package of its own, with the compiler's version in its name.
        if sanitizes; then
            say "clang's address sanitizer: here"
        else
            system "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" && sanitizes
        fi
        ;;
    valgrind) have valgrind valgrind- valgrind --version || system valgrind libc6-dbg ;;
    cmake) have cmake 'cmake version' cmake --version || system cmake make ;;
    pkg-config) have pkg-config . pkg-config --version || system pkg-config ;;
    readelf) have readelf readelf readelf --version || system binutils ;;
    abidiff)
        # "abidiff: 2.2.0", and not "abidiff: error while loading".
        { have abidiff 'abidiff: 2' abidiff --version && have abidw 'abidw: 2' abidw --version; } ||
            { unpack usr/bin/abidiff abigail-tools libabigail0 && link usr/bin/abidw; } || system abigail-tools
        ;;
    cargo-cinstall)
        # Unoptimised and without debug information: it only starts the compiler, and builds in half
        # the time.
        have cargo-cinstall "$CARGO_C_VERSION" cargo-cinstall --version ||
            CARGO_PROFILE_DEV_DEBUG=0 cargo_install cargo-cinstall "cargo-c@$CARGO_C_VERSION" --features vendored-openssl --debug
        ;;
    python-dxf)
        # Only the benchmarks compare with it.
        if grep -qs "^Version: $DXF_VERSION\$" "$tools"/dxf/lib/python*/site-packages/python_dxf-*/METADATA; then
            say "python-dxf: $tools/dxf"
        else
            pip_install dxf "python-dxf==$DXF_VERSION"
        fi
        ;;
    *) echo "no tool of this name is known here" >>"$log"; return 1 ;;
    esac
}

(($#)) || set -- curl openssl docker-registry nginx strace crane registry token-server container-registry \
    gcc g++ clang asan valgrind cmake pkg-config readelf abidiff cargo-cinstall
for name in "$@"; do
    get "$name" || give_up "$name"
done

if ((${#missing[@]})); then
    say "missing: ${missing[*]} (the whole story: $log)"
    exit 1
fi

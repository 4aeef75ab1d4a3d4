#!/usr/bin/env bash
# Installs the tools of the tests, the demo and the benchmarks: real registries, proxies and other
# clients, and the compilers and analysers for the tests of the C interface.
#
#   scripts/install-tools.sh [NAME...]
#
# It installs the named tools, or all that the tests need. A tool on PATH with the right version is
# used as it is. The others go to TOOLS_DIR (default: target/tools). The exit status is 1 if a tool
# could not be installed; the other tools are installed anyway.
#
# It does not change the system. Debian's packages are unpacked and not installed, because
# installing docker-registry or nginx would start a service on port 5000 or 80. So it does not need
# root. The exceptions are curl, openssl, compilers and the like, which have too many files. Root
# installs them; for other users they are reported as missing.
set -euo pipefail

CRANE_VERSION=v0.22.1
DISTRIBUTION_VERSION=v3.1.2
TOKEN_SERVER_VERSION=v2.8.3+incompatible
CONTAINER_REGISTRY_VERSION=0.3.1
# The newest version that Rust 1.95 builds.
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

# have NAME WANTED VERSION_COMMAND...: true if the tool is on PATH, and if the output of its version
# command contains WANTED.
have() {
    local name=$1 wanted=$2
    shift 2
    command -v "$name" >/dev/null || return 1
    local answer
    answer=$("$@" 2>&1 || true)
    if [[ $answer != *"$wanted"* ]]; then
        say "$name on PATH is another version and is not used: ${answer%%$'\n'*}"
        return 1
    fi
    say "$name: $(command -v "$name")"
}

# apt_private ARGUMENTS...: runs apt-get with our own package lists, which needs neither root nor
# the system's `apt-get update`.
apt_private() {
    local apt=$tools/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    apt-get -q -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User= "$@"
}

# download PACKAGE...: puts the .deb files into the current directory. The system's package lists
# may be missing, or so old that the server has newer files. Then it fetches its own lists once.
download() {
    apt-get -q -o APT::Sandbox::User= download "$@" >>"$log" 2>&1 && return
    if [[ ! -e $tools/apt/updated ]]; then
        say "fetching Debian's package lists"
        apt_private update >>"$log" 2>&1 || return 1
        touch "$tools/apt/updated"
    fi
    apt_private download "$@" >>"$log" 2>&1
}

# unpack BINARY PACKAGE...: unpacks the packages. BINARY is a path in the first package. The other
# packages are its dependencies.
unpack() {
    local binary=$1
    shift
    unpack_only "$@" && [[ -x $tools/root/$binary ]] || return 1
    link "$binary"
}

# needs PROGRAM...: true if all programs are on PATH. Otherwise the log says which one is missing.
needs() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "$program is missing" >>"$log"; return 1; }
    done
}

# unpack_only PACKAGE...: unpacks the packages into root/.
unpack_only() {
    local work status=0
    say "unpacking Debian's $*"
    needs apt-get dpkg || return 1
    work=$(mktemp -d "$tools/unpack.XXXXXX") || return 1
    (cd "$work" && download "$@") || status=1
    local deb
    for deb in "$work"/*.deb; do
        [[ -e $deb ]] && { dpkg -x "$deb" "$tools/root" || status=1; }
    done
    rm -rf "$work"
    return "$status"
}

# link BINARY: puts it into bin/. If the system lacks one of its libraries, a wrapper script sets
# the path of the unpacked library. The wrapper uses exec, so the process id is that of the program.
link() {
    local binary=$1 name=${1##*/} libraries
    rm -f "$tools/bin/$name"
    # A pipe to `grep -q` would be wrong: grep ends early, ldd fails on the closed pipe, and so the
    # pipe fails as if nothing had been found.
    if [[ $(ldd "$tools/root/$binary" 2>/dev/null) != *'not found'* ]]; then
        ln -s "../root/$binary" "$tools/bin/$name"
        return
    fi
    libraries=$(find "$tools/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
    if LD_LIBRARY_PATH=$libraries ldd "$tools/root/$binary" | grep 'not found' >>"$log"; then
        return 1
    fi
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$tools/root/$binary" \
        >"$tools/bin/$name"
    chmod +x "$tools/bin/$name"
}

# headers NAME PACKAGE...: puts C headers of Debian's development packages into include/. Programs
# use the library of the system.
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
    needs go || return 1
    GOBIN=$tools/bin go install -trimpath -ldflags='-s -w' "$2" >>"$log" 2>&1 &&
        [[ -x $tools/bin/$1 ]]
}

# cargo_install BINARY CRATE@VERSION ARGUMENT...
cargo_install() {
    local name=$1 crate=$2
    shift 2
    say "cargo install $crate (minutes the first time)"
    # The crate is built with its own lock file, and without the flags of our build.
    env -u RUSTFLAGS cargo install --quiet --locked --root "$tools" --target-dir "$tools/build" \
        "$crate" --bin "$name" "$@" >>"$log" 2>&1 &&
        [[ -x $tools/bin/$name ]] && rm -rf "$tools/build"
}

# pip_install DIRECTORY REQUIREMENT: installs it into its own virtual environment
pip_install() {
    say "pip install $2"
    needs python3 || return 1
    python3 -m venv "$tools/$1" >>"$log" 2>&1 &&
        "$tools/$1/bin/pip" install --quiet --disable-pip-version-check "$2" >>"$log" 2>&1
}

# system PACKAGE...: installs the packages on the system. Only root can do that.
system() {
    if [[ $(id -u) != 0 ]]; then
        echo "$* must be installed by root: apt-get install $*" >>"$log"
        return 1
    fi
    needs apt-get || return 1
    say "installing Debian's $*"
    apt-get -q update >>"$log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" >>"$log" 2>&1
}

# sanitizes: true if clang can link a program with its address sanitizer
sanitizes() {
    local work status=0
    work=$(mktemp -d)
    echo 'int main(void) { return 0; }' |
        clang -fsanitize=address -x c - -o "$work/program" >>"$log" 2>&1 || status=1
    rm -rf "$work"
    return "$status"
}

give_up() {
    say "FAILED to install $1:"
    tail -n 5 "$log" | sed 's/^/tools:   /'
    missing+=("$1")
}

# The functions below find or install the tool of their name.

tool_curl() { have curl 'curl ' curl --version || system curl; }
tool_openssl() { have openssl 'OpenSSL ' openssl version || system openssl; }

tool_docker-registry() {
    have docker-registry ' 2.8' docker-registry --version ||
        unpack usr/bin/docker-registry docker-registry
}

tool_libcurl() {
    if [[ -e /usr/include/curl/curl.h || -e $tools/include/curl/curl.h ]]; then
        say "libcurl's headers: found"
    else
        headers curl libcurl4-openssl-dev
    fi
}

tool_nginx() {
    have nginx nginx/ nginx -v || unpack usr/sbin/nginx nginx nginx-common libpcre2-8-0
}

tool_strace() {
    have strace 'strace -- version' strace --version || unpack usr/bin/strace strace libunwind8
}

tool_crane() {
    have crane "$CRANE_VERSION" crane version ||
        go_install crane "github.com/google/go-containerregistry/cmd/crane@$CRANE_VERSION"
}

tool_registry() {
    local package=github.com/distribution/distribution/v3/cmd/registry
    have registry "$DISTRIBUTION_VERSION" registry --version ||
        go_install registry "$package@$DISTRIBUTION_VERSION"
}

# It does not print its version. This script puts only one version into bin/.
tool_token-server() {
    local package=github.com/docker/distribution/contrib/token-server
    have token-server 'token' token-server -help ||
        go_install token-server "$package@$TOKEN_SERVER_VERSION"
}

tool_container-registry() {
    local package=container-registry@$CONTAINER_REGISTRY_VERSION
    have container-registry "$CONTAINER_REGISTRY_VERSION" container-registry --version ||
        cargo_install container-registry "$package" --features bin
}

tool_gcc() { have gcc 'gcc ' gcc --version || system gcc libc6-dev; }
tool_g++() { have g++ 'g++ ' g++ --version || system g++; }
tool_clang() { have clang 'clang version' clang --version || system clang; }

# clang's address sanitizer. The name of its package has the compiler's version.
tool_asan() {
    if sanitizes; then
        say "clang's address sanitizer: found"
    else
        system "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" && sanitizes
    fi
}

tool_valgrind() { have valgrind valgrind- valgrind --version || system valgrind libc6-dbg; }
tool_cmake() { have cmake 'cmake version' cmake --version || system cmake make; }
tool_pkg-config() { have pkg-config . pkg-config --version || system pkg-config; }
tool_readelf() { have readelf readelf readelf --version || system binutils; }

# The version command prints "abidiff: 2.2.0", or "abidiff: error while loading".
tool_abidiff() {
    { have abidiff 'abidiff: 2' abidiff --version && have abidw 'abidw: 2' abidw --version; } ||
        { unpack usr/bin/abidiff abigail-tools libabigail0 && link usr/bin/abidw; } ||
        system abigail-tools
}

# It only starts the compiler. Without optimisation and debug information it builds in half the
# time.
tool_cargo-cinstall() {
    local package=cargo-c@$CARGO_C_VERSION
    have cargo-cinstall "$CARGO_C_VERSION" cargo-cinstall --version ||
        CARGO_PROFILE_DEV_DEBUG=0 \
            cargo_install cargo-cinstall "$package" --features vendored-openssl --debug
}

# Only the benchmarks use it.
tool_python-dxf() {
    local metadata=("$tools"/dxf/lib/python*/site-packages/python_dxf-*/METADATA)
    if grep -qs "^Version: $DXF_VERSION\$" "${metadata[@]}"; then
        say "python-dxf: $tools/dxf"
    else
        pip_install dxf "python-dxf==$DXF_VERSION"
    fi
}

# get NAME
get() {
    if [[ $(type -t "tool_$1") != function ]]; then
        echo "this script knows no tool of this name" >>"$log"
        return 1
    fi
    "tool_$1"
}

(($#)) || set -- curl openssl docker-registry nginx strace crane registry token-server \
    container-registry gcc g++ clang asan valgrind cmake pkg-config readelf abidiff cargo-cinstall
for name in "$@"; do
    get "$name" || give_up "$name"
done

if ((${#missing[@]})); then
    say "missing: ${missing[*]} (details: $log)"
    exit 1
fi

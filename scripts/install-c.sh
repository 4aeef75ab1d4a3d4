#!/usr/bin/env bash
# Installs the library for C: shared and static library, header and ocireg.pc. For
# `make library|install|uninstall`.
#
#   scripts/install-c.sh build|install|uninstall
#
# PREFIX (/usr/local), LIBDIR (PREFIX/lib) and INCLUDEDIR (PREFIX/include) are the directories in
# which programs find the files. Packagers set DESTDIR: the files are copied below it.
# `cargo cinstall` installs the same files; tests/capi compares the two.
#
# All files are first copied under temporary names, and then renamed. So if copying fails, the
# installed files stay as they were.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}
# A closed standard output is ignored.
say() { printf 'install: %s\n' "$*" 2>/dev/null || true; }

prefix=${PREFIX:-/usr/local}
prefix=${prefix%/}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
destdir=${DESTDIR:-}
destdir=${destdir%/}
for path in "${prefix:-/}" "$libdir" "$includedir" "${destdir:-/}"; do
    [[ $path = /* ]] || fail "not an absolute path: $path"
done
for path in "$prefix" "$libdir" "$includedir"; do
    # pkg-config gives these characters a meaning, and so do the shells that use its output.
    [[ $path != *[[:space:]\"\'\`\#\$\\\&\;\|\<\>\(\)\*\?]* ]] ||
        fail "pkg-config can't handle such a character in a path: $path"
done
[[ $(uname -s) = Linux ]] ||
    fail "this script is only for Linux; use cargo-c: cargo cinstall --profile dist"
PATH=$PATH:/usr/sbin:/sbin

target=${CARGO_TARGET_DIR:-target}
[[ $target = /* ]] || target=$PWD/$target
built=$target/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}dist
# The libraries that a program must link with the archive. The compiler writes this file.
native=$built/libocireg.native-static-libs

# The first `version = "..."` is that of the workspace.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[[ -n $version ]] || fail "no version in Cargo.toml"

# up_to_date: true if the built library is newer than all its sources
up_to_date() {
    local sources=(src include build.rs cbindgen.toml Cargo.toml)
    [[ -e $built/libocireg.so && -e $built/libocireg.a && -e $native ]] &&
        [[ -z $(find "${sources[@]}" -newer "$built/libocireg.so" -print -quit) ]]
}

# quoted TEXT: the text as a TOML string
quoted() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

build() {
    if up_to_date && { [[ -n ${SUDO_USER:-} ]] || ! command -v cargo >/dev/null; }; then
        # A user built the library, and root installs it. The compiler must not run as root, because
        # it would leave files of root in target/.
        say "using the library that was built before, in $built"
        return
    fi
    command -v cargo >/dev/null ||
        fail "cargo is not found (sudo hides programs in home directories):" \
            "run \`make library\` as yourself, then install" \
            "(with the same CARGO_TARGET_DIR if you have set it)"
    local locked=()
    [[ ! -e Cargo.lock ]] || locked=(--locked)
    # Cargo would not run the compiler again if only this file is missing.
    [[ -e $native ]] || rm -f "$built"/deps/libocireg.{so,a} "$built"/libocireg.{so,a}
    # The library must not contain the paths of the build, and its size must not depend on them.
    # Flags that a user has set elsewhere replace these flags.
    local sources=${CARGO_HOME:-${HOME:-}/.cargo}/registry/src flags
    flags=$(quoted "--remap-path-prefix=$sources=crates")
    flags+=", $(quoted "--remap-path-prefix=$PWD=ocireg")"
    # The Rust library is not built, because cargo would drop LTO with it; see Cargo.toml.
    cargo --config "build.rustflags=[$flags]" rustc "${locked[@]}" --package ocireg --lib \
        --profile dist --features capi --crate-type cdylib,staticlib --target-dir "$target" \
        -- --print "native-static-libs=$native" || fail "the library does not build"
    [[ -s $native ]] ||
        fail "the compiler did not write the libraries that a static library needs ($native)"
}

# soname_of LIBRARY
soname_of() { readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p'; }

# Replaces the prefix of a path by ${prefix}, as cargo-c does.
below_prefix() {
    if [[ -n $prefix && $1 = "$prefix"/* ]]; then
        printf '${prefix}/%s' "${1#"$prefix"/}"
    else
        printf '%s' "$1"
    fi
}

pc() {
    local description section='/^\[package\.metadata\.capi\.pkg_config\]/,$'
    description=$(sed -n "$section"' s/^description = "\(.*\)"$/\1/p' Cargo.toml)
    cat <<PC
prefix=${prefix:-/}
exec_prefix=\${prefix}
libdir=$(below_prefix "$libdir")
includedir=$(below_prefix "$includedir")

Name: ocireg
Description: $description
Version: $version
Libs: -L\${libdir} -locireg
Cflags: -I\${includedir}
Libs.private: $(cat "$native")
PC
}

mark=.new.$$
pending=()
remove_pending() {
    local file
    for file in "${pending[@]}"; do rm -f "$file$mark"; done
    rm -f "$pc_file"
}

# put MODE FILE TO / put_link TARGET TO: copies or links under a temporary name
put() {
    pending+=("$destdir$3")
    install -m "$1" "$2" "$destdir$3$mark"
}
put_link() {
    pending+=("$destdir$2")
    ln -s "$1" "$destdir$2$mark"
}

install_all() {
    local soname file
    soname=$(soname_of "$built/libocireg.so")
    [[ libocireg.so.$version = "$soname" || libocireg.so.$version = "$soname".* ]] ||
        fail "the library in $built calls itself '$soname', which is not of version $version"
    pc_file=$(mktemp)
    trap remove_pending EXIT
    pc >"$pc_file"
    # `install -d` would change the mode of existing directories.
    (umask 022 && mkdir -p "$destdir$libdir/pkgconfig" "$destdir$includedir") ||
        fail "can't create the directories (check PREFIX, DESTDIR, sudo)"
    put 755 "$built/libocireg.so" "$libdir/libocireg.so.$version"
    put_link "libocireg.so.$version" "$libdir/$soname"
    put_link "libocireg.so.$version" "$libdir/libocireg.so"
    put 644 "$built/libocireg.a" "$libdir/libocireg.a"
    put 644 include/ocireg.h "$includedir/ocireg.h"
    put 644 "$pc_file" "$libdir/pkgconfig/ocireg.pc"
    for file in "${pending[@]}"; do
        [[ ! -d $file || -L $file ]] || fail "a directory is in the way: $file"
    done
    # Nothing is printed in between: a closed pipe would end the script half-way.
    for file in "${pending[@]}"; do mv -fT "$file$mark" "$file"; done
    local installed=("${pending[@]}")
    pending=()
    # A closed pipe must not end the script from here on.
    trap '' PIPE
    [[ -n $destdir ]] || tell_the_loader "$soname"
    for file in "${installed[@]}"; do say "$file"; done
}

# loader_looks_in DIRECTORY: true if the loader searches it. `ldconfig -N -X` only lists.
loader_looks_in() {
    local directory wanted
    wanted=$(readlink -f "$1")
    while read -r directory; do
        [[ $(readlink -f "$directory") != "$wanted" ]] || return 0
    done < <(ldconfig -N -X -v 2>/dev/null | sed -n 's/^\(\/[^:]*\):.*/\1/p')
    return 1
}

# Updates the loader's cache, or tells the user what else is necessary to start programs.
tell_the_loader() {
    if command -v ldconfig >/dev/null; then
        if ! loader_looks_in "$libdir"; then
            say "the loader does not find $1 in $libdir:" \
                "link with -Wl,-rpath,$libdir, or set LD_LIBRARY_PATH=$libdir"
        elif [[ $(id -u) = 0 ]]; then
            ldconfig
        else
            say "root must run ldconfig, so that programs find the library"
        fi
    fi
    local known
    known=$(pkg-config --variable pc_path pkg-config 2>/dev/null) || return 0
    [[ :$known: = *:$libdir/pkgconfig:* ]] ||
        say "for pkg-config: export PKG_CONFIG_PATH=$libdir/pkgconfig"
}

# Libraries with another soname stay, because programs that were built with them still need them.
uninstall_all() {
    local soname file found=
    soname=$(soname_of "$destdir$libdir/libocireg.so" 2>/dev/null) || true
    # If libocireg.so is missing, the version gives the soname by cargo-c's rule.
    local compatible
    compatible=$(sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/' <<<"$version")
    [[ -n $soname ]] || soname=libocireg.so.$compatible
    # The library's version has only numbers. Other files whose names begin so are not ours.
    for file in "$destdir$libdir/$soname" "$destdir$libdir/$soname".* \
        "$destdir$libdir"/libocireg.{so,a} "$destdir$includedir/ocireg.h" \
        "$destdir$libdir/pkgconfig/ocireg.pc"; do
        [[ -e $file || -L $file ]] || continue
        [[ $file != */"$soname".* || ${file##*/"$soname".} =~ ^[0-9.]+$ ]] || continue
        rm -f "$file"
        say "removed $file"
        found=yes
    done
    [[ -n $found ]] || say "nothing of ocireg in $destdir$libdir and $destdir$includedir"
    if [[ -n $found && -z $destdir && $(id -u) = 0 ]] && loader_looks_in "$libdir"; then
        ldconfig
    fi
}

case ${1:-} in
build) build ;;
install)
    build
    install_all
    ;;
uninstall) uninstall_all ;;
*) fail "usage: scripts/install-c.sh build|install|uninstall" ;;
esac

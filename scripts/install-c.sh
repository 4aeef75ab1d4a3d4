#!/usr/bin/env bash
# Installs the library for C: shared and static library, header and ocireg.pc. What
# `make library|install|uninstall` run.
#
#   scripts/install-c.sh build|install|uninstall
#
# PREFIX (/usr/local), LIBDIR (PREFIX/lib) and INCLUDEDIR (PREFIX/include) are where the files will
# be used. DESTDIR is put before them for copying only, so that a packager can stage.
# `cargo cinstall` installs the same files; tests/capi compares the two.
#
# All files are copied under names of their own first and renamed when all are there, so a failure
# before that leaves what was installed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}
# Nobody has to listen.
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
    # It has a meaning of its own for these, and our quoting would be no help to the programs that
    # use its output.
    [[ $path != *[[:space:]\"\'\`\#\$\\\&\;\|\<\>\(\)\*\?]* ]] || fail "pkg-config can't cope with white space or such a character in a path: $path"
done
[[ $(uname -s) = Linux ]] || fail "only for Linux; elsewhere use cargo-c: cargo cinstall --profile dist"
PATH=$PATH:/usr/sbin:/sbin

target=${CARGO_TARGET_DIR:-target}
[[ $target = /* ]] || target=$PWD/$target
built=$target/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}dist
# What a program has to link beside the archive, as the compiler said when it made it.
native=$built/libocireg.native-static-libs

# The first `version = "..."` is the workspace's.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[[ -n $version ]] || fail "no version in Cargo.toml"

# up_to_date: is the built library newer than all that it was made of?
up_to_date() {
    [[ -e $built/libocireg.so && -e $built/libocireg.a && -e $native ]] &&
        [[ -z $(find src include build.rs cbindgen.toml Cargo.toml -newer "$built/libocireg.so" -print -quit) ]]
}

# quoted TEXT: as TOML has it
quoted() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

build() {
    if up_to_date && { [[ -n ${SUDO_USER:-} ]] || ! command -v cargo >/dev/null; }; then
        # Built as a user, installed as root: no compiler has to run as root, nor leave files of
        # root in target/.
        say "taking the library that was built before, in $built"
        return
    fi
    command -v cargo >/dev/null ||
        fail "cargo is not here (sudo hides what is in a home directory): run \`make library\` as yourself, then install (with \
the same CARGO_TARGET_DIR if you have set it)"
    local locked=()
    [[ ! -e Cargo.lock ]] || locked=(--locked)
    # Cargo would not run the compiler again only because of this file.
    [[ -e $native ]] || rm -f "$built"/deps/libocireg.{so,a} "$built"/libocireg.{so,a}
    # Whoever installs it need not know where it was built; and its size does not depend on that.
    # Flags that a user has set elsewhere take the place of these.
    local sources=${CARGO_HOME:-${HOME:-}/.cargo}/registry/src
    local flags="[$(quoted "--remap-path-prefix=$sources=crates"), $(quoted "--remap-path-prefix=$PWD=ocireg")]"
    # Without the Rust library beside, or cargo drops LTO; see Cargo.toml.
    cargo --config "build.rustflags=$flags" rustc "${locked[@]}" --package ocireg --lib --profile dist --features capi --crate-type cdylib,staticlib \
        --target-dir "$target" -- --print "native-static-libs=$native" || fail "the library does not build"
    [[ -s $native ]] || fail "the compiler did not say what a static library needs ($native)"
}

# soname_of LIBRARY
soname_of() { readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p'; }

# Paths below the prefix are given through it, as cargo-c does.
below_prefix() {
    if [[ -n $prefix && $1 = "$prefix"/* ]]; then
        printf '${prefix}/%s' "${1#"$prefix"/}"
    else
        printf '%s' "$1"
    fi
}

pc() {
    local description
    description=$(sed -n '/^\[package\.metadata\.capi\.pkg_config\]/,$ s/^description = "\(.*\)"$/\1/p' Cargo.toml)
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

# put MODE FILE TO / put_link TARGET TO: under a name of its own for now
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
    # Not `install -d`, which would change the mode of directories that are there.
    (umask 022 && mkdir -p "$destdir$libdir/pkgconfig" "$destdir$includedir") || fail "no right to write there? (PREFIX, DESTDIR, sudo)"
    put 755 "$built/libocireg.so" "$libdir/libocireg.so.$version"
    put_link "libocireg.so.$version" "$libdir/$soname"
    put_link "libocireg.so.$version" "$libdir/libocireg.so"
    put 644 "$built/libocireg.a" "$libdir/libocireg.a"
    put 644 include/ocireg.h "$includedir/ocireg.h"
    put 644 "$pc_file" "$libdir/pkgconfig/ocireg.pc"
    for file in "${pending[@]}"; do [[ ! -d $file || -L $file ]] || fail "a directory is in the way: $file"; done
    # Nothing is said in between: a reader that has gone away would end us half-way.
    for file in "${pending[@]}"; do mv -fT "$file$mark" "$file"; done
    local installed=("${pending[@]}")
    pending=()
    # Whoever does not read to the end gets a whole installation all the same.
    trap '' PIPE
    [[ -n $destdir ]] || tell_the_loader "$soname"
    for file in "${installed[@]}"; do say "$file"; done
}

# Does the loader look there by itself? ldconfig -N -X only lists.
loader_looks_in() {
    local directory wanted
    wanted=$(readlink -f "$1")
    while read -r directory; do
        [[ $(readlink -f "$directory") != "$wanted" ]] || return 0
    done < <(ldconfig -N -X -v 2>/dev/null | sed -n 's/^\(\/[^:]*\):.*/\1/p')
    return 1
}

# So that a program starts afterwards, or its user knows what is left to do.
tell_the_loader() {
    if command -v ldconfig >/dev/null; then
        if ! loader_looks_in "$libdir"; then
            say "programs do not find $1 in $libdir by themselves: link with -Wl,-rpath,$libdir, or set LD_LIBRARY_PATH=$libdir"
        elif [[ $(id -u) = 0 ]]; then
            ldconfig
        else
            say "for programs to find it, root has to run ldconfig"
        fi
    fi
    local known
    known=$(pkg-config --variable pc_path pkg-config 2>/dev/null) || return 0
    [[ :$known: = *:$libdir/pkgconfig:* ]] || say "for pkg-config: export PKG_CONFIG_PATH=$libdir/pkgconfig"
}

# Libraries of another soname stay: programs that were built with them still need them.
uninstall_all() {
    local soname file found=
    soname=$(soname_of "$destdir$libdir/libocireg.so" 2>/dev/null) || true
    # By cargo-c's rule, where the link for linkers is gone already.
    [[ -n $soname ]] || soname=libocireg.so.$(sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/' <<<"$version")
    # The library's own version has nothing but numbers; what else begins so is not ours.
    for file in "$destdir$libdir/$soname" "$destdir$libdir/$soname".* "$destdir$libdir"/libocireg.{so,a} \
        "$destdir$includedir/ocireg.h" "$destdir$libdir/pkgconfig/ocireg.pc"; do
        [[ -e $file || -L $file ]] || continue
        [[ $file != */"$soname".* || ${file##*/"$soname".} =~ ^[0-9.]+$ ]] || continue
        rm -f "$file"
        say "removed $file"
        found=yes
    done
    [[ -n $found ]] || say "nothing of ocireg in $destdir$libdir and $destdir$includedir"
    if [[ -n $found && -z $destdir && $(id -u) = 0 ]] && loader_looks_in "$libdir"; then ldconfig; fi
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

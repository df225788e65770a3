#!/bin/sh
# SPDX-License-Identifier: MIT
# One stage of tests/all.sh by its name. In $IB_ALL_DIR, src/ gets a copy of the sources, main/ the
# build by gcc, installed in main/inst/, san/ the one with sanitizers.
set -u
LC_ALL=C
export LC_ALL
src=$IB_ALL_DIR/src
main=$IB_ALL_DIR/main

configure_in() { # configure_in DIR OPTION…
    cf_dir=$1
    shift
    mkdir -p "$cf_dir" && cd "$cf_dir" || return 1
    [ -f config.status ] && return 0 # a kept directory: make notices what changed in configure
    # Everything below one prefix: the programs are then installed for real, with the paths that
    # are compiled in, and nothing of the machine's own configuration is read.
    "$src/configure" --quiet --enable-werror --prefix="$cf_dir/inst" --libdir="$cf_dir/inst/lib" \
        --sysconfdir="$cf_dir/inst/etc" --with-state-dir="$cf_dir/inst/var/lib/ib-plugins" "$@"
}

case $1 in
copy) # the clone stays as it is, and user nagios can read the copy wherever the clone is
    top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
    mkdir -p "$src" && cd "$top" || exit 1
    if git -c safe.directory='*' rev-parse >/dev/null 2>&1; then
        git -c safe.directory='*' ls-files -z -co --exclude-standard
    else
        find . -name .git -prune -o -path './build*' -prune -o -type f -print0
    fi | sort -z >"$IB_ALL_DIR/files" || exit 1
    # A kept directory loses what the tree has lost: tests read whole folders.
    if [ -e "$IB_ALL_DIR/files.last" ]; then
        comm -z -23 "$IB_ALL_DIR/files.last" "$IB_ALL_DIR/files" | (cd "$src" && xargs -0 rm -f --)
    fi
    cp "$IB_ALL_DIR/files" "$IB_ALL_DIR/files.last"
    # What git knows and the tree has lost is no reason to stop.
    tar --null --verbatim-files-from --ignore-failed-read -T "$IB_ALL_DIR/files" -cf - 2>/dev/null |
        tar -C "$src" -xf - && chmod -R a+rX "$src"
    ;;
configure)
    cd "$src" && autoreconf -fi
    ;;
build)
    # Not installed yet: tests of make check are about a machine without any configuration.
    rm -rf "$main/inst"
    configure_in "$main" && make -j2
    ;;
install)
    cd "$main" && make install
    ;;
check)
    cd "$main" && make -k -j2 check
    ;;
e2e) # one after the other: they are about timing
    cd "$main" && make install && IB_PREFIX="$main/inst" make -k e2e
    ;;
packages) # two at a time: a clean system is waiting for the network most of the time
    cd "$main" && IB_PACKAGING="$IB_ALL_DIR/packaging" make -k -j2 packages
    ;;
san-build)
    configure_in "$IB_ALL_DIR/san" --enable-sanitizers && make -j2
    ;;
san-check)
    cd "$IB_ALL_DIR/san" && make -k -j2 check
    ;;
dist)
    # The tarball is complete, builds out of tree from read-only sources, installs below DESTDIR and
    # leaves nothing behind. The compiler of this run is clang, so both stay free of warnings.
    cd "$main" && make -j2 distcheck DISTCHECK_CONFIGURE_FLAGS='CC=clang' \
        AM_MAKEFLAGS="TESTS='\$(unit_programs)'"
    ;;
cppcheck)
    # It does not know the cleanup attribute, so what it takes for leaks is for the sanitizers to find.
    cd "$src" && cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
        --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective --suppress=memleak --error-exitcode=1 -j 2 \
        --include="$main/config.h" -I . -I "$main" lib plugins
    ;;
tidy)
    # One file a run: the va_list checker of clang 14 takes state over from file to file.
    cd "$src" && find lib plugins -name '*.c' | sort >"$IB_ALL_DIR/tidy.files" || exit 1
    libs='libcurl libcrypto expat json-c yaml-0.1 libconfig sqlite3 libpcre2-8'
    # shellcheck disable=SC2046,SC2086 # words
    xargs -P 2 -I '{}' clang-tidy --quiet '{}' -- -std=gnu11 "-I$main" -I. -include config.h \
        -include lib/base/banned.h '-DIB_SYSCONFDIR="/"' '-DIB_STATEDIR="/"' '-DIB_DATADIR="/"' \
        $(pkg-config --cflags $libs) <"$IB_ALL_DIR/tidy.files" 2>&1 | grep -v 'warnings\? generated\.$' >tidy.log
    cat tidy.log
    ! grep -q ': error: ' tidy.log
    ;;
shellcheck)
    cd "$src" && find .ci tests packaging conf \( -name '*.sh' -o -path '.ci/run' \) -type f |
        sort | xargs shellcheck --severity=warning
    ;;
*)
    echo "tests/stage.sh: no stage '$1'" >&2
    exit 3
    ;;
esac

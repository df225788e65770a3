#!/bin/sh
# SPDX-License-Identifier: MIT
# One command makes all packages from a clean clone, the same bytes each time; their linters are content, and
# they contain what they shall. They are left in IB_PACKAGING/packages for the tests that install them.
. "${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/packaging/lib.sh"
need git dpkg-buildpackage dh rpmbuild lintian rpmlint readelf

# A commit of these sources, whatever they came as, and two clones of it.
commit() {
    git init -q "$scratch/origin" && tar -C "$top" --exclude=./.git --exclude='./build*' -cf - . |
        tar -C "$scratch/origin" -xf - && cd "$scratch/origin" && git add -A &&
        git -c user.name=test -c user.email=test@ib-plugins.invalid -c commit.gpgsign=false commit -q -m "the sources"
}
ok "the sources are committed" quietly commit
git clone -q "$scratch/origin" "$scratch/one"
git clone -q "$scratch/origin" "$scratch/another"

rm -rf "$packages"
mkdir -p "$packages"
# Unit tests have been run on their own, by the same compiler with the same flags.
DEB_BUILD_OPTIONS=nocheck
export DEB_BUILD_OPTIONS
ok "all packages build by one command from a clean clone" quietly sh "$scratch/one/packaging/build.sh" "$packages"
ok "the clone is as clean as before" silent git -C "$scratch/one" status --porcelain --ignored
for what in ib-plugins-*.tar.xz ib-plugins_*.dsc ib-plugins_*.debian.tar.xz monitoring-plugins-imagebuilder_*.deb \
    monitoring-plugins-imagebuilder-dbgsym_*.deb nagios-plugins-imagebuilder-*.src.rpm; do
    ok "there is $what" one_file "$packages"/$what
done
set -- "$packages"/monitoring-plugins-imagebuilder_*.deb
deb=$1
set -- "$packages"/monitoring-plugins-imagebuilder-dbgsym_*.deb
dbgsym=$1
rpm=$(find "$packages" -name 'nagios-plugins-imagebuilder-*.rpm' ! -name '*.src.rpm')
# shellcheck disable=SC2086 # words
ok "there is an rpm for this machine" one_file $rpm

# --- the same bytes -------------------------------------------------------------------------------
# From another clone at another place, under another umask, in another time zone.
again=$scratch/again
mounts=no
unshare --mount mount --bind "$scratch" /mnt 2>/dev/null && mounts=yes
ok "they build again" quietly env TZ=Pacific/Auckland TMPDIR="$scratch" sh -c \
    'umask 077; exec sh "$@"' sh "$scratch/another/packaging/build.sh" "$again"
for file in $(cd "$packages" && find . -name '*.tar.xz' -o -name '*.dsc' -o -name '*.deb' -o -name '*.rpm' | sort); do
    row="$(basename "$file") is the same, byte for byte"
    case $file in
    *.rpm) [ "$mounts" = yes ] || { skip "$row" "no private mount namespace"; continue; } ;;
    esac
    ok "$row" cmp "$packages/$file" "$again/$file"
done
rm -rf "$again"

# --- linters --------------------------------------------------------------------------------------
ok "lintian has no error and no warning" silent lintian --allow-root --fail-on error,warning "$packages"/*.changes
ok "each override of lintian has a reason" awk '/^#/ { reason = 1; next } !reason { print; bad = 1 }
    /initial-upload|file-perm/ { reason = 0 } END { exit bad }' \
    "$top/packaging/debian/monitoring-plugins-imagebuilder.lintian-overrides"
ok "rpmlint has no error and no warning" says "; 0 errors, 0 warnings" rpmlint -c "$top/packaging/rpm/rpmlintrc.toml" \
    "$rpm" "$packages"/*.src.rpm "$top/packaging/rpm/nagios-plugins-imagebuilder.spec"

# --- contents -------------------------------------------------------------------------------------
list_deb() {
    dpkg-deb -c "$deb" | awk '$6 != "./" { print $1, $2, $6 }'
}
list_rpm() {
    rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]' "$rpm"
}
contains_what_it_shall() { # contains_what_it_shall deb|rpm
    "list_$1" >"$scratch/list" && "$PYTHON" "$top/tests/packaging/contents.py" "$top/tests/packaging/contents.$1" <"$scratch/list"
}
ok "the .deb contains what it shall, with modes and owners" contains_what_it_shall deb
ok "the .rpm contains what it shall, with modes and owners" contains_what_it_shall rpm

mkdir "$scratch/deb" "$scratch/rpm" "$scratch/dbgsym"
dpkg-deb -x "$deb" "$scratch/deb"
dpkg-deb -e "$deb" "$scratch/deb/DEBIAN"
dpkg-deb -x "$dbgsym" "$scratch/dbgsym"
(cd "$scratch/rpm" && rpm2cpio "$rpm" | cpio -idm --quiet)
programs() { # programs ROOT
    find "$1/usr" -type f \( -name 'check_ib_image' -o -name 'ib_*_action' -o -name ib_workflow \) -path '*/bin/*' -o \
        -type f -path '*/nagios/plugins/*' | sort
}
ok "both have the same four programs" is "$(programs "$scratch/deb" | sed 's|.*/||' | tr '\n' ' ')+ $(
    programs "$scratch/rpm" | sed 's|.*/||' | tr '\n' ' ')" \
    "ib_create_action ib_workflow check_ib_image ib_cancel_action + ib_create_action ib_workflow check_ib_image ib_cancel_action "
pages_and_completion() { # pages_and_completion PROGRAM
    for root in "$scratch/deb" "$scratch/rpm"; do
        one_file "$root/usr/share/man/man8/$1.8"* && one_file "$root/usr/share/bash-completion/completions/$1" || return
    done
}
for program in check_ib_image ib_cancel_action ib_create_action ib_workflow; do
    ok "both have the man page and the completion of $program" pages_and_completion "$program"
done

conffiles() {
    sort "$scratch/deb/DEBIAN/conffiles" | tr '\n' ' '
}
ok "what is below /etc in the .deb is a conffile" is "$(conffiles)" \
    "/etc/ib-plugins/ib-plugins.conf /etc/nagios-plugins/config/ib-plugins.cfg "
ok "what is below /etc in the .rpm is config(noreplace)" is \
    "$(rpm -qp --qf '[%{FILEFLAGS:fflags} %{FILENAMES}\n]' "$rpm" | awk '$1 == "cn" { print $2 }' | tr '\n' ' ')" \
    "/etc/ib-plugins/ib-plugins.conf /etc/nagios/conf.d/ib-plugins.cfg "
ok "ib-plugins.conf sets nothing until it is edited" fails grep -v -e '^#' -e '^$' "$scratch/deb/etc/ib-plugins/ib-plugins.conf"
ok "the scripts of the .deb restart nothing" restarts_nothing "$scratch"/deb/DEBIAN/p*
rpm -qp --scripts --triggers "$rpm" >"$scratch/rpm.scripts"
ok "the scripts of the .rpm restart nothing" restarts_nothing "$scratch/rpm.scripts"
{ dpkg-deb -f "$deb" Depends && rpm -qp --requires "$rpm"; } | grep -v 'config(' >"$scratch/requires"
ok "neither package needs a scheduler" fails grep -E 'icinga|nagios|naemon' "$scratch/requires"

# --- hardening and symbols ------------------------------------------------------------------------
has_line() { # has_line PATTERN COMMAND…: what the command prints has a line like it
    hl_pattern=$1
    shift
    "$@" >"$scratch/lines" && grep -qE "$hl_pattern" "$scratch/lines" || {
        echo "$*: no line like '$hl_pattern'"
        return 1
    }
}
hardened() { # PIE, read-only relocations bound at start, no executable stack, checked buffers and stack
    has_line 'Type: *DYN' readelf -hW "$1" && has_line 'FLAGS_1.*NOW.*PIE' readelf -dW "$1" &&
        has_line GNU_RELRO readelf -lW "$1" && has_line 'GNU_STACK.* RW +0x' readelf -lW "$1" &&
        has_line '__[a-z]*printf_chk|__memcpy_chk' readelf --dyn-syms -W "$1" &&
        has_line __stack_chk_fail readelf --dyn-syms -W "$1"
}
has_symbols() { # dbgsym has the file that the program's build id names, with line numbers and its functions
    id=$(readelf -nW "$1" | sed -n 's/.*Build ID: //p')
    file=$scratch/dbgsym/usr/lib/debug/.build-id/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-).debug
    one_file "$file" && has_line '\.debug_line' readelf -SW "$file" && has_line ' main$' readelf -sW "$file" &&
        has_line ' ib_error_context$| ib_fail$' readelf -sW "$file"
}
for program in $(programs "$scratch/deb"); do
    ok "$(basename "$program") of the .deb is hardened" hardened "$program"
    ok "$(basename "$program") of the .deb is stripped" fails has_line '\.(symtab|debug_info)' readelf -SW "$program"
    ok "$(basename "$program") has its symbols in dbgsym" has_symbols "$program"
done
for program in $(programs "$scratch/rpm"); do
    ok "$(basename "$program") of the .rpm is hardened" hardened "$program"
done

# --- bill of materials ----------------------------------------------------------------------------
# shellcheck disable=SC2046 # words
ok "the .deb's bill of materials lists what its programs are linked to" "$PYTHON" "$top/tests/packaging/check_sbom.py" \
    "$scratch/deb/usr/share/doc/monitoring-plugins-imagebuilder/sbom.cdx.json" $(programs "$scratch/deb")
# shellcheck disable=SC2046 # words
ok "the .rpm's bill of materials lists what its programs are linked to" "$PYTHON" "$top/tests/packaging/check_sbom.py" \
    "$scratch/rpm/usr/share/doc/nagios-plugins-imagebuilder/sbom.cdx.json" $(programs "$scratch/rpm")
finish

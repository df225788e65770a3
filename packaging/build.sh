#!/bin/sh
# SPDX-License-Identifier: MIT
# Source tarball, Debian and RPM packages of this tree:  sh packaging/build.sh DIR [tarball|deb|rpm]...
# The same sources give the same bytes: dates are that of packaging/debian/changelog.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:?usage: packaging/build.sh DIR [tarball|deb|rpm]...}
shift
[ $# -gt 0 ] || set -- tarball deb rpm
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ib-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
umask 022
unset CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS
LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Timestamp)
export LC_ALL TZ SOURCE_DATE_EPOCH
version=$(sed -n 's/^AC_INIT(\[ib-plugins\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")
tarball=ib-plugins-$version.tar.xz

make_tarball() {
    mkdir "$work/src"
    if [ -e "$top/.git" ]; then # what is committed or about to be: no leftovers of builds and editors
        git -C "$top" -c safe.directory='*' ls-files -z >"$work/files"
        tar -C "$top" --null --verbatim-files-from -T "$work/files" -cf - | tar -C "$work/src" -xf -
    else
        tar -C "$top" --exclude='./build*' -cf - . | tar -C "$work/src" -xf -
    fi
    (
        cd "$work/src"
        autoreconf -fi
        mkdir ../dist
        cd ../dist
        ../src/configure --quiet
        # Names in one order, no owner, no clock, no umask; one thread of xz.
        TAR_OPTIONS="--sort=name --owner=0 --group=0 --numeric-owner --mtime=@$SOURCE_DATE_EPOCH
            --mode=u+rw,go+r-w,a-s,a+X --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime" \
            XZ_OPT=-T1 make -s dist-xz
    )
    cp "$work/dist/$tarball" "$out/"
}

make_deb() {
    mkdir "$work/deb"
    cp "$out/$tarball" "$work/deb/ib-plugins_$version.orig.tar.xz"
    tar -C "$work/deb" -xf "$out/$tarball"
    (
        cd "$work/deb/ib-plugins-$version"
        cp -a packaging/debian debian
        # At a fixed place in the eyes of the debugger: the build path is not part of the result.
        DEB_BUILD_OPTIONS="parallel=2 ${DEB_BUILD_OPTIONS:-}" DEB_BUILD_MAINT_OPTIONS=hardening=+all \
            dpkg-buildpackage -us -uc -F
    )
    find "$work/deb" -maxdepth 1 -type f -exec cp -t "$out" {} +
}

# rpmbuild writes the path of the build into the source package. In a mount of our own it is /mnt for every
# build; where that is not allowed, the source packages of two builds differ in it.
build_rpm() { # build_rpm COMMAND…
    rpm_alone='unshare --mount'
    [ "$(id -u)" = 0 ] || rpm_alone='unshare --map-root-user --mount'
    if $rpm_alone mount --bind "$work/rpm" /mnt 2>/dev/null; then
        # shellcheck disable=SC2016 # for the inner shell
        (cd / && $rpm_alone sh -c 'mount --bind "$0" /mnt && exec "$@"' "$work/rpm" "$@" --define "_topdir /mnt" \
            /mnt/SPECS/nagios-plugins-imagebuilder.spec)
    else
        "$@" --define "_topdir $work/rpm" "$work/rpm/SPECS/nagios-plugins-imagebuilder.spec"
    fi
}

make_rpm() {
    mkdir -p "$work/rpm/SOURCES" "$work/rpm/SPECS"
    cp "$out/$tarball" "$work/rpm/SOURCES/"
    cp "$top/packaging/rpm/nagios-plugins-imagebuilder.spec" "$work/rpm/SPECS/"
    # Debian has no rpm database of its packages, so rpmbuild cannot see what is installed.
    build_rpm rpmbuild -ba --nodeps --define "ib_version $version" \
        --define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" \
        --define "clamp_mtime_to_source_date_epoch 1" --define "_smp_mflags -j2" \
        --define "ib_without_build_path 1"
    find "$work/rpm" -name '*.rpm' -exec cp -t "$out" {} +
}

for what in "$@"; do
    case $what in
    tarball) make_tarball ;;
    deb | rpm)
        [ -e "$out/$tarball" ] || make_tarball
        "make_$what"
        ;;
    *)
        echo "packaging/build.sh: what is '$what'? tarball, deb or rpm" >&2
        exit 3
        ;;
    esac
done
(cd "$out" && ls -l)

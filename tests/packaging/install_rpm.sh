#!/bin/sh
# SPDX-License-Identifier: MIT
# The .rpm's life in a system of its own, with its own database: installed beside schedulers that are there and
# that come later, upgraded with an edited configuration, erased. Its scripts run there.
. "${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/packaging/lib.sh"
need rpm rpmbuild rpm2cpio cpio unshare chroot
need_mounts
need_system "$bare_system"
rpm=$(find "$packages" -name 'nagios-plugins-imagebuilder-*.rpm' ! -name '*.src.rpm' 2>/dev/null)
[ -s "$rpm" ] || skip_all "there is no package: see tests/packaging/build.sh"
name=nagios-plugins-imagebuilder
spec=$top/packaging/rpm/$name.spec
version=$(rpm -qp --qf '%{VERSION}-%{RELEASE}' "$rpm")

# --- packages -------------------------------------------------------------------------------------
# There is no earlier release yet: what this one contains under a lower version, by the same spec file, with
# another ib-plugins.conf and other commands for Nagios.
mkdir "$scratch/tree"
(cd "$scratch/tree" && rpm2cpio "$rpm" | cpio -idm --quiet)
echo '# of 0.0.9' >>"$scratch/tree/etc/ib-plugins/ib-plugins.conf"
echo '# of 0.0.9' >>"$scratch/tree/etc/nagios/conf.d/ib-plugins.cfg"
mkdir -p "$scratch/build/BUILD/doc"
for file in LICENSE README.md NEWS.md SECURITY.md sbom.cdx.json; do
    find "$scratch/tree" -name "$file" -exec cp {} "$scratch/build/BUILD/" \;
done
# Sections that would build it give way to a copy; what the package does when it is installed stays.
awk -v tree="$scratch/tree" '
    /^%(prep|build)$/ { skip = 1; next }
    /^%install$/ { print; print "cp -a " tree "/. %{buildroot}/"; print "rm -rf %{buildroot}/usr/share/doc %{buildroot}/usr/share/licenses %{buildroot}/usr/lib/.build-id"; skip = 1; next }
    /^%(pre|files|changelog|trigger)/ { skip = 0 }
    /^Source0:/ { next }
    !skip' "$spec" >"$scratch/previous.spec"
previous() {
    rpmbuild -bb --nodeps --define "_topdir $scratch/build" --define "ib_version 0.0.9" --define "__os_install_post %{nil}" \
        "$scratch/previous.spec"
}
ok "a previous version is made" quietly previous
old=$(find "$scratch/build/RPMS" -name '*.rpm')

# Schedulers of Fedora: Nagios is there, Icinga comes later.
cat >"$scratch/icinga.spec" <<'EOF'
Name: icinga2-common
Version: 1
Release: 1
Summary: test
License: MIT
BuildArch: noarch
%description
test
%pre
getent passwd icinga >/dev/null || useradd --system --user-group icinga
%files
EOF
ok "a scheduler's package is made" quietly rpmbuild -bb --define "_topdir $scratch/icinga" "$scratch/icinga.spec"
icinga=$(find "$scratch/icinga/RPMS" -name '*.rpm')

root=$scratch/system
unpack "$bare_system" "$root"
chroot "$root" useradd --system --user-group nagios
chroot "$root" useradd --system --user-group bystander
in_rpm() { # the machine's rpm on the other system, whose libraries are no rpm packages
    rpm --root "$root" --nodeps "$@"
}
query() {
    rpm --root "$root" -q "$@"
}
query -a >"$scratch/installed" 2>&1
ok "the other system has a database of its own, and nothing in it" is "$(cat "$scratch/installed")" ""

# --- installed ------------------------------------------------------------------------------------
ok "the previous version is installed" quietly in_rpm -i "$old"
ok "it is there" is "$(query --qf '%{VERSION}' "$name")" 0.0.9
members() {
    chroot "$root" getent group ib-plugins | cut -d: -f4
}
ok "the scheduler that is there shares its group, and nobody else" is "$(members)" nagios
owners() {
    mode_is "$root" /etc/ib-plugins "750 root:ib-plugins" && mode_is "$root" /etc/ib-plugins/ib-plugins.conf "640 root:ib-plugins" &&
        mode_is "$root" /var/lib/ib-plugins "2770 root:ib-plugins"
}
ok "configuration and state are that group's, and nobody else's" owners
nagios() { # with all its groups, as a daemon has them
    in_system "$root" setpriv --reuid=nagios --regid=nagios --init-groups "$@"
}
ok "user nagios can read the configuration" nagios cat /etc/ib-plugins/ib-plugins.conf
ok "and write the state" nagios touch /var/lib/ib-plugins/journal.db
ok "others cannot" fails in_system_as bystander:bystander "$root" ls /etc/ib-plugins /var/lib/ib-plugins
ok "a scheduler is installed after it" quietly in_rpm -i "$icinga"
ok "it shares the group too" is "$(members)" nagios,icinga

# --- upgraded -------------------------------------------------------------------------------------
echo '# edited by the administrator' >>"$root/etc/ib-plugins/ib-plugins.conf"
cp "$root/etc/ib-plugins/ib-plugins.conf" "$scratch/edited"
echo state >"$root/var/lib/ib-plugins/journal.db"
ok "it is upgraded" quietly in_rpm -U "$rpm"
ok "the new version is there" is "$(query --qf '%{VERSION}-%{RELEASE}' "$name")" "$version"
ok "the edited configuration is as it was" cmp "$scratch/edited" "$root/etc/ib-plugins/ib-plugins.conf"
ok "with another one beside it" one_file "$root/etc/ib-plugins/ib-plugins.conf.rpmnew"
ok "which is the new one" fails grep '^# of 0.0.9' "$root/etc/ib-plugins/ib-plugins.conf.rpmnew"
ok "that others cannot read either" mode_is "$root" /etc/ib-plugins/ib-plugins.conf.rpmnew "640 root:ib-plugins"
ok "commands for Nagios are there" one_file "$root/etc/nagios/conf.d/ib-plugins.cfg"
ok "what was not edited is the new one" fails grep 'of 0.0.9' "$root/etc/nagios/conf.d/ib-plugins.cfg"
ok "owners and modes are as they were" owners
ok "members of the group too" is "$(members)" nagios,icinga
ok "the journal is there" grep -q state "$root/var/lib/ib-plugins/journal.db"
# Everything as the package says: modes, owners, contents, but for what was edited.
in_rpm -V --nodeps "$name" >"$scratch/verified" 2>&1
ok "rpm --verify tells of the edited file alone" is "$(awk '{ print $NF }' "$scratch/verified")" /etc/ib-plugins/ib-plugins.conf
installed() { # names and modes as they are on the disk, by the same list as the package
    query -l "$name" | while read -r path; do
        chroot "$root" stat -c '%A %U/%G %n' "$path"
    done >"$scratch/list" && "$PYTHON" "$top/tests/packaging/contents.py" "$top/tests/packaging/contents.rpm" <"$scratch/list"
}
ok "what is installed has the modes and owners that it shall" installed

# --- sysusers and tmpfiles ------------------------------------------------------------------------
if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
    image=$scratch/image
    mkdir -p "$image/etc" "$image/usr/lib" "$image/var/lib"
    cp -r "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d" "$image/usr/lib/"
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$image/etc/passwd"
    printf 'root:x:0:\n' >"$image/etc/group"
    ok "systemd-sysusers makes the group where no script ran" quietly systemd-sysusers --root="$image" ib-plugins.conf
    group=$(sed -n 's/^ib-plugins:[^:]*:\([0-9]*\):$/\1/p' "$image/etc/group")
    ok "systemd-tmpfiles makes the state directory" silent systemd-tmpfiles --root="$image" --create ib-plugins.conf
    ok "for that group" is "$(stat -c '%a %u:%g' "$image/var/lib/ib-plugins")" "2770 0:$group"
fi

# --- erased ---------------------------------------------------------------------------------------
ok "it is erased" quietly in_rpm -e "$name"
ok "the programs are gone" is "$(find "$root/usr" \( -name '*ib_image*' -o -name 'ib_*' \) ! -path '*/python3*')" ""
ok "the edited configuration is kept as .rpmsave" cmp "$scratch/edited" "$root/etc/ib-plugins/ib-plugins.conf.rpmsave"
ok "what was not edited is gone" test ! -e "$root/etc/nagios/conf.d/ib-plugins.cfg"
ok "the state is kept" grep -q state "$root/var/lib/ib-plugins/journal.db"
ok "nobody but the group can read it" mode_is "$root" /var/lib/ib-plugins "2770 root:ib-plugins"
finish

#!/bin/sh
# SPDX-License-Identifier: MIT
# The .deb's life in a clean Debian with icinga2 and nagios4: installed, used by user nagios without a HOME,
# upgraded with an edited configuration, removed, purged. Then beside schedulers that come later.
. "${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/packaging/lib.sh"
need dpkg-deb unshare chroot
need_mounts
need_system "$full_system"
set -- "$packages"/monitoring-plugins-imagebuilder_*.deb
[ -s "$1" ] || skip_all "there is no package: see tests/packaging/build.sh"
package=monitoring-plugins-imagebuilder
version=$(dpkg-deb -f "$1" Version)

# --- packages -------------------------------------------------------------------------------------
# There is no earlier release yet: this one under a lower version, with other commands for Nagios.
cp "$1" "$scratch/new.deb"
dpkg-deb -R "$scratch/new.deb" "$scratch/tree"
sed -i 's/^Version: .*/Version: 0.0.9-1/' "$scratch/tree/DEBIAN/control"
echo '# commands of 0.0.9' >>"$scratch/tree/etc/nagios-plugins/config/ib-plugins.cfg"
dpkg-deb --root-owner-group -b "$scratch/tree" "$scratch/previous.deb" >/dev/null

root=$scratch/system
unpack "$full_system" "$root"
cp "$scratch/new.deb" "$scratch/previous.deb" "$root/tmp/"
install() { # install FILE OPTION…: as an administrator does, and nobody answers questions
    file=$1
    shift
    in_system "$root" apt-get -qq install -y --allow-downgrades "$@" "/tmp/$file"
}
status() {
    in_system "$root" dpkg-query -W -f '${Status} ${Version}' "$package" 2>&1
}
dependencies() {
    in_system "$root" apt-get -qq satisfy -y "$(dpkg-deb -f "$scratch/new.deb" Depends)"
}
ok "Debian has what it depends on" quietly dependencies
contents "$root" >"$scratch/before"
cp "$root/etc/passwd" "$root/etc/group" "$scratch/"

# --- installed ------------------------------------------------------------------------------------
ok "the previous version is installed" quietly install previous.deb
ok "it is configured" is "$(status)" "install ok installed 0.0.9-1"
owners() {
    mode_is "$root" /etc/ib-plugins "750 root:nagios" && mode_is "$root" /etc/ib-plugins/ib-plugins.conf "640 root:nagios" &&
        mode_is "$root" /var/lib/ib-plugins "2770 root:nagios"
}
ok "configuration and state are the schedulers' group's, and nobody else's" owners
ok "commands for Nagios are everybody's to read" mode_is "$root" /etc/nagios-plugins/config/ib-plugins.cfg "644 root:root"

nagios() { # as user nagios
    in_system_as nagios:nagios "$root" "$@"
}
check=/usr/lib/nagios/plugins/check_ib_image
cancel=/usr/lib/nagios/plugins/eventhandlers/ib_cancel_action
ok "user nagios can read the configuration" nagios cat /etc/ib-plugins/ib-plugins.conf
ok "others cannot" fails in_system_as nobody:nogroup "$root" cat /etc/ib-plugins/ib-plugins.conf
ok "as installed nothing is watched" ends 3 target nagios $check --all-targets
ok "as installed nothing is cancelled" ends 3 target nagios $cancel --sweep --all-targets
ok "everybody can run what is in PATH" ends 0 0.1 in_system_as nobody:nogroup "$root" ib_workflow --version
ok "ib_create_action is in PATH too" ends 0 0.1 in_system_as nobody:nogroup "$root" ib_create_action --version

# --- used -----------------------------------------------------------------------------------------
. "$top/tests/standin/start.sh"
standin_dir=$scratch/standin
mkdir "$standin_dir"
standin_url= # set by it
standin_start
arn=$(ctl add-image name=web-server status=BUILDING age_s=7980)
# Credentials where the AWS CLI has them, in the home of the password file: nobody says HOME.
home=$root$(chroot "$root" getent passwd nagios | cut -d: -f6)
mkdir -p "$home/.aws"
(
    standin_keys
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
) >"$home/.aws/credentials"
chmod 600 "$home/.aws/credentials"
chown -R --reference="$home" "$home/.aws"

cat >>"$root/etc/ib-plugins/ib-plugins.conf" <<EOF
# edited by the administrator
targets: { web-server: { arn = "$arn"; region = "eu-central-1"; critical = "90m"; endpoint_url = "$standin_url";
                         cancel: { enabled = true; confirm = "15s"; }; }; };
EOF
cp "$root/etc/ib-plugins/ib-plugins.conf" "$scratch/edited"
ok "user nagios without HOME sees the stuck build" ends 2 "web-server 1.0.0/1 BUILDING for 2h" nagios $check -T web-server
ok "and cancels it" ends 0 "cancelled" nagios $cancel -T web-server --state CRITICAL --state-type HARD --timeout 60s
ok "it is cancelled" is "$(ctl state "$arn")" CANCELLED
ok "by one request" is "$(ctl count CancelImageCreation --arn "$arn" --status any)" 1
ok "the journal is there, of nagios and its group" mode_is "$root" /var/lib/ib-plugins/journal.db "660 nagios:nagios"
ok "another call finds nothing to do" ends 0 "" nagios $cancel -T web-server --state CRITICAL --state-type HARD --timeout 60s
ok "which is no second request" is "$(ctl count CancelImageCreation --arn "$arn" --status any)" 1

# --- the schedulers' configuration ----------------------------------------------------------------
cat >"$root/etc/icinga2/conf.d/ib.conf" <<'EOF'
include "/usr/share/ib-plugins/icinga2/services.conf"
object Host "aws-production" {
  import "ib-account"
  vars.ib_region = "eu-central-1"
  vars.ib_images["web-server"] = { ib_pipeline = "web-server"; ib_critical = "90m"; ib_cancel = true }
  vars.ib_unconfirmed = true
}
EOF
cp "$root/usr/share/ib-plugins/nagios/example-services.cfg" "$root/etc/nagios4/conf.d/ib.cfg"
ok "icinga2 daemon -C accepts the shipped commands and templates in Debian's configuration" ends 0 \
    "Finished validating the configuration file(s)" in_system "$root" icinga2 daemon -C
in_system "$root" icinga2 object list --type Service >"$scratch/objects" 2>&1
for service in 'ib web-server' 'ib-stuck web-server' ib-unconfirmed; do
    ok "Icinga has the service $service" grep -q "aws-production!$service" "$scratch/objects"
done
ok "nagios4 -v accepts the shipped commands and the example in Debian's configuration" ends 0 "Total Errors:   0" \
    in_system "$root" nagios4 -v /etc/nagios4/nagios.cfg
ok "and has no warning" ends 0 "Total Warnings: 0" in_system "$root" nagios4 -v /etc/nagios4/nagios.cfg
rm "$root/etc/icinga2/conf.d/ib.conf" "$root/etc/nagios4/conf.d/ib.cfg"

# --- upgraded -------------------------------------------------------------------------------------
journal_before=$(cksum <"$root/var/lib/ib-plugins/journal.db")
chroot "$root" chgrp daemon /etc/ib-plugins
ok "the upgrade asks nothing" quietly install new.deb
ok "it is configured" is "$(status)" "install ok installed $version"
ok "the edited configuration is as it was" cmp "$scratch/edited" "$root/etc/ib-plugins/ib-plugins.conf"
ok "with its owner and mode" mode_is "$root" /etc/ib-plugins/ib-plugins.conf "640 root:nagios"
ok "commands for Nagios are there" one_file "$root/etc/nagios-plugins/config/ib-plugins.cfg"
ok "what was not edited is the new one" fails grep 'commands of 0.0.9' "$root/etc/nagios-plugins/config/ib-plugins.cfg"
ok "no copies are left" is "$(find "$root/etc" -path '*ib-plugins*' -name '*.dpkg-*')" ""
ok "the group that the administrator chose stays" mode_is "$root" /etc/ib-plugins "750 root:daemon"
ok "the journal is as it was" is "$(cksum <"$root/var/lib/ib-plugins/journal.db")" "$journal_before"
chroot "$root" chgrp nagios /etc/ib-plugins
# Changed on both sides: dpkg would ask; those who upgrade by themselves tell it to keep the old one.
ok "the previous version again" quietly install previous.deb
echo '# edited by the administrator' >>"$root/etc/nagios-plugins/config/ib-plugins.cfg"
chroot "$root" chgrp root /etc/ib-plugins
chmod 700 "$root/etc/ib-plugins"
ok "an upgrade by itself" quietly install new.deb -o Dpkg::Options::=--force-confold
ok "leaves closed what the administrator closed" mode_is "$root" /etc/ib-plugins "700 root:root"
chmod 750 "$root/etc/ib-plugins"
chroot "$root" chgrp nagios /etc/ib-plugins
ok "keeps what was edited, where both changed" grep -q '^# edited by the administrator' "$root/etc/nagios-plugins/config/ib-plugins.cfg"
ok "with the new one beside it" one_file "$root/etc/nagios-plugins/config/ib-plugins.cfg.dpkg-dist"

# --- removed, purged ------------------------------------------------------------------------------
ok "it is removed" quietly in_system "$root" dpkg --remove "$package"
ok "the programs are gone" is "$(find "$root/usr" \( -name '*ib_image*' -o -name 'ib_*' \) ! -path '*/python3*')" ""
ok "the edited configuration is there" cmp "$scratch/edited" "$root/etc/ib-plugins/ib-plugins.conf"
ok "the journal is there" is "$(cksum <"$root/var/lib/ib-plugins/journal.db")" "$journal_before"
ok "it is installed again" quietly install new.deb
ok "with the edited configuration" cmp "$scratch/edited" "$root/etc/ib-plugins/ib-plugins.conf"
ok "and user nagios goes on with its journal" ends 0 "" nagios $cancel --resume --timeout 60s
ok "it is purged" quietly in_system "$root" dpkg --purge "$package"
rm -rf "$home/.aws"
contents "$root" >"$scratch/after"
ok "nothing is left of it" diff "$scratch/before" "$scratch/after"
ok "users and groups are as they were" cmp "$root/etc/passwd" "$scratch/passwd"
ok "memberships of groups too" cmp "$root/etc/group" "$scratch/group"
ok "nobody was asked to start, stop or reload a service" is "$(cat "$root/var/log/policy-rc.d.log")" ""
standin_stop
rm -rf --one-file-system "$root"

# --- schedulers that come later -------------------------------------------------------------------
# About scripts alone: without the libraries, which would take their time here.
rm -rf "$scratch/tree"
dpkg-deb -R "$scratch/new.deb" "$scratch/tree"
sed -i '/^Depends: /d' "$scratch/tree/DEBIAN/control"
unpack "$bare_system" "$root"
dpkg-deb --root-owner-group -b "$scratch/tree" "$root/tmp/new.deb" >/dev/null
contents "$root" >"$scratch/before"
alone() {
    in_system "$root" dpkg -i /tmp/new.deb
}
ok "it is installed where there is no scheduler" quietly alone
ok "nobody but root has its configuration then" mode_is "$root" /etc/ib-plugins "750 root:root"
ok "it makes no user and no group" fails grep -E 'nagios|icinga|naemon|ib-plugins' "$root/etc/group" "$root/etc/passwd"
# Naemon's own package runs it as user naemon; this one of ours does as much as matters here.
mkdir -p "$scratch/naemon/DEBIAN" "$scratch/naemon/usr/bin"
printf 'Package: naemon-core\nVersion: 1\nArchitecture: all\nMaintainer: test <test@ib-plugins.invalid>\nDescription: test\n' \
    >"$scratch/naemon/DEBIAN/control"
printf '#!/bin/sh\nuseradd --system --user-group naemon\n' >"$scratch/naemon/DEBIAN/postinst"
chmod 755 "$scratch/naemon/DEBIAN/postinst"
printf '#!/bin/sh\n' >"$scratch/naemon/usr/bin/naemon"
dpkg-deb --root-owner-group -b "$scratch/naemon" "$root/tmp/naemon.deb" >/dev/null
ok "a scheduler is installed after it" quietly in_system "$root" dpkg -i /tmp/naemon.deb
ok "its group has the configuration" mode_is "$root" /etc/ib-plugins "750 root:naemon"
ok "and the file in it" mode_is "$root" /etc/ib-plugins/ib-plugins.conf "640 root:naemon"
ok "and the state" mode_is "$root" /var/lib/ib-plugins "2770 root:naemon"
if command -v systemd-tmpfiles >/dev/null; then
    tmpfiles() {
        systemd-tmpfiles --root="$root" --create ib-plugins.conf
    }
    rmdir "$root/var/lib/ib-plugins"
    ok "systemd-tmpfiles makes the state directory" silent tmpfiles
    ok "for that group" mode_is "$root" /var/lib/ib-plugins "2770 root:naemon"
    chroot "$root" chown root:adm /var/lib/ib-plugins
    chmod 2750 "$root/var/lib/ib-plugins"
    ok "and again at the next boot" silent tmpfiles
    ok "leaving alone what is there" mode_is "$root" /var/lib/ib-plugins "2750 root:adm"
fi
# dpkg-statoverride is how Debian's administrators choose; it wins over everything.
in_system "$root" dpkg-statoverride --update --add root root 0700 /etc/ib-plugins
ok "it is installed once more" quietly alone
ok "and what dpkg-statoverride says stays" mode_is "$root" /etc/ib-plugins "700 root:root"
in_system "$root" dpkg-statoverride --quiet --remove /etc/ib-plugins
ok "it is purged" quietly in_system "$root" dpkg --purge "$package"
in_system "$root" dpkg --purge naemon-core >/dev/null
in_system "$root" userdel naemon
contents "$root" | grep -v -e '^./etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-\? ' >"$scratch/after"
grep -v -e '^./etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-\? ' "$scratch/before" >"$scratch/before.files"
ok "nothing is left of it" diff "$scratch/before.files" "$scratch/after"
ok "nobody was asked to start, stop or reload a service" test ! -e "$root/var/log/policy-rc.d.log"
finish

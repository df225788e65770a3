#!/bin/sh
# SPDX-License-Identifier: MIT
# A clean Debian of this machine's release, from the mirror that its apt uses: as such, and with the schedulers
# that Debian has. Left in IB_PACKAGING as tarballs for the tests that install packages.
. "${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/packaging/lib.sh"
need debootstrap unshare chroot apt-get dpkg-deb
need_mounts
# debootstrap makes device files, which a container or a file system may not allow.
(mknod "$scratch/null" c 1 3 && echo >"$scratch/null") 2>/dev/null || skip_all "no device files below $scratch"
mkdir -p "$IB_PACKAGING"

# A directory that is kept between runs: good for a day.
if [ -s "$full_system" ] && [ -s "$bare_system" ] && [ -z "$(find "$full_system" -mmin +1440)" ]; then
    ok "there is a clean Debian, and one with icinga2 and nagios4, of an earlier run" true
    finish
fi
rm -f "$bare_system" "$full_system"

root=$scratch/system
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
sources() { # sources FORMAT: of Debian itself, in apt's order
    apt-get indextargets --format "$1" 'Created-By: Packages' 'Origin: Debian' 'Component: main' | awk '!seen[$0]++'
}
mirror=$(sources '$(CODENAME) $(REPO_URI)' | awk -v release="$release" '$1 == release && $2 ~ /^(https?|file):/ { print $2; exit }')
[ -n "$mirror" ] || skip_all "apt has no mirror of Debian $release here"
# A proxy is told to apt in its own configuration.
eval "$(apt-config shell proxy Acquire::http::Proxy)"
if [ -n "${proxy:-}" ]; then
    http_proxy=$proxy
    export http_proxy
fi

# Mirrors have bad moments: three times. What debootstrap mounts is gone with it, also when it is killed.
make_bare() {
    for try in 1 2 3; do
        rm -rf --one-file-system "$root"
        unshare --mount debootstrap --variant=minbase "$release" "$root" "$mirror" && return
        [ $try = 3 ] || sleep 5
    done
    tail -n 20 "$root/debootstrap/debootstrap.log" 2>/dev/null
    return 1
}
ok "debootstrap makes a clean Debian $release" quietly make_bare

# Who is asked to start or stop a service is written down, and refused.
cat >"$root/usr/sbin/policy-rc.d" <<'EOF'
#!/bin/sh
echo "$*" >>/var/log/policy-rc.d.log
exit 101
EOF
chmod 755 "$root/usr/sbin/policy-rc.d"
sources 'deb $(REPO_URI) $(RELEASE) main' >"$root/etc/apt/sources.list"
{
    echo 'APT::Install-Recommends "false"; Acquire::Retries "3"; Acquire::Languages "none";'
    [ -z "${proxy:-}" ] || echo "Acquire::http::Proxy \"$proxy\";"
} >"$root/etc/apt/apt.conf.d/50test"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
update() {
    in_system "$root" apt-get -qq update
}
ok "its apt knows the same mirror" quietly update
ok "it is kept" tar -C "$root" -cf "$bare_system.new" .

install_schedulers() {
    in_system "$root" apt-get -qq install -y icinga2 icinga2-bin nagios4-core && rm -f "$root"/var/cache/apt/archives/*.deb
}
ok "Debian's icinga2 and nagios4 are installed" quietly install_schedulers
# The log begins where our own packages do.
ok "its packages were not allowed to start services" grep -q nagios4 "$root/var/log/policy-rc.d.log"
: >"$root/var/log/policy-rc.d.log"
ok "it is kept with them" tar -C "$root" -cf "$full_system.new" .
# What is half done is nobody's.
if [ "$tap_bad" = 0 ]; then
    mv "$bare_system.new" "$bare_system" && mv "$full_system.new" "$full_system"
fi
rm -f "$bare_system.new" "$full_system.new"
finish

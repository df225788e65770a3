#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what tests/packages names and is missing: Debian's own packages, none recommended, no
# service started or restarted. Silent when nothing is missing.
#   sh tests/install-packages.sh [SECTION...]    a section is a heading there: build, peers ...
set -u
list=$(cd "$(dirname "$0")" && pwd)/packages
missing=
section=
while read -r package rest; do
    case $package in
    '') continue ;;
    '#')
        section=$rest
        continue
        ;;
    esac
    [ -z "$rest" ] || { echo "$list: one package a line: $package $rest" >&2; exit 1; }
    case " ${*:-$section} " in
    *" $section "*) ;;
    *) continue ;;
    esac
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
done <"$list"
[ -n "$missing" ] || exit 0

echo "installing:$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "missing packages, and neither root nor sudo without a password:$missing" >&2
    exit 1
fi

# Debian's hook against starting daemons at installation. One that is already there stays.
guard=/usr/sbin/policy-rc.d
made_guard=
log=
release() {
    [ -z "$log" ] || rm -f "$log"
    [ -z "$made_guard" ] || $as_root rm -f "$guard"
}
trap release EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$guard" ]; then
    made_guard=yes
    printf '#!/bin/sh\n# made by ib-plugins tests/install-packages.sh, removed at its end\nexit 101\n' |
        $as_root tee "$guard" >/dev/null && $as_root chmod 755 "$guard" || exit 1
fi
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null
}
# What packages say while they are set up is read only when that fails.
log=$(mktemp "${TMPDIR:-/tmp}/ib-apt.XXXXXX") || exit 1
# shellcheck disable=SC2086 # the list is words
{ apt update && apt install -y --no-install-recommends $missing; } >"$log" 2>&1 && exit 0
tail -n 40 "$log" >&2
echo "apt could not install them" >&2
exit 1

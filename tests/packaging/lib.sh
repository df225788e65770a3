# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# For the tests of the packages: TAP, a scratch directory, clean Debian systems below it. IB_PACKAGING is
# where one test leaves what the next ones need: the packages, and clean systems as tarballs.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/tap.sh"
[ -n "${IB_PACKAGING:-}" ] || skip_all "IB_PACKAGING is not set: run sh tests/all.sh packages"
PYTHON=${PYTHON:-/usr/bin/python3}
packages=$IB_PACKAGING/packages  # what packaging/build.sh makes
bare_system=$IB_PACKAGING/bare.tar # Debian without any scheduler
full_system=$IB_PACKAGING/full.tar # with icinga2 and nagios4
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ib-packaging.XXXXXX") || exit 1
chmod 755 "$scratch"
standin_pid=
trap 'packaging_end' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
packaging_end() {
    trap '' INT TERM
    if [ -n "$standin_pid" ]; then
        standin_stop
    fi
    rm -rf --one-file-system "$scratch"
}
need() { # need PROGRAM…
    for program in "$@"; do
        command -v "$program" >/dev/null || skip_all "$program is not installed"
    done
}
need_system() { # need_system TARBALL
    [ -s "$1" ] || skip_all "no clean Debian: see tests/packaging/system.sh"
}
# What a container may not do is no fault of the packages.
need_mounts() {
    [ "$(id -u)" = 0 ] || skip_all "not root: cannot make a clean Debian"
    mkdir "$scratch/proc"
    unshare --mount mount -t proc proc "$scratch/proc" 2>/dev/null || skip_all "no private mount namespace with a /proc"
}

# --- a system below a directory -------------------------------------------------------------------
unpack() { # unpack TARBALL DIRECTORY
    mkdir -p "$2" && tar -C "$2" -xf "$1"
}
# The mount is in a namespace of its own, and gone with the command. The network is the machine's.
in_system() { # in_system DIRECTORY COMMAND…: as root
    in_system_as root:root "$@"
}
in_system_as() { # in_system_as USER:GROUP DIRECTORY COMMAND…: with no HOME and nothing of our environment
    is_who=$1
    is_root=$2
    shift 2
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount sh -c 'who=$1 root=$2; shift 2; mount -t proc proc "$root/proc" &&
        exec chroot --userspec="$who" "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
            DEBIAN_FRONTEND=noninteractive "$@"' sh "$is_who" "$is_root" "$@" </dev/null
}
mode_is() { # mode_is DIRECTORY PATH "MODE USER:GROUP": names as that system has them
    is "$(chroot "$1" stat -c '%a %U:%G' "$2" 2>&1)" "$3"
}
contents() { # contents DIRECTORY: all but the records of packages, logs and caches
    (cd "$1" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/lib/apt \
        -o -path ./var/lib/rpm -o -path ./usr/lib/sysimage -o -path ./var/cache -o -path ./var/log \) -prune -o \
        -printf '%p %y %m %U:%G %l\n' | sort)
}

# --- for use with ok ------------------------------------------------------------------------------
quietly() { # the end of its output only when it fails
    "$@" >"$scratch/output" 2>&1 </dev/null && return
    echo "exit code $?"
    tail -n 60 "$scratch/output"
    return 1
}
silent() { # succeeds and says nothing
    silent_said=$("$@" 2>&1) && [ -z "$silent_said" ] && return
    printf '%s\n' "$silent_said"
    return 1
}
says() { # says PART COMMAND…: its output has PART
    says_part=$1
    shift
    has "$("$@" 2>&1)" "$says_part"
}
ends() { # ends CODE PART COMMAND…: with this exit code, and its output has PART
    ends_code=$1
    ends_part=$2
    shift 2
    ends_said=$("$@" 2>&1)
    ends_got=$?
    [ $ends_got = "$ends_code" ] || {
        echo "exit code $ends_got, wanted $ends_code: $ends_said"
        return 1
    }
    has "$ends_said" "$ends_part"
}
fails() { # fails COMMAND…
    ! "$@"
}
one_file() { # one_file PATH…: there is exactly one, and it is not empty
    [ $# = 1 ] && [ -s "$1" ] || {
        echo "$# files: $*"
        return 1
    }
}
restarts_nothing() { # restarts_nothing FILE…: scripts that start, stop and reload nobody
    ! grep -nE 'invoke-rc\.d|systemctl|deb-systemd|service |/etc/init\.d|daemon-reload|rc-service|kill' "$@"
}

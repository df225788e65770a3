# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# TAP for shell tests: ok NAME COMMAND…, and at the end finish.
tap_n=0
tap_bad=0

# One result; what the command prints explains a failure.
ok() {
    tap_name=$1
    shift
    tap_n=$((tap_n + 1))
    if tap_says=$("$@" 2>&1); then
        echo "ok $tap_n - $tap_name"
    else
        tap_bad=$((tap_bad + 1))
        echo "not ok $tap_n - $tap_name"
        printf '%s\n' "failed: $*" "$tap_says" | sed 's/^/# /'
    fi
}
is() { # is GOT WANTED
    [ "$1" = "$2" ] || {
        echo "got '$1', wanted '$2'"
        return 1
    }
}
has() { # has TEXT PART
    case $1 in *"$2"*) return 0 ;; esac
    echo "'$1' lacks '$2'"
    return 1
}
skip() { # skip NAME WHY: one result that something is missing for
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}
skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}
finish() {
    echo "1..$tap_n"
    [ $tap_bad = 0 ] || exit 1
    exit 0
}

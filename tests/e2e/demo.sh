#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/demo.sh, the first command of README.md, under both schedulers. That it builds and installs what
# it shows is left out: here that is done.
# shellcheck disable=SC2154 # what tests/e2e/lib.sh sets
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"

e2e_begin icinga2 nagios4 openssl
demo() { # demo icinga|nagios
    demo_began=$(date +%s)
    IB_DEMO_PREFIX=$IB_PREFIX sh "$top/tests/demo.sh" "$1" >"$e2e_dir/demo.$1.out" 2>&1
    demo_rc=$?
    echo "# the demo under $1: $(($(date +%s) - demo_began)) s" >&3
    demo_says=$(cat "$e2e_dir/demo.$1.out")
    [ $demo_rc = 0 ] || {
        printf '%s\n' "exit $demo_rc" "$demo_says"
        return 1
    }
}
exec 3>&1
for scheduler in icinga nagios; do
    ok "the demo under $scheduler ends well" demo $scheduler
    demo_says=$(cat "$e2e_dir/demo.$scheduler.out")
    ok "under $scheduler: the stuck build is found" has "$demo_says" "IB_IMAGE CRITICAL - web-server 1.4.2/7 BUILDING for 2h"
    ok "under $scheduler: it is cancelled" has "$demo_says" "CANCELLED  arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
    ok "under $scheduler: once, and the healthy ones are not" has "$demo_says" \
        "Found, cancelled once, confirmed; the healthy builds were left alone."
done
e2e_done

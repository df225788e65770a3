#!/bin/sh
# SPDX-License-Identifier: MIT
# ib_cancel_action told to stop, and at its timeout: one line in time, and the outcome called unknown
# when the request may have been sent.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
fast_workflow

# Start it, wait until the stand-in has seen N times OP, send SIGNAL; sets rc, out, took_ms. A stop takes
# milliseconds, but on a machine that does much else: one of three has to be in time.
stop_at() { # stop_at OP N SIGNAL ARGUMENT...
    for _ in 1 2 3; do
        stop_once "$@"
        [ "$took_ms" -ge 2000 ] || break
        rm -rf "$IB_STATE_DIR"
    done
}
stop_once() {
    op=$1
    often=$2
    signal=$3
    shift 3
    ctl clear-requests >/dev/null
    # A shell starts what is in the background without SIGINT, and nohup without SIGHUP.
    env --default-signal=HUP,INT "$build/plugins/ib_cancel_action" --endpoint-url "$url" --workflow "$fast" -c 90m \
        -t 2m --confirm-timeout 110s "$@" >"$dir/out" 2>"$dir/stderr" &
    pid=$!
    i=0
    until [ "$(requests "$op")" -ge "$often" ] || [ $i -gt 1000 ]; do
        i=$((i + 1))
        sleep 0.05
    done
    begin=$(date +%s%N)
    kill -"$signal" $pid
    rc=0
    wait $pid || rc=$?
    took_ms=$((($(date +%s%N) - begin) / 1000000))
    out=$(cat "$dir/out")
    take_apart
}
in_time() {
    if [ "$took_ms" -lt 10000 ]; then result "$1: soon" yes
    else result "$1: soon" no "$took_ms ms"; fi
}

arn=$(ctl add-image name=stop age_s=8010 'on_cancel="never"')
stop_at GetImage 4 TERM -a "$arn"
is "SIGTERM while confirming" 1 'IB_CANCEL WARNING - stop 1.0.0/1 outcome unknown: cancel requested, stopped by SIGTERM before it was confirmed, last seen BUILDING; --resume goes on with it'
in_time "SIGTERM while confirming"
equal "SIGTERM while confirming: one cancel" 1 "$(ctl cancels "$arn")"
# HUP stands for INT, too.
arn=$(ctl add-image name=stop age_s=8010 'on_cancel="never"')
stop_at GetImage 4 HUP -a "$arn"
is "SIGHUP while confirming" 1 'IB_CANCEL WARNING - * stopped by SIGHUP *'

arn=$(ctl add-image name=stop age_s=8010)
ctl add-fault op=CancelImageCreation kind=silent seconds=60 >/dev/null
stop_at CancelImageCreation 1 TERM -a "$arn"
is "SIGTERM while the request has no answer" 1 'IB_CANCEL WARNING - stop 1.0.0/3 outcome unknown, the request may have arrived: *'
in_time "SIGTERM while the request has no answer"
ctl clear-faults >/dev/null

ctl add-fault op=GetImage kind=silent seconds=60 >/dev/null
stop_at GetImage 1 TERM -a "$arn"
is "SIGTERM before the request" 3 'IB_CANCEL UNKNOWN - * not tried: stopped by SIGTERM'
in_time "SIGTERM before the request"
equal "SIGTERM before the request: no cancel request" 0 "$(requests CancelImageCreation)"
ctl clear-faults >/dev/null

# the timeout
arn=$(ctl add-image name=timeout age_s=8010 'on_cancel="never"')
begin=$(date +%s%N)
run ib_cancel_action -a "$arn" -c 90m --workflow "$fast" --confirm-timeout 60s -t 5s
took_ms=$((($(date +%s%N) - begin) / 1000000))
is "the timeout while confirming" 1 'IB_CANCEL WARNING - timeout 1.0.0/1 cancel requested, not confirmed within *: still BUILDING; --resume goes on with it'
if [ $took_ms -lt 30000 ]; then result "the timeout is kept" yes; else result "the timeout is kept" no "$took_ms ms"; fi
ctl add-fault op=CancelImageCreation kind=silent seconds=60 >/dev/null
arn=$(ctl add-image name=timeout age_s=8010)
run ib_cancel_action -a "$arn" -c 90m --workflow "$fast" -t 5s
is "the timeout while the request has no answer" 1 'IB_CANCEL WARNING - timeout 1.0.0/2 outcome unknown, the request may have arrived: *'

# stdout that nobody reads
arn=$(ctl add-image name=pipe age_s=60)
{ "$build/plugins/ib_cancel_action" --endpoint-url "$url" -a "$arn" -c 90m; echo $? >"$dir/rc"; } | true
equal "a reader that went away is never exit 0" 3 "$(cat "$dir/rc")"
finish

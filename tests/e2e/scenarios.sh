# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# What must happen under every scheduler. The caller has sourced lib.sh, started the stand-in and
# says how its scheduler defines a service; each scenario adds builds first, judges later.

# builds_add: one build per scenario, and what the service does to reach it.
builds_add() {
    stuck=$(ctl add-image name=stuck status=BUILDING age_s=7980)
    finished=$(ctl add-image name=finished status=AVAILABLE age_s=7980)
    soft=$(ctl add-image name=soft status=BUILDING age_s=7980)
    young=$(ctl add-image name=young status=BUILDING age_s=60)
    failed=$(ctl add-image name=failed status=FAILED age_s=7980 reason="it broke")
    # How often one check reads a build, so that exactly the first check is told "BUILDING".
    probe=$(ctl add-image name=probe status=BUILDING age_s=7980)
    AWS_SHARED_CREDENTIALS_FILE=$aws_credentials "$IB_PREFIX/lib/nagios/plugins/check_ib_image" -a "$probe" \
        -c 90m --endpoint-url "$standin_url" --stuck-only >"$e2e_dir/probe.out" 2>&1
    reads=$(ctl count GetImage --arn "$probe")
    ctl add-fault "{\"op\": \"GetImage\", \"arn\": \"$finished\", \"times\": $reads, \"kind\": \"http\",
        \"status\": 200, \"body\": {\"requestId\": \"01234567-89ab-4cde-8fab-0123456789ab\",
        \"image\": {\"arn\": \"$finished\", \"name\": \"finished\", \"version\": \"1.0.0/1\",
        \"state\": {\"status\": \"BUILDING\"}, \"dateCreated\": \"2020-01-01T00:00:00.000Z\"}}}" >/dev/null
    # The check of this one hangs until its scheduler ends it; the handler's read is answered.
    ctl add-fault op=GetImage arn="$young" times=1 kind=silent seconds=120 >/dev/null
}

scenarios_judge() {
    ok "one check reads a build" test "$reads" -ge 1
    ok "a stuck build: the daemon itself turns HARD CRITICAL" \
        wait_until 60 turned_hard_critical "ib-stuck stuck"
    ok "a stuck build: the daemon calls the handler" wait_until 60 handler_called "ib-stuck stuck" 1
    ok "a stuck build ends CANCELLED" wait_until 60 state_is "$stuck" CANCELLED
    ok "a stuck build is cancelled by exactly one request" cancel_requests_are "$stuck" 1
    ok "the service then shows that it was cancelled" \
        wait_until 60 service_says "ib stuck" CANCELLED
    ok "the service that judges stuck builds alone is OK again" \
        wait_until 60 service_is "ib-stuck stuck" OK HARD

    ok "a build that finishes just before the handler runs: the handler is called" \
        wait_until 60 handler_called "finished" 1
    ok "a build that finishes just before the handler runs: the next check sees it" \
        wait_until 60 service_is "finished" OK HARD
    ok "a build that finishes just before the handler runs is not cancelled" \
        cancel_requests_are "$finished" 0

    ok "a SOFT state: the handler is called" wait_until 60 handler_called "soft" 3
    ok "a SOFT state does nothing" cancel_requests_are "$soft" 0
    ok "a SOFT state leaves the build as it is" state_is "$soft" BUILDING

    ok "a failed build: the service that tells is CRITICAL" \
        wait_until 60 service_is "ib failed" CRITICAL HARD
    ok "a failed build: the service that judges stuck builds alone is OK" \
        wait_until 60 service_is "ib-stuck failed" OK HARD
    ok "a failed build is not cancelled" cancel_requests_are "$failed" 0
}

# A cancel that hangs: the service that ships for it sees the end, and nobody else could. Service "left" watches
# an image of this name, is not volatile, so that its handler is called once, and that one waits a second.
unconfirmed_judge() {
    left=$(ctl add-image name=left status=BUILDING age_s=7980 'on_cancel="never"')
    ok "a cancel that hangs: the handler asks for it" wait_until 60 cancels_are "$left" 1
    ok "a cancel that hangs: the handler leaves it open" wait_until 60 events_are "$left" "* left-open*"
    check_now ib-unconfirmed
    ok "a cancel that hangs: ib-unconfirmed warns" wait_until 60 service_state_is ib-unconfirmed WARNING
    ok "a cancel that hangs: ib-unconfirmed says of what" service_says ib-unconfirmed "1 cancel not confirmed yet: $left"
    ctl set-image "$left" status=CANCELLED >/dev/null
    check_now ib-unconfirmed
    ok "a cancel that hung: ib-unconfirmed is OK when it has seen the end" \
        wait_until 60 service_state_is ib-unconfirmed OK
    ok "a cancel that hung: taken over after the handler left it, and ended, as the journal tells" \
        events_are "$left" "claim send accepted left-open* take-over* end*"
    ok "a cancel that hung: with one token" cancels_are "$left" 1
}
events_are() { # events_are ARN PATTERN: of its audit, oldest first
    left_events=$(history_of "$1" | sed 's/ .*//' | tr '\n' ' ')
    # shellcheck disable=SC2254 # a pattern
    case $left_events in $2) return 0 ;; esac
    echo "'$left_events' is not '$2'"
    return 1
}

# What the journal says, read by whoever runs the test: the directory is shared.
journal_judge() {
    journal=$("$IB_PREFIX/lib/nagios/plugins/eventhandlers/ib_cancel_action" --history --state-dir "$ib_state_dir" 2>&1)
    ok "the journal tells of the cancel" has "$journal" "$stuck"
    ok "the journal tells of no other cancel" is \
        "$(printf '%s\n' "$journal" | grep -c -e "$finished.*cancelled" -e "$soft.*cancelled" -e "$young.*cancelled")" 0
}

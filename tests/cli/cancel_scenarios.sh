#!/bin/sh
# SPDX-License-Identifier: MIT
# ib_cancel_action through every scenario of tests/data/samples/scenarios.json: what it says, what it
# ends with, and which requests it sent. The scenarios have fixed dates, so age does not count here.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
fast_workflow
arn=arn:aws:imagebuilder:us-west-2:123456789012:image/golden-al2023/1.0.0/1

# scenario NAME RC FIRST-LINE READS CANCELS [ARGUMENT]...
scenario() {
    name=$1
    code=$2
    text=$3
    reads=$4
    cancels=$5
    shift 5
    # Each on a clean record: the journal knows what became of this build the last time.
    rm -rf "$IB_STATE_DIR"
    ctl clear-requests >/dev/null
    ctl load-scenario "$name" >/dev/null
    run ib_cancel_action -a "$arn" --any-age --workflow "$fast" --confirm-timeout 5s "$@"
    is "$name" "$code" "IB_CANCEL $text"
    equal "$name: GetImage requests" "$reads" "$(requests GetImage)"
    equal "$name: CancelImageCreation requests" "$cancels" "$(requests CancelImageCreation)"
    looks=$(($(requests ListWorkflowExecutions) + $(requests ListWorkflowStepExecutions)))
    equal "$name: no other requests" "$((reads + cancels))" "$(($(requests) - looks))"
    tokens=$(ctl requests CancelImageCreation | sed -n 's/.*"client_token": "\([^"]*\)".*/\1/p' | sort -u)
    if [ "$cancels" -gt 0 ]; then
        like "$name: one version 4 UUID as token" '????????-????-4???-[89ab]???-????????????' "$tokens"
    fi
}

scenario cancel-normal 0 'OK - golden-al2023 1.0.0/1 cancelled and confirmed' 4 1
scenario cancel-instant 0 'OK - golden-al2023 1.0.0/1 cancelled and confirmed' 2 1
first_token=$tokens
scenario cancel-instant 0 'OK - *' 2 1
if [ "$first_token" != "$tokens" ]; then result "two logical cancels have two tokens" yes
else result "two logical cancels have two tokens" no "$tokens"; fi
scenario cancel-accepted-but-build-wins-race 0 \
    'OK - golden-al2023 1.0.0/1 not cancelled: it ended by itself as AVAILABLE before the cancel took effect' \
    2 1 --also-distributing
scenario cancel-accepted-but-build-wins-race 2 \
    'CRITICAL - golden-al2023 1.0.0/1 refused by rule state: is not cancelled in state DISTRIBUTING' 1 0
scenario cancel-accepted-then-failed 0 \
    'OK - golden-al2023 1.0.0/1 not cancelled: it ended by itself as FAILED before the cancel took effect' 2 1
scenario already-terminal-before 0 \
    'OK - golden-al2023 1.0.0/1 nothing to cancel: it has ended as AVAILABLE' 1 0
scenario terminal-race-error 0 \
    'OK - golden-al2023 1.0.0/1 not cancelled: it ended by itself as FAILED before the cancel took effect' 2 1
scenario deleted-meanwhile 0 'OK - * nothing to cancel any more: the build is gone' 2 1
scenario may-read-not-cancel 2 \
    'CRITICAL - golden-al2023 1.0.0/1 it may be read but not cancelled: CancelImageCreation: access denied*' \
    2 1
scenario may-cancel-not-read 3 'UNKNOWN - * not tried: GetImage: access denied*' 1 0
scenario cancel-reply-lost-then-ok 0 'OK - golden-al2023 1.0.0/1 cancelled and confirmed' 2 2
scenario left-ami-behind 0 \
    'OK - golden-al2023 1.0.0/1 cancelled and confirmed; an AMI was left behind' 2 1
like "left-ami-behind: the AMI is named" \
    '*left behind: AMI ami-0a1b2c3d4e5f60718 in us-west-2 *' "$out"

# never lands: the reads go on until the time for confirming is over
rm -rf "$IB_STATE_DIR"
ctl clear-requests >/dev/null
ctl load-scenario cancel-never-lands >/dev/null
run ib_cancel_action -a "$arn" --any-age --workflow "$fast" --confirm-timeout 1s
is "cancel-never-lands" 1 \
    'IB_CANCEL WARNING - golden-al2023 1.0.0/1 cancel requested, not confirmed within 1s: still BUILDING; --resume goes on with it'
equal "cancel-never-lands: CancelImageCreation requests" 1 "$(requests CancelImageCreation)"
if [ "$(requests GetImage)" -gt 3 ]; then result "cancel-never-lands: it was read again and again" yes
else result "cancel-never-lands: it was read again and again" no "$(requests GetImage)"; fi

# throttled-then-ok has no cancel: it is for the check
ctl clear-requests >/dev/null
ctl load-scenario throttled-then-ok >/dev/null
run check_ib_image -a "$arn"
is "throttled-then-ok" 0 'IB_IMAGE OK - golden-al2023 1.0.0/1 BUILDING for *'
equal "throttled-then-ok: GetImage requests" 3 "$(requests GetImage)"
finish

# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What goes wrong at night, under every scheduler, all of it in one daemon: the caller has sourced
# lib.sh, and says how its scheduler defines a service, gives a downtime and lists comments.
#
# Services, all on host "aws", and the images they watch, of the same name:
#   again     volatile, -n: builds whose cancels hang keep it CRITICAL, then one more gets stuck
#   plain     one service that tells and acts, not volatile, -T: CRITICAL by a failed build, then ...
#   guarded   the same, CRITICAL by a stuck build that carries the tag that forbids its cancel
#   beside    CRITICAL by a failed build; "ib-stuck beside" judges builds in flight alone
#   killed    the handler is ended at its timeout, the request sent, no answer seen
#   eager     six attempts, --on soft:2, a slow service: copies of the handler run side by side
#   resting   in downtime, --skip-in-downtime
#   told      checked again after an hour, were there not --recheck; --comment
#   flow      a pipeline with new builds while it runs, -T
# and ib-sweep and ib-unconfirmed as shipped.
claimed_by() { # claimed_by ARN OPTION…: exactly one call decided it, and that one had these options
    night_says=$(history_of "$1" | sed -n 's/^claim //p')
    shift
    is "$(printf '%s\n' "$night_says" | grep -c .)" 1 || return 1
    for night_option; do
        has " $night_says " " $night_option " || return 1
    done
}

night_config() { # configuration files, and the builds that are there at dusk
    night_conf=$e2e_dir/night.conf
    flow_conf=$e2e_dir/flow.conf
    told_conf=$e2e_dir/told.conf
    night_defaults="defaults: { region = \"eu-central-1\"; endpoint_url = \"$standin_url\"; critical = \"90m\"; };"
    cat >"$night_conf" <<CONFIG
$night_defaults
targets: {
  plain:   { image = "plain";   cancel: { enabled = true; confirm = "5s"; }; };
  guarded: { image = "guarded"; cancel: { enabled = true; confirm = "5s"; }; };
  watched: { image = "watched"; };
};
CONFIG
    cat >"$flow_conf" <<CONFIG
$night_defaults
targets: { flow: { pipeline = "flow"; cancel: { enabled = true; confirm = "5s"; }; }; };
CONFIG
    cat >"$told_conf"
    chmod 644 "$night_conf" "$flow_conf" "$told_conf"

    again0=$(ctl add-image name=again status=BUILDING age_s=9000 'on_cancel="never"')
    again1=$(ctl add-image name=again status=BUILDING age_s=8000 'on_cancel="never"')
    plain1=$(ctl add-image name=plain status=FAILED age_s=90000 reason="it broke")
    guarded1=$(ctl add-image name=guarded status=BUILDING age_s=8000 'tags={"ib-plugins:no-cancel": "yes"}')
    watched1=$(ctl add-image name=watched status=BUILDING age_s=8000)
    beside1=$(ctl add-image name=beside status=FAILED age_s=90000 reason="it broke")
    killed1=$(ctl add-image name=killed status=BUILDING age_s=8000)
    ctl add-fault op=CancelImageCreation arn="$killed1" times=1 kind=silent seconds=120 apply=true >/dev/null
    eager1=$(ctl add-image name=eager status=BUILDING age_s=8000 'on_cancel={"after_s": 6}')
    ctl add-fault op=CancelImageCreation arn="$eager1" times=1 kind=delay seconds=4 >/dev/null
    told1=$(ctl add-image name=told status=BUILDING age_s=8000)
    ctl add-pipeline name=flow >/dev/null
    flow1=$(ctl add-image name=flow pipeline=flow status=BUILDING age_s=600)
    allow='arn:aws:imagebuilder:*:123456789012:image'
}

night_judge() {
    ok "resting: the downtime begins" wait_until 60 night_downtime resting
    # --- dusk: each service in the state that the night begins with
    ok "again: the first stuck build turns the service HARD CRITICAL" wait_until 60 turned_hard_critical again
    ok "again: its cancel is asked for, and hangs" wait_until 60 cancels_are "$again0" 1
    ok "again: so does that of another one" wait_until 60 cancels_are "$again1" 1
    ok "again: the check tells what the journal knows of it" wait_until 60 service_says again "cancel requested"
    ok "plain: CRITICAL by a failed build" wait_until 60 turned_hard_critical plain
    ok "plain: its handler was called for that" wait_until 60 handler_called plain 2
    ok "guarded: CRITICAL by a build that may not be cancelled" wait_until 60 turned_hard_critical guarded
    ok "beside: CRITICAL by a failed build" wait_until 60 turned_hard_critical "ib beside"
    ok "beside: what is stuck is judged apart" wait_until 60 service_is "ib-stuck beside" OK HARD
    ok "flow: a young build is fine" wait_until 60 service_is flow OK HARD

    # --- midnight: more builds get stuck, under services that are CRITICAL already
    again2=$(ctl add-image name=again status=BUILDING age_s=7000)
    plain2=$(ctl add-image name=plain status=BUILDING age_s=7000)
    guarded2=$(ctl add-image name=guarded status=BUILDING age_s=7000)
    beside2=$(ctl add-image name=beside status=BUILDING age_s=7000)
    resting1=$(ctl add-image name=resting status=BUILDING age_s=7000)
    flow2=$(ctl add-image name=flow pipeline=flow status=TESTING age_s=7000)
    flow3=$(ctl add-image name=flow pipeline=flow status=BUILDING age_s=60)
    ok "again: a build that gets stuck while the service is CRITICAL is cancelled" \
        wait_until 60 state_is "$again2" CANCELLED
    ok "again: by the volatile service's handler" claimed_by "$again2" "--state CRITICAL" "--state-type HARD"
    ok "plain: a build that gets stuck after a failed one is cancelled" wait_until 60 state_is "$plain2" CANCELLED
    ok "plain: by the sweep, for nobody else was called" claimed_by "$plain2" "--sweep"
    ok "guarded: a second build that gets stuck beside a forbidden one is cancelled" \
        wait_until 60 state_is "$guarded2" CANCELLED
    ok "guarded: by the sweep" claimed_by "$guarded2" "--sweep"
    ok "guarded: the forbidden one is left alone" cancel_requests_are "$guarded1" 0
    ok "watched: a target without cancel.enabled is left alone" cancel_requests_are "$watched1" 0
    ok "beside: a build that gets stuck after a failed one is cancelled" \
        wait_until 60 state_is "$beside2" CANCELLED
    ok "beside: by the handler of the service that judges stuck builds alone" \
        claimed_by "$beside2" "--state CRITICAL" "--state-type HARD"
    ok "flow: the new stuck build of the pipeline is found and cancelled" \
        wait_until 60 state_is "$flow2" CANCELLED
    ok "flow: the service is OK again" wait_until 60 service_is flow OK HARD
    flow4=$(ctl add-image name=flow pipeline=flow status=CREATING age_s=9000)
    ok "flow: and so is the next one" wait_until 60 state_is "$flow4" CANCELLED
    ok "flow: the young ones go on" is "$(ctl cancels "$flow1") $(ctl cancels "$flow3") $(ctl state "$flow1") $(ctl state "$flow3")" \
        "0 0 BUILDING BUILDING"

    ok "killed: the scheduler ended the handler in the middle" wait_until 60 night_handler_killed killed
    ok "killed: the build is cancelled all the same" wait_until 60 state_is "$killed1" CANCELLED
    ok "killed: taken over from the dead handler, and finished" wait_until 60 night_finished "$killed1"
    ok "killed: with one token" cancels_are "$killed1" 1
    ok "killed: nothing of it is left open" wait_until 60 service_is killed OK HARD

    ok "eager: cancelled on SOFT, as --on says" wait_until 60 state_is "$eager1" CANCELLED
    ok "eager: in attempt 2, not before" claimed_by "$eager1" "--state CRITICAL" "--state-type SOFT" "--attempt 2"
    ok "eager: the handler was called for each SOFT result meanwhile" wait_until 60 handler_called eager 5
    ok "eager: all of them sent one request" cancel_requests_are "$eager1" 1

    ok "told: cancelled" wait_until 60 state_is "$told1" CANCELLED
    ok "told: the service is OK at once, not in an hour" wait_until 60 service_is told OK HARD
    ok "told: a comment tells what was done" wait_until 60 night_commented told "cancelled: "

    ok "resting: its handler is called in downtime too" wait_until 60 handler_called resting 4
    ok "resting: nothing is cancelled in downtime" cancel_requests_are "$resting1" 0
    ok "resting: the downtime ends" night_downtime_end resting
    ok "resting: then the build is cancelled" wait_until 60 state_is "$resting1" CANCELLED

    # --- dawn: the daemon starts anew and meets the same state
    night_before=$(night_cancels)
    night_calls=$(handler_calls again)
    e2e_stop "$night_pid"
    night_restarted=$(date +%s)
    "${scheduler}_start"
    ok "restart: the daemon checks and calls again" wait_until 60 handler_called again $((night_calls + 1))
    ok "restart: the sweep runs again" wait_until 60 night_checked_since_start ib-sweep
    ok "restart: nothing is cancelled twice" is "$(night_cancels)" "$night_before"
    ok "after all that each build was cancelled as often as it should be" is "$night_before" \
        "again 1 1 1 plain 0 1 guarded 0 1 watched 0 beside 0 1 killed 1 eager 1 told 1 flow 0 1 0 1 resting 1"
    ok "the stand-in has nothing to complain about" is "$(ctl problems)" ""
}
night_cancels() {
    echo "again $(ctl cancels "$again0") $(ctl cancels "$again1") $(ctl cancels "$again2") plain $(ctl cancels "$plain1")" \
        "$(ctl cancels "$plain2") guarded $(ctl cancels "$guarded1") $(ctl cancels "$guarded2") watched" \
        "$(ctl cancels "$watched1") beside $(ctl cancels "$beside1") $(ctl cancels "$beside2") killed" \
        "$(ctl cancels "$killed1") eager $(ctl cancels "$eager1") told $(ctl cancels "$told1") flow" \
        "$(ctl cancels "$flow1") $(ctl cancels "$flow2") $(ctl cancels "$flow3") $(ctl cancels "$flow4") resting" \
        "$(ctl cancels "$resting1")"
}
night_finished() { # night_finished ARN: another call took it over and saw the end
    night_events=$(history_of "$1")
    has "$night_events" take-over && has "$night_events" "
end"
}

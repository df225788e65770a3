#!/bin/sh
# SPDX-License-Identifier: MIT
# ib_cancel_action with bad input: one line that names what is wrong, exit 3, no request sent.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=8010)

bad() { # bad NAME PART-OF-THE-SENTENCE ARGUMENT...
    bad_name=$1
    part=$2
    shift 2
    refused "$bad_name" "IB_CANCEL UNKNOWN - *$part*" ib_cancel_action "$@"
}

bad "not an ARN" '"not-an-arn"' -a not-an-arn -c 90m
bad "a version ARN" 'build' -a "${arn%/7}" -c 90m
bad "a wildcard ARN" 'build' -a arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/x.x.x -c 90m
bad "an ARN with a shell's words" '' -a "$arn;\$(id)" -c 90m
bad "an ARN with a second line" '' -a "$arn
$arn" -c 90m
for range in 5:1 10abc nan 1:2:3 ' 5' 0x10 inf :10; do
    bad "threshold '$range'" "-c: \"$range\" is not a range" -a "$arn" -c "$range"
done
bad "nothing says what is stuck" 'nothing says when a build is stuck' -a "$arn"
bad "a range that never says too old" 'never says that a build is too old; for "older than 90m" write 90m' -a "$arn" -c 90m:
bad "an inside range from zero" 'never says that a build is too old' -a "$arn" -c @90m
bad "a range that never alerts" 'critical range "~:" never says that a build is too old' -a "$arn" -c '~:'
bad "a range that always alerts" 'critical range "@0:" never says that a build is too old' -a "$arn" -c @0:
bad "a limit that every build is over" 'critical range "0" says of every build that it is too old' -a "$arn" -c 0
bad "a phase that never says too old" 'range "10m:" for TESTING never says' -a "$arn" -c 90m --phase TESTING=,10m:
bad "any age of a pipeline" '--any-age goes with --arn alone' -p web --any-age
bad "a state that is none" '--state: "$SERVICESTATE$" is not OK' --state '$SERVICESTATE$' --state-type HARD -a "$arn" -c 90m
bad "a host state" '--state: "DOWN" is not OK' --state DOWN --state-type HARD -a "$arn" -c 90m
bad "an empty state" '--state: its value is empty' --state '' --state-type HARD -a "$arn" -c 90m
bad "a type that is none" '--state-type: "FIRM"' --state CRITICAL --state-type FIRM -a "$arn" -c 90m
bad "a state without type" '--state is given without --state-type' --state CRITICAL -a "$arn" -c 90m
bad "a type without state" '--state-type is given without --state' --state-type HARD -a "$arn" -c 90m
bad "--on that is none" '"sometimes" is not hard, soft:N' --on sometimes -a "$arn" -c 90m
bad "--on soft:0" '"soft:0" is not hard, soft:N' --on soft:0 -a "$arn" -c 90m
bad "soft:N without attempt" '--on soft:N needs --attempt' --on soft:2 --state CRITICAL --state-type SOFT -a "$arn" -c 90m
bad "a check source without node" '--check-source is given without --node' --check-source x -a "$arn" -c 90m
bad "a node without check source" '--node is given without --check-source' --node x -a "$arn" -c 90m
bad "skipping downtimes without depth" '--skip-in-downtime needs --downtime-depth' --skip-in-downtime -a "$arn" -c 90m
bad "a downtime depth that is no number" '--downtime-depth' --downtime-depth x -a "$arn" -c 90m
bad "--max-cancel 0" '--max-cancel' --max-cancel 0 -a "$arn" -c 90m
bad "--max-cancel of words" '--max-cancel' --max-cancel many -a "$arn" -c 90m
bad "an unknown option" 'unknown option --force' --force -a "$arn" -c 90m
bad "an abbreviated option" 'unknown option --any' --any -a "$arn"
bad "a pattern for everything that is none" '--allow' -p web -c 90m --allow '*'
bad "a document that is not there" "$dir/none.yaml" -a "$arn" -c 90m --workflow "$dir/none.yaml"
printf 'arazzo: 1.0.1\ninfo: {title: x' >"$dir/cut.yaml"
bad "a document that is cut off" 'cut.yaml' -a "$arn" -c 90m --workflow "$dir/cut.yaml"
printf '{}' >"$dir/empty.yaml"
bad "a document that is empty" 'empty.yaml' -a "$arn" -c 90m --workflow "$dir/empty.yaml"
bad "no target" '--target: there is no configuration file' -T web
bad "a region that disagrees with the ARN" 'us-east-1' -a "$arn" -r us-east-1 -c 90m

rc=0
ctl clear-requests >/dev/null
out=$(env -u AWS_SECRET_ACCESS_KEY "$build/plugins/ib_cancel_action" --endpoint-url "$url" -a "$arn" -c 90m 2>"$dir/stderr") || rc=$?
take_apart
is "a half-set credential" 3 'IB_CANCEL UNKNOWN - *AWS_SECRET_ACCESS_KEY*'
equal "a half-set credential: no request" 0 "$(requests)"
refused_env() { # refused_env NAME PART ASSIGNMENTS ARGUMENT...
    env_name=$1
    part=$2
    assignments=$3
    shift 3
    rc=0
    # shellcheck disable=SC2086
    out=$(env $assignments "$build/plugins/ib_cancel_action" --endpoint-url "$url" "$@" 2>"$dir/stderr") || rc=$?
    take_apart
    is "$env_name" 3 "IB_CANCEL UNKNOWN - *$part*"
    equal "$env_name: one line" 1 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
    equal "$env_name: no request" 0 "$(requests)"
}
refused_env "no credentials" credentials '-u AWS_SECRET_ACCESS_KEY -u AWS_ACCESS_KEY_ID' -a "$arn" -c 90m
refused_env "no region" region '-u AWS_REGION -u AWS_DEFAULT_REGION' -n web-server --allow "${arn%/*/*}/*" -c 90m
equal "nothing was cancelled by any of it" 0 "$(ctl cancels "$arn")"

for option in --help --version; do
    run_bare ib_cancel_action $option
    equal "$option ends with 0" 0 "$rc"
done
run_bare ib_cancel_action --help
equal "--help stays within 80 columns" "" "$(too_wide)"
finish

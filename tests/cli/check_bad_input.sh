#!/bin/sh
# SPDX-License-Identifier: MIT
# check_ib_image with bad input: one line that names what is wrong, exit 3, no request sent.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=8010)

bad() { # bad NAME PART-OF-THE-SENTENCE ARGUMENT...
    bad_name=$1
    part=$2
    shift 2
    refused "$bad_name" "IB_IMAGE UNKNOWN - *$part*" check_ib_image "$@"
}

bad "not an ARN" '"not-an-arn"' -a not-an-arn
bad "an empty ARN" '-a: its value is empty' -a ''
bad "an ARN of another service" 's3' -a arn:aws:s3:eu-central-1:123456789012:image/x/1.0.0/1
bad "a version ARN" 'build' -a "${arn%/7}" -c 90m
bad "a wildcard ARN" 'build' -a arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/x.x.x
bad "an ARN with a line feed" 'ARN' -a "$arn
x"
bad "an ARN with a pipe" '' -a "$arn|x=1"
bad "an ARN without account" '' -a arn:aws:imagebuilder:eu-central-1::image/web-server/1.4.2/7
bad "build 0" '' -a "${arn%/7}/0"
for range in 5:1 10abc nan 1:2:3 ' 5' 0x10 inf -inf: : @ ~ :10 1,5 1e3 '' 45y 99999999999999999999; do
    if [ -z "$range" ]; then
        bad "an empty threshold" 'its value is empty' -a "$arn" -c "$range"
    else
        bad "threshold '$range' for --critical" "*-c: \"$range\" is not a range" -a "$arn" -c "$range"
        bad "threshold '$range' for --warning" "--warning: \"$range\" is not a range" -a "$arn" "--warning=$range"
    fi
done
for range in 0: '~:' @5 @0: @~: 10m: @90m; do
    bad "--stuck-only with a range that never says too old, $range" \
        "--stuck-only: critical range \"$range\" never says that a build is too old" -a "$arn" --stuck-only -c "$range"
done
bad "--stuck-only without any limit" '--stuck-only: nothing says when a build is stuck: give --critical or --phase' -a "$arn" --stuck-only
bad "--stuck-only with a limit that every build is over" 'critical range "0" says of every build' -a "$arn" --stuck-only -c 0
bad "--stuck-only with a phase that never says too old" 'for TESTING never says' -a "$arn" --stuck-only --phase TESTING=,@9
bad "an unknown option" 'unknown option --nope' -a "$arn" --nope
bad "an unknown short option" 'unknown option -q' -a "$arn" -q
bad "an abbreviated option" 'unknown option --crit' -a "$arn" --crit 90m
bad "an operand" '"x" belongs to no option' -a "$arn" x
bad "a missing value" '--critical: its value RANGE is missing' -a "$arn" --critical
bad "nothing to watch" 'nothing to watch is named' -c 90m
bad "two kinds of selection" '--arn and --pipeline do not go together' -a "$arn" -p web
bad "--all with an image" '--image and --all do not go together' -n x -A
bad "a status that is none" '"AVAILBLE" is no status' -a "$arn" --map AVAILBLE=ok
bad "a mapped state that is none" '"fine" is not ok' -a "$arn" --map FAILED=fine
bad "a phase of an ended status" 'no status of a build in flight' -a "$arn" --phase FAILED=1,2
bad "a timeout of nothing" '-t: 0 is outside' -a "$arn" -t 0
bad "a timeout of words" '"soon" is not a duration' -a "$arn" -t soon
bad "a timeout of a day" 'outside 1s..1h 0m' -a "$arn" -t 1d
bad "a timeout state that is none" '--timeout-state: "bad"' -a "$arn" --timeout-state bad
bad "an output form that is none" '"xml" is none of text, json' -a "$arn" --output xml
bad "a pipeline that is the ARN of something else" 'not the ARN of a pipeline' -p "$arn"
bad "an image that is an ARN" 'not the name of an image' -n "$arn"
bad "a target without configuration" '--target: there is no configuration file' -T web
bad "all targets without configuration" '--all-targets: there is no configuration file' --all-targets
bad "a configuration that is not there" "$dir/none.conf" -T web --config "$dir/none.conf"
bad "a region that disagrees with the ARN" 'us-east-1' -a "$arn" -r us-east-1 -c 90m
bad "a region that is none" 'no region like' -a "$arn" -r 'eu central' -c 90m
bad "a profile that is not there" 'profile' -a "$arn" --profile nope
bad "a role that is no ARN" '--role-arn' -a "$arn" --role-arn nope
bad "a CA bundle that is not there" 'none.pem' -a "$arn" --ca-bundle "$dir/none.pem"

refused_env() { # refused_env NAME PART ASSIGNMENTS ARGUMENT...
    env_name=$1
    part=$2
    assignments=$3
    shift 3
    ctl clear-requests >/dev/null
    rc=0
    # shellcheck disable=SC2086
    out=$(env $assignments "$build/plugins/check_ib_image" --endpoint-url "$url" "$@" 2>"$dir/stderr") || rc=$?
    take_apart
    is "$env_name" 3 "IB_IMAGE UNKNOWN - *$part*"
    equal "$env_name: no request" 0 "$(requests)"
}
refused_env "a half-set credential" AWS_SECRET_ACCESS_KEY '-u AWS_SECRET_ACCESS_KEY' -a "$arn" -c 90m
refused_env "no credentials" credentials '-u AWS_SECRET_ACCESS_KEY -u AWS_ACCESS_KEY_ID' -a "$arn" -c 90m
refused_env "no region" region '-u AWS_REGION' -A

bad "an endpoint that is no URL" '--endpoint-url' --endpoint-url nonsense -a "$arn"
bad "an endpoint without TLS" 'http' --endpoint-url http://192.0.2.1/ -a "$arn"

for option in -h --help -V --version; do
    run_bare check_ib_image $option
    equal "$option ends with 3" 3 "$rc"
done
run_bare check_ib_image --help
equal "--help stays within 80 columns" "" "$(too_wide)"
like "--help has examples" '*Examples*check_ib_image -p web-server*' "$out"
finish

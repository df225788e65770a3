#!/bin/sh
# SPDX-License-Identifier: MIT
# check_ib_image with builds named by ARN, against the stand-in.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin

arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=8010)
run check_ib_image -a "$arn" -w 45m -c 90m
is "over the critical age" 2 'IB_IMAGE CRITICAL - web-server 1.4.2/7 BUILDING for 2h 13m (critical 1h 30m), step WaitForSSMAgent'
like "over the critical age: age in the perfdata" 'age=801[0-9]s;2700;5400;0 in_flight=1;;;0 stuck=1;;;0 *' "$perf"
like "over the critical age: counts in the perfdata" '* building=1;;;0 *' "$perf"
like "over the critical age: the long line has the ARN" "*
\[CRITICAL\] web-server 1.4.2/7 BUILDING*, $arn" "$out"
equal "over the critical age: one GetImage" 1 "$(requests GetImage)"
equal "over the critical age: nothing is changed" 0 "$(requests CancelImageCreation)"
if [ ${#first} -lt 120 ]; then result "the first line is below 120 characters" yes
else result "the first line is below 120 characters" no "${#first}"; fi

ctl clear-requests >/dev/null
ctl set-image "$arn" age_s=3000 >/dev/null
run check_ib_image -a "$arn" -w 45m -c 90m
is "over the warning age" 1 'IB_IMAGE WARNING - web-server 1.4.2/7 BUILDING for 50m 0s (warning 45m), step *'

ctl set-image "$arn" age_s=605 >/dev/null
ctl clear-requests >/dev/null
run check_ib_image -a "$arn" -w 45m -c 90m
is "below all limits" 0 'IB_IMAGE OK - web-server 1.4.2/7 BUILDING for 10m 5s'
equal "below all limits: one request in all" 1 "$(requests)"
like "below all limits: perfdata" 'age=60?s;2700;5400;0 in_flight=1;;;0 stuck=0;;;0 *' "$perf"

run check_ib_image -a "$arn" -c @5m:
is "an inside range" 2 'IB_IMAGE CRITICAL - * (critical @5m:)*'
run check_ib_image -a "$arn"
is "no thresholds" 0 'IB_IMAGE OK - web-server 1.4.2/7 BUILDING for 10m *'
like "no thresholds: perfdata has none" 'age=6??s;;;0 *' "$perf"
phase=$(ctl add-image name=phase age_s=605)
run check_ib_image -a "$phase" --phase BUILDING=1m,5m
is "a phase over its limit" 2 'IB_IMAGE CRITICAL - phase 1.0.0/1 BUILDING for 10m * (critical in this state 5m), step *'

# every status that has ended, by default and mapped
for row in AVAILABLE:0:OK FAILED:2:CRITICAL CANCELLED:1:WARNING DEPRECATED:0:OK DISABLED:1:WARNING DELETED:1:WARNING QUARANTINED:3:UNKNOWN; do
    status=${row%%:*}
    rest=${row#*:}
    ctl set-image "$arn" "status=$status" >/dev/null
    run check_ib_image -a "$arn" -w 45m -c 90m
    is "$status" "${rest%%:*}" "IB_IMAGE ${rest#*:} - web-server 1.4.2/7 $status*"
    run check_ib_image -a "$arn" -c 90m --stuck-only
    case $status in
    QUARANTINED) is "$status with --stuck-only" 3 "IB_IMAGE UNKNOWN - *" ;;
    *) is "$status with --stuck-only" 0 "IB_IMAGE OK - nothing in flight, web-server 1.4.2/7 $status" ;;
    esac
done
ctl set-image "$arn" status=FAILED 'reason=broken | really
IB_IMAGE OK - fine' >/dev/null
run check_ib_image -a "$arn" --map FAILED=warning
is "a mapped status with a hostile reason" 1 'IB_IMAGE WARNING - web-server 1.4.2/7 FAILED: broken / really IB_IMAGE OK - fine'
equal "a hostile reason makes no further line" 2 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"

# several at once
young=$(ctl add-image name=golden age_s=60)
old=$(ctl add-image name=ancient age_s=90000)
run check_ib_image -a "$young" -a "$old" -a "$arn" -w 45m -c 90m
is "three builds" 2 'IB_IMAGE CRITICAL - ancient 1.0.0/1 BUILDING for 1d 1h (critical 1h 30m), step *; also 1 CRITICAL'
like "three builds: age is that of the oldest in flight" 'age=9000?s;2700;5400;0 in_flight=2;;;0 stuck=1;;;0 *' "$perf"
equal "three builds: a line for each" 4 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
run check_ib_image -a "$young" -a "$old" -a "$arn" -c 90m --limit 1
like "--limit leaves the rest out and says so" "*and 2 more builds (--limit)*" "$out"
run check_ib_image -a "$young" -a "$young" -c 90m
is "a build named twice counts once" 0 'IB_IMAGE OK - golden 1.0.0/1 BUILDING for 1m *'

# what cannot be read is never OK
run check_ib_image -a "$young" -a "${young%/1}/99" -c 90m
is "a build that is not there" 3 'IB_IMAGE UNKNOWN - *GetImage*ResourceNotFoundException*'
run check_ib_image -a "$old" -a "${young%/1}/99" -c 90m
is "a stuck build is not hidden by one that is not there" 2 'IB_IMAGE CRITICAL - ancient 1.0.0/1 *; also 1 UNKNOWN'

for fault in \
    'kind=error code=AccessDeniedException status=403 capital_message=true' \
    'kind=error code=ForbiddenException' \
    'kind=error code=ExpiredTokenException status=403' \
    'kind=error code=InvalidRequestException' \
    'kind=throttle' \
    'kind=throttle status=400 code=ThrottlingException' \
    'kind=error code=ServiceException status=500' \
    'kind=html status=502' \
    'kind=redirect' \
    'kind=cut-off' \
    'kind=garbage' \
    'kind=deep-json' \
    'kind=nul' \
    'kind=empty-body' \
    'kind=reset' \
    'kind=close'; do
    ctl clear-faults >/dev/null
    # shellcheck disable=SC2086
    ctl add-fault op=GetImage $fault >/dev/null
    run check_ib_image -a "$old" -w 45m -c 90m -t 4s
    is "GetImage answers with $fault" 3 'IB_IMAGE UNKNOWN - *GetImage*'
    like "GetImage answers with $fault: the age is not told as 0" 'age=U;2700;5400;0 *' "$perf"
done
ctl clear-faults >/dev/null
ctl add-fault op=GetImage kind=silent seconds=60 >/dev/null
run check_ib_image -a "$old" -c 90m -t 1s
is "no answer within the timeout" 3 'IB_IMAGE UNKNOWN - *'
run check_ib_image -a "$old" -c 90m -t 1s --timeout-state critical
is "no answer, with --timeout-state" 2 'IB_IMAGE CRITICAL - *'
ctl clear-faults >/dev/null
ctl add-fault op=GetImage kind=throttle times=1 >/dev/null
ctl clear-requests >/dev/null
run check_ib_image -a "$old" -c 90m
is "throttled once" 2 'IB_IMAGE CRITICAL - ancient *'
equal "throttled once: asked twice" 2 "$(requests GetImage)"
ctl clear-faults >/dev/null

# a missing detail costs only the detail
ctl add-fault op=ListWorkflowExecutions kind=error code=AccessDeniedException status=403 >/dev/null
run check_ib_image -a "$old" -c 90m
is "no permission for the workflow" 2 'IB_IMAGE CRITICAL - ancient 1.0.0/1 BUILDING for 1d 1h (critical 1h 30m)'
ctl clear-faults >/dev/null

# answers outside the model
for edge in "$top"/tests/data/samples/get-image-edge/*; do
    name=${edge##*/}
    ctl set-image "$old" "raw={\"status\": 200, \"file\": \"get-image-edge/$name\"}" >/dev/null
    run check_ib_image -a "$old" -c 90m
    # The samples are about another build: none of them may be taken for this one.
    is "answer $name for another build" 3 'IB_IMAGE UNKNOWN - *'
done

# JSON
arn=$(ctl add-image name=json-test age_s=8010 'reason=some | "reason"')
run check_ib_image -a "$arn" -w 45m -c 90m --output json
equal "JSON: exit code" 2 "$rc"
equal "JSON: state" CRITICAL "$(json '["state"]')"
equal "JSON: exitCode" 2 "$(json '["exitCode"]')"
equal "JSON: ARN" "$arn" "$(json '["builds"][0]["arn"]')"
equal "JSON: status" BUILDING "$(json '["builds"][0]["status"]')"
equal "JSON: the reason is not cleaned" 'some | "reason"' "$(json '["builds"][0]["statusReason"]')"
equal "JSON: stuck" true "$(json '["builds"][0]["stuck"]')"
equal "JSON: why" age "$(json '["builds"][0]["why"]')"
like "JSON: age" '801?' "$(json '["builds"][0]["ageSeconds"]')"
equal "JSON: step" WaitForSSMAgent "$(json '["builds"][0]["step"]["name"]')"
equal "JSON: no errors" '[]' "$(json '["errors"]')"
run check_ib_image -a "${arn%/1}/99" --output json
equal "JSON of an error: exit code" 3 "$rc"
equal "JSON of an error: code" ResourceNotFoundException "$(json '["errors"][0]["code"]')"
run check_ib_image --output json -a "$arn" -r us-east-1
equal "JSON of a region that disagrees: exit code" 3 "$rc"

equal "the stand-in's answers fit the model" "" "$(ctl problems | grep -v raw)"
finish

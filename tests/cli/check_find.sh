#!/bin/sh
# SPDX-License-Identifier: MIT
# check_ib_image finding its builds: pipelines, images, accounts; paging, order, things that vanish.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
AWS_REGION=eu-central-1
export AWS_REGION

# --- a pipeline ---
pipeline=$(ctl add-pipeline name=web-server image_name=web-server version=1.4.2)
run check_ib_image -p web-server -c 90m
is "a pipeline that never ran" 3 'IB_IMAGE UNKNOWN - pipeline web-server has never run'
run check_ib_image -p web-server -c 90m --none ok
is "a pipeline that never ran, --none ok" 0 'IB_IMAGE OK - pipeline web-server has never run'
run check_ib_image -p nope -c 90m
is "a pipeline that is not there" 3 'IB_IMAGE UNKNOWN - there is no pipeline of this name'
like "a pipeline that is not there: named" '*pipeline nope: there is no pipeline of this name*' "$out"
run check_ib_image -p "$pipeline" -c 90m
is "a pipeline by its ARN" 3 'IB_IMAGE UNKNOWN - pipeline web-server has never run'
run check_ib_image -p "${pipeline}x" -c 90m
is "a pipeline ARN that is not there" 3 'IB_IMAGE UNKNOWN - *GetImagePipeline*'

build() { # build NUMBER KEY...: a build of the pipeline
    number=$1
    shift
    ctl add-image name=web-server version=1.4.2 "build=$number" pipeline=web-server "$@"
}
build 1 status=FAILED age_s=300000 reason=old >/dev/null
build 2 status=AVAILABLE age_s=200000 >/dev/null
build 3 status=FAILED age_s=100000 'reason=new one' >/dev/null
run check_ib_image -p web-server -w 45m -c 90m
is "the newest build that has ended counts" 2 'IB_IMAGE CRITICAL - web-server 1.4.2/3 FAILED: new one'
equal "older ones do not" 2 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
build 4 status=AVAILABLE age_s=50000 >/dev/null
run check_ib_image -p web-server -w 45m -c 90m
is "a newer success heals a failure" 0 'IB_IMAGE OK - web-server 1.4.2/4 AVAILABLE'
like "no build in flight has age 0" 'age=0s;2700;5400;0 in_flight=0;;;0 *' "$perf"
like "the time that the newest build took" '* duration=[1-9]*s;;;0 *' "$perf"
stuck=$(build 5 age_s=8010)
run check_ib_image -p web-server -w 45m -c 90m
is "a stuck build beside it" 2 'IB_IMAGE CRITICAL - web-server 1.4.2/5 BUILDING for 2h 13m (critical 1h 30m), step WaitForSSMAgent'
equal "a stuck build: both have a line" 3 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
like "a stuck build: its pipeline is named" "*, pipeline web-server, $stuck*" "$out"
build 6 age_s=605 >/dev/null
run check_ib_image -p web-server -w 45m -c 90m
like "all in flight count" 'age=801?s;2700;5400;0 in_flight=2;;;0 stuck=1;;;0 *' "$perf"
run check_ib_image -p web-server -c 90m --stuck-only
is "--stuck-only sees it, too" 2 'IB_IMAGE CRITICAL - web-server 1.4.2/5 *'

# builds of other pipelines do not
ctl add-pipeline name=other >/dev/null
ctl add-image name=other pipeline=other age_s=90000 >/dev/null
run check_ib_image -p web-server -c 4h
is "builds of another pipeline do not count" 0 'IB_IMAGE OK - 3 builds, 2 in flight, oldest web-server 1.4.2/5 *'
run check_ib_image -p web-server -p other -c 4h
is "two pipelines" 2 'IB_IMAGE CRITICAL - other 1.0.0/1 *'

# the numbers of builds are numbers
ctl add-pipeline name=numbers >/dev/null
ctl add-image name=numbers pipeline=numbers build=9 status=FAILED dateCreated=2026-01-01T00:00:00Z >/dev/null
ctl add-image name=numbers pipeline=numbers build=10 status=AVAILABLE dateCreated=2026-01-01T00:00:00Z >/dev/null
run check_ib_image -p numbers
is "at one date build 10 is newer than build 9" 0 'IB_IMAGE OK - numbers 1.0.0/10 AVAILABLE'
ctl add-pipeline name=dates >/dev/null
ctl add-image name=dates pipeline=dates build=9 status=AVAILABLE age_s=1000 >/dev/null
ctl add-image name=dates pipeline=dates build=10 status=FAILED age_s=2000 >/dev/null
run check_ib_image -p dates
is "the date counts before the number" 0 'IB_IMAGE OK - dates 1.0.0/9 AVAILABLE'

# disabled
ctl add-pipeline name=off status=DISABLED >/dev/null
ctl add-image name=off pipeline=off status=AVAILABLE age_s=1000 >/dev/null
run check_ib_image -p off
is "a pipeline that somebody disabled" 0 'IB_IMAGE OK - off 1.0.0/1 AVAILABLE'
like "a pipeline that somebody disabled: it is told" '*pipeline off is disabled*' "$out"

ctl add-pipeline name=broken status=DISABLED consecutiveFailures=3 \
    'extra={"schedule": {"scheduleExpression": "cron(0 5 * * ? *)", "autoDisablePolicy": {"failureCount": 3}}}' >/dev/null
ctl add-image name=broken pipeline=broken status=AVAILABLE age_s=1000 >/dev/null
run check_ib_image -p broken
is "a pipeline that AWS disabled" 1 'IB_IMAGE WARNING - pipeline broken was disabled by AWS after 3 failed builds in a row'
run check_ib_image -p broken --stuck-only -c 90m
is "a pipeline that AWS disabled is not stuck" 0 'IB_IMAGE OK - nothing in flight, broken 1.0.0/1 AVAILABLE'

# --- an image ---
ctl add-image name=golden version=1.0.0 build=1 status=AVAILABLE age_s=500000 >/dev/null
ctl add-image name=golden version=1.1.0 build=1 status=FAILED age_s=400000 >/dev/null
ctl add-image name=golden version=2.0.0 build=1 status=AVAILABLE age_s=300000 >/dev/null
ctl add-image name=golden-other version=1.0.0 build=1 age_s=90000 >/dev/null
run check_ib_image -n golden -c 90m
is "an image over all versions" 0 'IB_IMAGE OK - golden 2.0.0/1 AVAILABLE'
ctl add-image name=golden version=1.1.0 build=2 age_s=8010 >/dev/null
run check_ib_image -n golden -c 90m
is "an older version's build that is stuck" 2 'IB_IMAGE CRITICAL - golden 1.1.0/2 BUILDING for 2h 13m *'
run check_ib_image -n nope
is "an image that is not there" 3 'IB_IMAGE UNKNOWN - no build of image nope'
run check_ib_image -n nope --stuck-only -c 90m
is "an image that is not there is not fine for --stuck-only" 3 'IB_IMAGE UNKNOWN - no build of image nope'

# --- an account ---
ctl reset >/dev/null
run check_ib_image -A -c 90m
is "an empty account" 0 'IB_IMAGE OK - no build in flight'
ctl add-image name=fresh status=FAILED age_s=3600 >/dev/null
ctl add-image name=ancient status=FAILED age_s=200000 >/dev/null
run check_ib_image -A -c 90m
is "a failure of today" 2 'IB_IMAGE CRITICAL - fresh 1.0.0/1 FAILED*'
equal "a failure before the lookback is history" 2 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
run check_ib_image -A -c 90m --lookback 30m
is "a shorter lookback" 0 'IB_IMAGE OK - no build in flight'
run check_ib_image -A -c 90m --lookback 7d
like "a longer lookback" '*also 1 CRITICAL*' "$first"
ctl add-image name=fresh build=2 status=AVAILABLE age_s=1800 >/dev/null
run check_ib_image -A -c 90m
is "a newer success of the same image" 0 'IB_IMAGE OK - fresh 1.0.0/2 AVAILABLE'
ctl add-image name=somewhere region=us-east-1 age_s=90000 >/dev/null
run check_ib_image -A -c 90m
is "another Region is another account" 0 'IB_IMAGE OK - *'
run check_ib_image -A -c 90m -r us-east-1
is "--region names it" 2 'IB_IMAGE CRITICAL - somewhere 1.0.0/1 *'

# pages: few per page, one of them empty
ctl reset >/dev/null
ctl set-defaults page_size=2 >/dev/null
for i in 1 2 3 4 5 6 7; do
    ctl add-image "name=page-$i" age_s=$((i * 1000)) >/dev/null
done
ctl add-fault op=ListImageBuildVersions nth=1 kind=empty-page >/dev/null
run check_ib_image -A -c 90m
is "seven builds on four pages and an empty one" 2 'IB_IMAGE CRITICAL - page-7 1.0.0/1 BUILDING for 1h 56m *; also 1 CRITICAL'
like "seven builds: all of them" 'age=700?s;;5400;0 in_flight=7;;;0 stuck=2;;;0 *' "$perf"
ctl clear-faults >/dev/null
ctl add-fault op=ListImageBuildVersions kind=empty-page >/dev/null
ctl clear-requests >/dev/null
run check_ib_image -A -c 4h
is "a page token that repeats" 3 'IB_IMAGE UNKNOWN - ListImageBuildVersions: page 2 names a next page that was read before'
equal "a page token that repeats: no endless walk" 2 "$(requests ListImageBuildVersions)"
ctl clear-faults >/dev/null
ctl add-fault op=ListImageBuildVersions after=2 kind=error code=ServiceException status=500 >/dev/null
run check_ib_image -A -c 4h -t 10s
is "a page that cannot be read" 3 'IB_IMAGE UNKNOWN - *ListImageBuildVersions*'
ctl clear-faults >/dev/null

# a build that vanishes between list and read
ctl reset >/dev/null
gone=$(ctl add-image name=gone age_s=90000)
ctl add-fault op=GetImage kind=error code=ResourceNotFoundException status=404 >/dev/null
run check_ib_image -A -c 90m -v
is "a build that vanishes between list and read" 0 'IB_IMAGE OK - *'
like "a build that vanishes: it is told" '*1 vanished*' "$out"
ctl clear-faults >/dev/null
run check_ib_image -A -c 90m
is "a list that says the truth" 2 'IB_IMAGE CRITICAL - gone 1.0.0/1 *'
# dates in other forms, or none
ctl add-image name=nodate no_date=true >/dev/null
run check_ib_image -A -c 90m
is "a build without date beside a stuck one" 2 'IB_IMAGE CRITICAL - gone 1.0.0/1 *; also 1 UNKNOWN'
ctl remove-image "$gone" >/dev/null
run check_ib_image -A -c 90m
is "a build without date" 3 'IB_IMAGE UNKNOWN - nodate 1.0.0/1 BUILDING, age not known: no readable creation date*'
like "a build without date: no age in the perfdata" 'age=U;;5400;0 in_flight=1;;;0 *' "$perf"
run check_ib_image -A
is "a build without date and without thresholds" 0 'IB_IMAGE OK - nodate 1.0.0/1 BUILDING, age not known'

# --- ten thousand builds ---
ctl reset >/dev/null
ctl bulk-images count=10000 names=100 stuck_every=1000 stuck_age_s=9030 >/dev/null
ctl clear-requests >/dev/null
run check_ib_image -A -c 2h -t 5m -v
is "10,000 builds" 2 'IB_IMAGE CRITICAL - bulk-* BUILDING for 2h 30m (critical 2h), step WaitForSSMAgent; also 9 CRITICAL'
like "10,000 builds: perfdata" 'age=90??s;;7200;0 in_flight=10;;;0 stuck=10;;;0 *' "$perf"
equal "10,000 builds: 400 pages" 400 "$(requests ListImageBuildVersions)"
like "10,000 builds: all were seen" '* 10000 builds named by lists, 0 vanished' "$out"
equal "10,000 builds: at most 50 lines of them" 50 "$(printf '%s\n' "$out" | grep -c '^\[')"
echo "# 10,000 builds: $(printf '%s\n' "$perf" | tr ' ' '\n' | grep -e '^time' -e '^api_calls' | tr '\n' ' ')"

# --- why it is stuck ---
ctl reset >/dev/null
arn=$(ctl add-image name=approve age_s=8010 waiting_step=Approve)
run check_ib_image -a "$arn" -c 90m
is "a build that waits for a person" 1 'IB_IMAGE WARNING - approve 1.0.0/1 BUILDING for 2h 13m, waits for an answer in step Approve'
like "a build that waits: counted" '* stuck=0;;;0 waiting=1;;;0 *' "$perf"
run check_ib_image -a "$arn" -c 90m --waiting ok
is "a build that waits, --waiting ok" 0 'IB_IMAGE OK - approve 1.0.0/1 BUILDING for 2h 13m, waits for an answer in step Approve'
run check_ib_image -a "$arn" -c 90m --waiting critical
is "a build that waits, --waiting critical" 2 'IB_IMAGE CRITICAL - approve 1.0.0/1 *'
arn=$(ctl add-image name=retried age_s=90000 'workflows=[
    {"type": "BUILD", "status": "FAILED", "start_age_s": 89000, "steps": []},
    {"type": "BUILD", "status": "RUNNING", "start_age_s": 605, "steps": []}]')
run check_ib_image -a "$arn" -w 45m -c 90m
is "a build that was put back to work" 0 'IB_IMAGE OK - retried 1.0.0/1 BUILDING for 10m *, workflow build-image, retried 10m * ago'
arn=$(ctl add-image name=restarting age_s=90000 'workflows=[{"type": "BUILD", "status": "FAILED", "start_age_s": 89000, "steps": []}]')
run check_ib_image -a "$arn" -w 45m -c 90m
is "a build that is just being put back to work" 3 'IB_IMAGE UNKNOWN - restarting 1.0.0/1 BUILDING, age not known: a workflow failed and none runs: put back to work, or*'
arn=$(ctl add-image name=context status=FAILED 'failureContext={"failedStep": "ApplyBuildComponents",
    "componentFailure": {"componentArn": "arn:aws:x", "stepName": "Install|it", "errorMessage": "exit status 1"}}')
run check_ib_image -a "$arn"
like "a failure's context is shown and cleaned" '*; step ApplyBuildComponents, component arn:aws:x step Install/it: exit status 1*' "$out"
equal "the stand-in's answers fit the model" "" "$(ctl problems | grep -v -e raw -e failureContext)"
finish

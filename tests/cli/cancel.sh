#!/bin/sh
# SPDX-License-Identifier: MIT
# ib_cancel_action: the gate, what it cancels and what not, and every way a cancel can end.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
fast_workflow

cancel() { # cancel ARGUMENT...
    run ib_cancel_action -c 90m --workflow "$fast" --confirm-timeout 3s "$@"
}

# --- the gate ---
arn=$(ctl add-image name=gate age_s=8010)
gate() { # gate NAME TEXT ARGUMENT...
    gate_name=$1
    text=$2
    shift 2
    ctl clear-requests >/dev/null
    cancel -a "$arn" "$@"
    is "$gate_name" 0 "IB_CANCEL OK - no action: $text"
    equal "$gate_name: no request" 0 "$(requests)"
}
gate "a SOFT state" 'CRITICAL SOFT, acts on CRITICAL HARD' --state CRITICAL --state-type SOFT
gate "a warning" 'WARNING HARD, acts on CRITICAL HARD' --state WARNING --state-type HARD
gate "an unknown" 'UNKNOWN HARD, acts on CRITICAL HARD' --state UNKNOWN --state-type HARD
gate "a recovery" 'OK HARD, acts on CRITICAL HARD' --state OK --state-type HARD
gate "a soft attempt too early" 'CRITICAL SOFT attempt 1, *' --state CRITICAL --state-type SOFT --on soft:2 --attempt 1
gate "another node" 'the check ran on satellite, this is master' --state CRITICAL --state-type HARD \
    --check-source satellite --node master
gate "a downtime" 'in downtime' --state CRITICAL --state-type HARD --downtime-depth 1 --skip-in-downtime
gate "lower case is taken as well" 'CRITICAL SOFT, *' --state critical --state-type soft

# --- what is cancelled ---
ctl clear-requests >/dev/null
cancel -a "$arn" --state CRITICAL --state-type HARD --check-source a --node a --downtime-depth 0 \
    --skip-in-downtime --problem-id 42
is "critical and hard" 0 'IB_CANCEL OK - gate 1.0.0/1 cancelled and confirmed'
equal "critical and hard: one effective cancel" 1 "$(ctl cancels "$arn")"
equal "critical and hard: the state at the service" CANCELLED "$(ctl state "$arn")"
like "critical and hard: perfdata" 'cancelled=1;;;0 finished=0;;;0 *' "$perf"
cancel -a "$arn" --state CRITICAL --state-type HARD
is "a second call" 0 'IB_CANCEL OK - gate 1.0.0/1 nothing to cancel: it has ended as CANCELLED'
equal "a second call: still one cancel" 1 "$(ctl cancels "$arn")"

not_cancelled() { # not_cancelled NAME RC TEXT KEYS ARGUMENT...
    keep_name=$1
    code=$2
    text=$3
    keys=$4
    shift 4
    # shellcheck disable=SC2086
    keep=$(ctl add-image name=keep $keys)
    cancel -a "$keep" "$@"
    is "$keep_name" "$code" "IB_CANCEL $text"
    equal "$keep_name: no cancel" 0 "$(ctl cancels "$keep")"
}
not_cancelled "a young build" 0 'OK - keep 1.0.0/* nothing to cancel: BUILDING for 10m *' age_s=605
not_cancelled "a build of unknown age" 2 'CRITICAL - keep * refused by rule age-known: its age is not known' no_date=true
not_cancelled "a build dated in the future" 2 'CRITICAL - * refused by rule age-known: it is dated *' age_s=-4000
for status in AVAILABLE FAILED CANCELLED DEPRECATED DELETED DISABLED; do
    not_cancelled "a build that is $status" 0 "OK - keep * nothing to cancel: it has ended as $status" \
        "status=$status age_s=90000"
    not_cancelled "a build that is $status, at any age" 0 \
        "OK - keep * nothing to cancel: it has ended as $status" "status=$status age_s=90000" --any-age
done
not_cancelled "a state that nobody knows" 2 'CRITICAL - keep * not cancelled: state QUARANTINED is not known *' \
    "status=QUARANTINED age_s=90000"
not_cancelled "a build that opted out" 2 'CRITICAL - keep * refused by rule opt-out: it carries the tag *' \
    'age_s=90000 tags={"ib-plugins:no-cancel":"true"}'
not_cancelled "a build that is distributed" 2 'CRITICAL - keep * refused by rule state: *DISTRIBUTING' \
    "status=DISTRIBUTING age_s=90000"
not_cancelled "a build below the minimum age" 2 'CRITICAL - keep * refused by rule minimum-age: *' age_s=8010 \
    --minimum-age 3h
not_cancelled "a build outside --allow" 2 'CRITICAL - keep * refused by rule allow-list: *' age_s=8010 \
    --allow 'arn:aws:imagebuilder:*:*:image/web-*'
not_cancelled "a dry run" 0 'OK - keep * would be cancelled (dry run): BUILDING for 2h 13m (critical 1h 30m)' \
    age_s=8010 --dry-run
not_cancelled "an explanation" 0 'OK - keep * would be cancelled (dry run): *' age_s=8010 --explain
like "an explanation: every rule" '*holds in-flight: state is BUILDING*holds max-cancel:*' "$out"
not_cancelled "a build that waits for a person" 0 'OK - keep * nothing to cancel: *waits for an answer in step Approve' \
    'age_s=8010 waiting_step=Approve'
not_cancelled "a build that is not there" 3 'UNKNOWN - * not tried: GetImage*ResourceNotFoundException*' age_s=8010 \
    -a arn:aws:imagebuilder:eu-central-1:123456789012:image/none/1.0.0/1 --dry-run

for status in PENDING CREATING BUILDING TESTING INTEGRATING; do
    arn=$(ctl add-image name=stuck "status=$status" age_s=8010)
    cancel -a "$arn"
    is "a stuck build that is $status" 0 'IB_CANCEL OK - stuck 1.0.0/* cancelled and confirmed'
    equal "a stuck build that is $status: one cancel" 1 "$(ctl cancels "$arn")"
done
arn=$(ctl add-image name=stuck status=DISTRIBUTING age_s=8010)
cancel -a "$arn" --also-distributing
is "a stuck build that is DISTRIBUTING, when told" 0 'IB_CANCEL OK - stuck 1.0.0/* cancelled and confirmed'
arn=$(ctl add-image name=young age_s=60)
run ib_cancel_action -a "$arn" --any-age --workflow "$fast"
is "any age" 0 'IB_CANCEL OK - young 1.0.0/1 cancelled and confirmed'
arn=$(ctl add-image name=approved age_s=8010 waiting_step=Approve)
cancel -a "$arn" --waiting critical
is "a build that waits, when waiting is critical" 0 'IB_CANCEL OK - approved 1.0.0/1 cancelled and confirmed'
arn=$(ctl add-image name=phase status=TESTING age_s=5000 phase_age_s=4000)
run ib_cancel_action -a "$arn" --phase TESTING=10m,1h --workflow "$fast"
is "stuck by its phase" 0 'IB_CANCEL OK - phase 1.0.0/1 cancelled and confirmed'

# a retried build is as old as its retry
arn=$(ctl add-image name=retried age_s=90000 'workflows=[
    {"type": "BUILD", "status": "FAILED", "start_age_s": 89000, "steps": []},
    {"type": "BUILD", "status": "RUNNING", "start_age_s": 600, "steps": [
        {"name": "ApplyBuildComponents", "action": "ExecuteComponents", "status": "RUNNING", "start_age_s": 500}]}]')
cancel -a "$arn"
is "a build that was put back to work 10 minutes ago" 0 'IB_CANCEL OK - retried * nothing to cancel: BUILDING for 10m *'
equal "a build that was put back to work: no cancel" 0 "$(ctl cancels "$arn")"

# what it is doing must be readable, unless it is forbidden
arn=$(ctl add-image name=unsure age_s=8010)
ctl add-fault op=ListWorkflowExecutions kind=error code=ServiceException status=500 >/dev/null
cancel -a "$arn" -t 8s
is "the closer look fails" 3 'IB_CANCEL UNKNOWN - unsure 1.0.0/1 not tried, for what it is doing could not be read: *'
equal "the closer look fails: no cancel" 0 "$(ctl cancels "$arn")"
ctl clear-faults >/dev/null
ctl add-fault op=ListWorkflowExecutions kind=error code=AccessDeniedException status=403 >/dev/null
cancel -a "$arn"
is "the closer look is forbidden" 2 'IB_CANCEL CRITICAL - unsure 1.0.0/1 refused by rule age-known: *'
equal "the closer look is forbidden: no cancel" 0 "$(ctl cancels "$arn")"
cancel -a "$arn" --age-from-creation
is "the closer look is forbidden, and need not be" 0 'IB_CANCEL OK - unsure 1.0.0/1 cancelled and confirmed'
ctl clear-faults >/dev/null

# several ARNs
one=$(ctl add-image name=one age_s=8010)
two=$(ctl add-image name=two age_s=8010)
cancel -a "$one" -a "$two"
is "two stuck builds, one cancel by default" 2 'IB_CANCEL CRITICAL - two 1.0.0/1 refused by rule max-cancel: 1 of 1 *'
equal "two stuck builds: the first is cancelled" 1 "$(ctl cancels "$one")"
equal "two stuck builds: the second is not" 0 "$(ctl cancels "$two")"
one=$(ctl add-image name=one age_s=8010)
cancel -a "$one" -a "$two" --max-cancel 2
is "two stuck builds, two cancels" 0 'IB_CANCEL OK - one 1.0.0/2 cancelled and confirmed (2 builds looked at, 2 cancels sent)'
equal "two cancels: the second is confirmed, too" CANCELLED "$(ctl state "$two")"
cancel -a "$one" -a "$one"
equal "a build named twice is looked at once" 2 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"

# --- how it can end ---
ends() { # ends NAME RC TEXT ON_CANCEL ARGUMENT...
    end_name=$1
    code=$2
    text=$3
    end=$(ctl add-image name=end age_s=8010 "on_cancel=$4")
    shift 4
    cancel -a "$end" "$@"
    is "$end_name" "$code" "IB_CANCEL $text"
    equal "$end_name: one cancel" 1 "$(ctl cancels "$end")"
}
ends "it wins the race and is AVAILABLE" 0 'OK - end * not cancelled: it ended by itself as AVAILABLE *' \
    '{"polls": 2, "status": "AVAILABLE"}'
ends "it wins the race and is FAILED" 0 'OK - end * not cancelled: it ended by itself as FAILED *' \
    '{"polls": 1, "status": "FAILED", "reason": "x"}'
ends "it does not end in time" 1 'WARNING - end * cancel requested, not confirmed within 1s: still BUILDING; --resume goes on with it' \
    '"never"' --confirm-timeout 1s
equal "it does not end in time: perfdata" 'requested=1;;;0' "$(printf '%s\n' "$perf" | tr ' ' '\n' | grep '^requested')"

answer() { # answer NAME RC TEXT CANCELS FAULT...
    answer_name=$1
    code=$2
    text=$3
    count=$4
    shift 4
    end=$(ctl add-image name=answer age_s=8010)
    ctl add-fault op=CancelImageCreation "$@" >/dev/null
    ctl clear-requests >/dev/null
    cancel -a "$end" -t 6s
    is "$answer_name" "$code" "IB_CANCEL $text"
    equal "$answer_name: effective cancels" "$count" "$(ctl cancels "$end")"
    tokens=$(ctl requests CancelImageCreation | sed -n 's/.*"client_token": "\([^"]*\)".*/\1/p' | sort -u | grep -c .)
    equal "$answer_name: all tries had one token" 1 "$tokens"
    ctl clear-faults >/dev/null
}
answer "no permission to cancel" 2 'CRITICAL - answer * it may be read but not cancelled: *' 0 \
    kind=error code=AccessDeniedException status=403 capital_message=true
answer "in use" 2 'CRITICAL - answer * not cancelled, the build is in use: *' 0 \
    kind=error code=ResourceInUseException
answer "a token that was used before" 2 'CRITICAL - answer * not cancelled, its token was used for another request: *' 0 \
    kind=error code=IdempotentParameterMismatchException
answer "an invalid request" 2 'CRITICAL - answer * not cancelled: *InvalidRequestException*' 0 \
    kind=error code=InvalidRequestException
answer "throttled without end" 3 'UNKNOWN - answer * not cancelled yet: *CallRateLimitExceededException*; --resume goes on with it*' 0 kind=throttle
answer "throttled once" 0 'OK - answer * cancelled and confirmed' 1 kind=throttle times=1
answer "a server error without end" 1 'WARNING - answer * outcome unknown: *' 0 kind=error code=ServiceException status=500
answer "a lost answer" 0 'OK - answer * cancelled and confirmed' 1 kind=close times=1 apply=true
answer "answers that are always lost" 0 'OK - answer * cancelled and confirmed' 1 kind=close apply=true
answer "no connection at all" 1 'WARNING - answer * outcome unknown, the request may have arrived: *' 0 kind=close
answer "a proxy's page" 1 'WARNING - answer * outcome unknown: *' 0 kind=html status=502

reading() { # reading NAME FAULT...
    read_name=$1
    shift
    end=$(ctl add-image name=reading age_s=8010)
    ctl add-fault op=GetImage "$@" >/dev/null
    cancel -a "$end" -t 3s
    is "GetImage: $read_name" 3 'IB_CANCEL UNKNOWN - * not tried: *'
    equal "GetImage: $read_name: no cancel" 0 "$(ctl cancels "$end")"
    ctl clear-faults >/dev/null
}
reading "no permission" kind=error code=AccessDeniedException status=403
reading "expired credentials" kind=error code=ExpiredTokenException status=403
reading "throttled" kind=throttle
reading "a server error" kind=error code=ServiceException status=500
reading "a page of a proxy" kind=html status=502
reading "a page of a proxy with 200" kind=html status=200
reading "cut off" kind=cut-off
reading "garbage" kind=garbage
reading "too deep" kind=deep-json
reading "a NUL" kind=nul
reading "an empty body" kind=empty-body
reading "a redirect" kind=redirect
reading "nothing" kind=close

# answers outside the model, for this very build
arn=arn:aws:imagebuilder:us-west-2:123456789012:image/golden-al2023/1.0.0/1
ctl add-image "arn=$arn" age_s=90000 >/dev/null
for file in no-state.json no-image.json empty-object.json array.txt state-not-object.txt status-not-string.txt \
    duplicate-keys.txt deep-nesting.txt empty.txt not-json.txt nul-escape-in-reason.txt trailing-garbage.txt \
    truncated.txt; do
    ctl set-image "$arn" "raw={\"status\": 200, \"file\": \"get-image-edge/$file\"}" >/dev/null
    run ib_cancel_action -a "$arn" --any-age --workflow "$fast"
    is "GetImage answers $file" 3 'IB_CANCEL UNKNOWN - * not tried: *'
    equal "GetImage answers $file: no cancel" 0 "$(ctl cancels "$arn")"
done
for file in date-garbage.json date-human.json date-future.json no-datecreated.json; do
    ctl set-image "$arn" "raw={\"status\": 200, \"file\": \"get-image-edge/$file\"}" >/dev/null
    cancel -a "$arn"
    is "GetImage answers $file" 2 'IB_CANCEL CRITICAL - golden-al2023 1.0.0/1 refused by rule age-known: *'
    equal "GetImage answers $file: no cancel" 0 "$(ctl cancels "$arn")"
done
ctl set-image "$arn" 'raw={"status": 200, "file": "get-image-edge/unknown-status.json"}' >/dev/null
run ib_cancel_action -a "$arn" --any-age --workflow "$fast"
is "GetImage answers unknown-status.json" 2 'IB_CANCEL CRITICAL - golden-al2023 1.0.0/1 not cancelled: state QUARANTINED *'
equal "GetImage answers unknown-status.json: no cancel" 0 "$(ctl cancels "$arn")"

# documents that would cancel the wrong thing
arn=$(ctl add-image name=document age_s=8010)
other=$(ctl add-image name=other age_s=8010)
sed "s|^        imageBuildVersionArn: .*|        imageBuildVersionArn: $other|" "$fast" >"$dir/other.yaml"
run ib_cancel_action -a "$arn" -c 90m --workflow "$dir/other.yaml"
is "a document that cancels another build" 3 'IB_CANCEL UNKNOWN - document 1.0.0/1 not tried: the document asks to cancel another build'
equal "a document that cancels another build: no cancel" 00 "$(ctl cancels "$arn")$(ctl cancels "$other")"
seed=$top/tests/data/seed/cancel-running-image-build.arazzo.yaml
if [ -r "$seed" ]; then
    done_arn=$(ctl add-image name=deprecated status=DEPRECATED age_s=90000)
    run ib_cancel_action -a "$done_arn" --any-age --workflow "$seed"
    is "the original document and a DEPRECATED image" 0 'IB_CANCEL OK - deprecated 1.0.0/1 nothing to cancel: *'
    equal "the original document and a DEPRECATED image: no cancel" 0 "$(ctl cancels "$done_arn")"
else
    n=$((n + 1))
    echo "ok $n # SKIP the original document is not in tests/data/seed"
fi

# --- JSON ---
arn=$(ctl add-image name=json age_s=8010)
cancel -a "$arn" --output json
equal "JSON: exit code" 0 "$rc"
equal "JSON: outcome" cancelled "$(json '["results"][0]["outcome"]')"
equal "JSON: status before" BUILDING "$(json '["results"][0]["statusBefore"]')"
equal "JSON: status after" CANCELLED "$(json '["results"][0]["statusAfter"]')"
equal "JSON: the token that was sent" \
    "$(ctl requests CancelImageCreation --arn "$arn" | sed -n 's/.*"client_token": "\([^"]*\)".*/\1/p')" \
    "$(json '["results"][0]["clientToken"]')"
equal "JSON: the rule" none "$(json '["results"][0]["decision"]["rule"]')"
cancel -a "$arn" --output json --state OK --state-type HARD
equal "JSON of no action" false "$(json '["action"]')"

equal "the stand-in's answers fit the model" "" "$(ctl problems | grep -v raw)"
finish

#!/bin/sh
# shellcheck disable=SC2086 # an empty document is no argument at all
# SPDX-License-Identifier: MIT
# ib_workflow against the stand-in: the seed and the built-in document for every status, slices, dry
# runs, faults, signals, check and show. What was sent is read from the stand-in's own record.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${abs_top_builddir:-$top/build}
python=${PYTHON:-/usr/bin/python3}
program=$build/plugins/ib_workflow
n=0
token=0

if ! "$python" -c 'import botocore' 2>/dev/null; then
    echo "1..0 # SKIP python3-botocore is not installed: the stand-in needs it"
    exit 0
fi

dir=$(mktemp -d) || exit 1
"$python" "$top/tests/standin/standin.py" --port-file "$dir/port" --time-scale 100 >"$dir/standin.log" 2>&1 &
standin=$!
trap 'kill "$standin" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
i=0
until [ -s "$dir/port" ]; do
    i=$((i + 1))
    if [ $i -gt 300 ]; then
        echo "Bail out! the stand-in does not start: $(head -1 "$dir/standin.log")"
        exit 1
    fi
    sleep 0.1
done
ctl() { "$python" "$top/tests/standin/ctl.py" "$dir/port" "$@"; }

AWS_ACCESS_KEY_ID=AKIDEXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
endpoint=http://127.0.0.1:$(cat "$dir/port")
recipe=arn:aws:imagebuilder:eu-central-1:123456789012:image-recipe/web/1.0.0
infra=arn:aws:imagebuilder:eu-central-1:123456789012:infrastructure-configuration/web
seed=$top/tests/data/seed/cancel-running-image-build.arazzo.yaml

result() { # result NAME STATUS
    n=$((n + 1))
    if [ "$2" = 0 ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        sed 's/^/# /' "$dir/out" "$dir/err" 2>/dev/null | head -20
    fi
}
run() { # run ARG...: out, err, rc
    "$program" "$@" >"$dir/out" 2>"$dir/err"
    rc=$?
}
first() { head -1 "$dir/out"; }
is_rc() { result "$1" "$([ "$rc" = "$2" ]; echo $?)"; }
first_has() { result "$1" "$(first | grep -qF -- "$2"; echo $?)"; }
out_has() { result "$1" "$(grep -qF -- "$2" "$dir/out"; echo $?)"; }
# Operations that the stand-in answered since the record was emptied, in order.
calls() {
    ctl requests | "$python" -c 'import json, sys
print(" ".join(json.loads(line)["op"] for line in sys.stdin))'
}
calls_are() { # calls_are NAME "OP OP ..."
    seen=$(calls)
    [ "$seen" = "$2" ] || echo "# calls: $seen" >>"$dir/err"
    result "$1" "$([ "$seen" = "$2" ]; echo $?)"
}
json_is() { # json_is NAME EXPRESSION: true in Python, with r the result
    result "$1" "$("$python" -c 'import json, sys
r = json.load(open(sys.argv[1]))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$dir/out" "$2" 2>>"$dir/err"; echo $?)"
}
# A build that CreateImage finds in this state (the stand-in gives a token the same build again).
slice() { # slice DOCUMENT STATUS [AFTER]: runs from getImage on a build in this status
    arn=$(ctl add-image name=slice status="$2" ${3:+on_cancel="{\"polls\": 0, \"status\": \"$3\"}"})
    ctl clear-requests
    # The seed's token is a constant, and the stand-in remembers tokens as Image Builder does.
    token=$((token + 1))
    run run $1 --endpoint-url "$endpoint" --from getImage --output json \
        --given "createImage.imageBuildVersionArn=$arn" ${1:+-i clientToken=test-$token}
}

# --- the whole way -------------------------------------------------------------------------------
for document in "$seed" ""; do
    name=${document:+seed}
    name=${name:-ours}
    ctl reset >/dev/null
    ctl set-defaults 'on_cancel={"polls": 0}' >/dev/null
    run run $document --endpoint-url "$endpoint" --output json \
        -i imageRecipeArn=$recipe -i infrastructureConfigurationArn=$infra
    is_rc "$name: create, look, cancel, confirm ends with 0" 0
    calls_are "$name: create, look, cancel, confirm, once each" \
        "CreateImage GetImage CancelImageCreation GetImage"
    json_is "$name: the result is success with the final status" \
        'r["result"] == "success" and r["outputs"]["finalStatus"] == "CANCELLED" and r["error"] is None'
    json_is "$name: the steps are written down as they ran" \
        '[s["stepId"] for s in r["steps"]] == ["createImage", "getImage", "cancelCreation", "confirmCancellation"]'
done

# --- every status before the cancel --------------------------------------------------------------
for status in PENDING CREATING BUILDING TESTING DISTRIBUTING INTEGRATING \
    AVAILABLE CANCELLED FAILED DEPRECATED DELETED DISABLED; do
    case $status in
    PENDING | CREATING | BUILDING | TESTING | DISTRIBUTING | INTEGRATING) ours=cancels seeds=cancels ;;
    AVAILABLE | CANCELLED | FAILED) ours=ends seeds=ends ;;
    *) ours=ends seeds=tries ;;
    esac
    slice "" $status CANCELLED
    if [ $ours = cancels ]; then
        calls_are "ours: $status is cancelled" "GetImage CancelImageCreation GetImage"
        json_is "ours: $status ends as CANCELLED" 'r["outputs"]["finalStatus"] == "CANCELLED"'
    else
        calls_are "ours: $status is left alone" "GetImage"
        json_is "ours: $status ends the run, without a final status" \
            'r["result"] == "success" and "finalStatus" not in r["outputs"]'
    fi
    slice "$seed" $status CANCELLED
    case $seeds in
    cancels) calls_are "seed: $status is cancelled" "GetImage CancelImageCreation GetImage" ;;
    ends) calls_are "seed: $status is left alone" "GetImage" ;;
    # Its own words: everything but three states. Image Builder refuses, and the run says so.
    tries) calls_are "seed: $status is sent a cancel, as the document has it" "GetImage CancelImageCreation" ;;
    esac
done

# --- every status after it ------------------------------------------------------------------------
for status in AVAILABLE FAILED CANCELLED; do
    slice "" BUILDING $status
    is_rc "ours: a build that ends as $status after the cancel ends the run" 0
    json_is "ours: $status is the final status" "r['outputs']['finalStatus'] == '$status'"
    slice "$seed" BUILDING $status
    json_is "seed: $status is the final status" "r['outputs']['finalStatus'] == '$status'"
done
arn=$(ctl add-image name=slow status=BUILDING 'on_cancel={"polls": 1}')
ctl clear-requests
run run --endpoint-url "$endpoint" --from getImage --given "createImage.imageBuildVersionArn=$arn"
calls_are "ours polls until the build has ended" "GetImage CancelImageCreation GetImage GetImage"
out_has "each attempt is a line" "confirmCancellation: GetImage, attempt 2, 200, success finalStatus=CANCELLED"
arn=$(ctl add-image name=never status=BUILDING on_cancel='"never"')
run run --endpoint-url "$endpoint" -t 3 --from getImage --given "createImage.imageBuildVersionArn=$arn"
is_rc "a poll that does not fit in the time ends with 3" 3
first_has "and says what it was waiting for" \
    "UNKNOWN - the time is up: step confirmCancellation would go on in "

# --- answers on which nobody may act --------------------------------------------------------------
for kind in html:'<html>ok</html>' http:; do
    body=${kind#*:}
    arn=$(ctl add-image name=bad status=BUILDING raw="{\"status\": 200, \"body\": \"$body\"}")
    for document in "$seed" ""; do
        ctl clear-requests
        run run $document --endpoint-url "$endpoint" --from getImage \
            --given "createImage.imageBuildVersionArn=$arn"
        is_rc "200 with \"$body\" stops with 3 (${document:+seed})" 3
        calls_are "200 with \"$body\" sends no cancel (${document:+seed})" "GetImage"
    done
done
for file in no-state.json state-not-object.txt status-not-string.txt truncated.txt duplicate-keys.txt; do
    arn=$(ctl add-image name=bad status=BUILDING \
        raw="{\"status\": 200, \"file\": \"get-image-edge/$file\"}")
    ctl clear-requests
    run run "$seed" --endpoint-url "$endpoint" --from getImage \
        --given "createImage.imageBuildVersionArn=$arn"
    is_rc "an answer like $file stops the seed with 3" 3
    calls_are "an answer like $file sends no cancel" "GetImage"
done
arn=$(ctl add-image name=new status=BUILDING \
    raw='{"status": 200, "file": "get-image-edge/unknown-status.json"}')
ctl clear-requests
run run --endpoint-url "$endpoint" --from getImage --given "createImage.imageBuildVersionArn=$arn"
is_rc "a status that nobody has heard of fails ours with 2" 2
calls_are "and sends no cancel" "GetImage"
first_has "and is told by the condition" "CRITICAL - cancel-running-image-build failed: step getImage:"
first_has "with the status that does not meet it" 'does not hold ($response.body#/image/state/status is "QUARANTINED")'

# --- dry run, trace, secrets ----------------------------------------------------------------------
arn=$(ctl add-image name=dry status=BUILDING)
ctl clear-requests
run run --endpoint-url "$endpoint" --dry-run --trace --from getImage \
    --given "createImage.imageBuildVersionArn=$arn"
is_rc "a dry run ends with 0" 0
calls_are "a dry run reads and sends nothing else" "GetImage"
first_has "a dry run shows the call that it did not send" \
    'dry run: step cancelCreation would send PUT /CancelImageCreation {"imageBuildVersionArn":"'"$arn"
result "the trace shows the request" "$(grep -q '^> GET .*/GetImage?imageBuildVersionArn=' "$dir/err"; echo $?)"
result "the trace hides the signature" \
    "$(grep -q 'Authorization: (hidden)' "$dir/err" && ! grep -q 'Signature=' "$dir/err"; echo $?)"
result "no secret is shown" "$(! grep -q "$AWS_SECRET_ACCESS_KEY" "$dir/out" "$dir/err"; echo $?)"
ctl clear-requests
run run --endpoint-url "$endpoint" --dry-run -i imageRecipeArn=$recipe -i infrastructureConfigurationArn=$infra
calls_are "a dry run from the start sends nothing" ""
first_has "and shows the first call" "dry run: step createImage would send PUT /CreateImage"
out_has "and what may follow it" "may follow, as the answers decide: cancelCreation: CancelImageCreation"

# --- nothing is sent when something is wrong ------------------------------------------------------
ctl clear-requests
wrong() { # wrong NAME TEXT ARG...
    name=$1 text=$2
    shift 2
    run "$@"
    is_rc "$name ends with 3" 3
    first_has "$name says why" "$text"
}
wrong "a missing input" "needs the input infrastructureConfigurationArn" run --endpoint-url "$endpoint"
wrong "an unknown input" 'has no input "nonsense"; its inputs: imageRecipeArn' \
    run --endpoint-url "$endpoint" -i nonsense=1
wrong "an input without a value" '--input: "imageRecipeArn" is not name=value' run -i imageRecipeArn
wrong "a file that is not there" "/nonexistent/x.yaml" run /nonexistent/x.yaml
printf '[]' >"$dir/list.json"
wrong "inputs that are no object" "holds array, not an object" run --inputs "$dir/list.json"
wrong "an unknown step" '--from: workflow cancel-running-image-build has no step "x"' run --from x
wrong "a given output without a value" '--given: "createImage.x" is not STEP.OUTPUT=VALUE' \
    run --from getImage --given createImage.x
wrong "an unknown command" '"ruin" is none of run, check and show' ruin
wrong "no command" 'run, check or show?'
wrong "two files" 'run takes one file; "b" is one too many' run a b
wrong "a document with errors" 'many.yaml:4:5: info needs "title" (and 7 more)' \
    run "$top/tests/data/arazzo/broken/many.yaml"
wrong "what is not an ARN" "imageBuildVersionArn" \
    run --endpoint-url "$endpoint" --from getImage --given createImage.imageBuildVersionArn=web-server
wrong "an unknown option" 'unknown option --nope' run --endpoint-url "$endpoint" --nope
printf 'arazzo: 1.0.1\ninfo: {title: x' >"$dir/cut.yaml"
wrong "a document that is cut off" 'cut.yaml:2:' run "$dir/cut.yaml" --endpoint-url "$endpoint"
given=createImage.imageBuildVersionArn=arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0/1
kept=$AWS_SECRET_ACCESS_KEY
unset AWS_SECRET_ACCESS_KEY
wrong "a half-set credential" AWS_SECRET_ACCESS_KEY run --endpoint-url "$endpoint" --from getImage --given "$given"
AWS_SECRET_ACCESS_KEY=$kept
export AWS_SECRET_ACCESS_KEY
cat >"$dir/list.yaml" <<'END'
arazzo: 1.0.1
info: {title: t, version: 1.0.0}
sourceDescriptions: [{name: api, url: ./api.yaml, type: openapi}]
workflows:
- workflowId: list
  steps: [{stepId: list, operationId: ListImages}]
END
wrong "no region" region run "$dir/list.yaml" --endpoint-url "$endpoint"
run run --endpoint-url "$endpoint" --from cancelCreation --until cancelCreation \
    --given createImage.imageBuildVersionArn=arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0
is_rc "a version instead of a build is not cancelled" 3
calls_are "none of these sent a request" ""

# --- a server that is not Image Builder's ----------------------------------------------------------
cat >"$dir/api.yaml" <<'END'
openapi: 3.0.3
info: {title: t, version: 1.0.0}
servers: [{url: https://example.com}]
paths:
  /GetImage: {get: {operationId: GetImage}}
END
cat >"$dir/elsewhere.yaml" <<'END'
arazzo: 1.0.1
info: {title: t, version: 1.0.0}
sourceDescriptions: [{name: api, url: ./api.yaml, type: openapi}]
workflows:
- workflowId: w
  steps:
  - stepId: look
    operationId: GetImage
    parameters: [{name: imageBuildVersionArn, in: query, value: 'arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0/1'}]
END
wrong "a server of somebody else" "the server https://example.com is not the endpoint of Image Builder" \
    run "$dir/elsewhere.yaml"

# --- flow against a real service -------------------------------------------------------------------
cat >"$dir/poll.yaml" <<'END'
arazzo: 1.0.1
info: {title: t, version: 1.0.0}
sourceDescriptions: [{name: api, url: ./nothing.yaml, type: openapi}]
workflows:
- workflowId: poll
  inputs: {type: object, required: [arn], properties: {arn: {type: string}}}
  steps:
  - stepId: look
    operationId: GetImage
    parameters: [{name: imageBuildVersionArn, in: query, value: $inputs.arn}]
    outputs: {status: $response.body#/image/state/status}
    onSuccess:
    - name: ended
      type: end
      criteria: [{condition: "$response.body#/image/state/status == 'available'"}]
    - {name: again, type: goto, stepId: look}
  - stepId: never
    operationId: ListImages
  outputs: {status: $steps.look.outputs.status}
- workflowId: tags
  inputs: {type: object, required: [arn], properties: {arn: {type: string}, tags: {type: object}}}
  steps:
  - stepId: add
    operationId: TagResource
    parameters: [{name: resourceArn, in: path, value: $inputs.arn}]
    requestBody: {payload: {tags: $inputs.tags}}
    # The model has no answer but 200 or 204.
    successCriteria: [{condition: $statusCode < 300}]
  - stepId: list
    operationId: ListTagsForResource
    parameters: [{name: resourceArn, in: path, value: $inputs.arn}]
    outputs: {tags: $response.body#/tags}
  outputs: {tags: $steps.list.outputs.tags}
END
arn=$(ctl add-image name=polled status=BUILDING 'script=[[60, "AVAILABLE"]]')
run run "$dir/poll.yaml" -W poll --endpoint-url "$endpoint" --pace 200ms -i "arn=$arn" --output json
is_rc "a step that goes to itself polls until the end" 0
json_is "and shows the last status" 'r["outputs"] == {"status": "AVAILABLE"} and 2 <= len(r["steps"]) <= 8'
arn=$(ctl add-image name=stays status=BUILDING)
run run "$dir/poll.yaml" -W poll --endpoint-url "$endpoint" --pace 1ms --max-steps 5 -i "arn=$arn"
is_rc "the step limit ends it with 3" 3
first_has "and is named" "stopped before step look: 5 steps have run (--max-steps)"
run run "$dir/poll.yaml" -W tags --endpoint-url "$endpoint" -i "arn=$arn" -i 'tags={"team":"web"}' --output json
is_rc "both tag calls work, with their path parameter" 0
json_is "and the tag is there" 'r["outputs"]["tags"]["team"] == "web"'

# --- every operation -------------------------------------------------------------------------------
{
    cat <<'END'
arazzo: 1.0.1
info: {title: t, version: 1.0.0}
sourceDescriptions: [{name: api, url: ./nothing.yaml, type: openapi}]
workflows:
- workflowId: all
  inputs: {type: object, properties: {arn: {type: string}}}
  steps:
END
    awk -F '\t' '!/^#/ {
        print "  - stepId: " $1
        print "    operationId: " $1
        print "    successCriteria: [{condition: $statusCode >= 200}]"
        if ($4 $5 != "")
            print "    parameters:"
        n = split($4, names, ",")
        for (i = 1; i <= n; i++)
            print "    - {name: " names[i] ", in: query, value: $inputs.arn}"
        if ($5 != "")
            print "    - {name: " $5 ", in: path, value: $inputs.arn}"
    }' "$top/tests/standin/operations.tsv"
} >"$dir/all.yaml"
ctl clear-requests
run run "$dir/all.yaml" --endpoint-url "$endpoint" -r eu-central-1 -t 60 \
    -i arn=arn:aws:imagebuilder:eu-central-1:123456789012:image/none/1.0.0/1 --output json
is_rc "a document with all operations runs to its end" 0
json_is "with an answer to each of 77 steps" \
    'len(r["steps"]) == 77 and all(s["statusCode"] in (200, 400, 404) for s in r["steps"])'
ctl requests | "$python" -c 'import json, sys
seen = sorted({(r["op"], r["method"]) for r in map(json.loads, sys.stdin)})
want = sorted({tuple(line.split("\t")[:2]) for line in open(sys.argv[1]) if line[0] != "#"})
print(set(want) ^ set(seen))
sys.exit(seen != want)' "$top/tests/standin/operations.tsv" >>"$dir/err"
result "and the stand-in saw all 77 by their own methods" $?

# --- faults ----------------------------------------------------------------------------------------
arn=$(ctl add-image name=throttled status=BUILDING 'on_cancel={"polls": 0}')
ctl add-fault op=GetImage kind=throttle times=1 retry_after=0 >/dev/null
run run --endpoint-url "$endpoint" --from getImage --given "createImage.imageBuildVersionArn=$arn"
is_rc "throttling is retried below the document" 0
ctl clear-faults >/dev/null
arn=$(ctl add-image name=denied status=BUILDING)
ctl add-fault op=CancelImageCreation kind=error code=AccessDeniedException status=403 message='no|no' >/dev/null
run run --endpoint-url "$endpoint" --from getImage --given "createImage.imageBuildVersionArn=$arn" --output json
is_rc "a refused cancel fails with 2" 2
json_is "and the result has the code and the words of the service" \
    'r["result"] == "failure" and r["error"]["code"] == "AccessDeniedException" and r["error"]["outcomeKnown"]'
ctl clear-faults >/dev/null
arn=$(ctl add-image name=lost status=BUILDING)
ctl add-fault op=CancelImageCreation kind=silent seconds=30 >/dev/null
run run --endpoint-url "$endpoint" -t 5 --from getImage --given "createImage.imageBuildVersionArn=$arn" --output json
is_rc "a cancel without an answer ends with 3" 3
json_is "and its outcome is not known" \
    'r["result"] == "error" and r["error"]["stepId"] == "cancelCreation" and not r["error"]["outcomeKnown"]'

# --- signals ---------------------------------------------------------------------------------------
interrupt() { # interrupt SIGNAL WAIT-FOR-OPERATION ARG...: sends it once the stand-in has seen the operation
    signal=$1 operation=$2
    shift 2
    ctl clear-requests
    "$program" "$@" >"$dir/out" 2>"$dir/err" &
    child=$!
    i=0
    until [ "$(ctl count "$operation" --status any)" != 0 ] || [ $i -gt 200 ]; do
        i=$((i + 1))
        sleep 0.1
    done
    kill "-$signal" "$child"
    wait "$child"
    rc=$?
}
arn=$(ctl add-image name=interrupted status=BUILDING)
interrupt TERM GetImage run --endpoint-url "$endpoint" --from confirmCancellation \
    --given "createImage.imageBuildVersionArn=$arn"
is_rc "SIGTERM while waiting ends with 3" 3
first_has "and says that nothing was under way" "no request was under way"
ctl clear-faults >/dev/null
ctl add-fault op=GetImage kind=silent seconds=30 >/dev/null
ctl add-fault op=CancelImageCreation kind=delay seconds=90 >/dev/null
arn=$(ctl add-image name=interrupted status=BUILDING)
ctl clear-requests
interrupt TERM CancelImageCreation run --endpoint-url "$endpoint" --from cancelCreation -t 60 \
    --given "createImage.imageBuildVersionArn=$arn"
is_rc "SIGTERM during a call ends with 3" 3
first_has "and names the step and that its outcome is not known" \
    "step cancelCreation was under way, its outcome is not known"
ctl clear-faults >/dev/null

# --- check -----------------------------------------------------------------------------------------
run check "$seed"
is_rc "check of the seed warns" 1
out_has "check names line, column, path and rule" \
    ":50:22: warning: /workflows/0/steps/0/requestBody: the idempotency token is a constant"
run check
is_rc "check of the built-in document is clean" 0
first_has "and says so" "IB_WORKFLOW OK - 1 document, 0 errors, 0 warnings"
run check --output json "$top/tests/data/arazzo/broken/many.yaml" "$seed"
is_rc "check of a broken document ends with 2" 2
json_is "check has all of it as JSON" \
    'r["files"][0]["errors"] == 8 and r["files"][0]["findings"][0]["rule"] == "required" and r["exitCode"] == 2'
run check /nonexistent "$seed"
is_rc "check of a file that is not there ends with 3" 3
out_has "and still looks at the others" "constant-token"
broken=0 all=0
for file in "$top"/tests/data/arazzo/broken/*.yaml "$top"/tests/data/arazzo/broken/*.json; do
    all=$((all + 1))
    run check "$file"
    [ $rc = 2 ] && [ "$(wc -l <"$dir/out")" -gt 1 ] && broken=$((broken + 1))
done
good=0
for file in "$top"/tests/data/arazzo/good/*.yaml "$top"/tests/data/arazzo/good/*.json; do
    run check "$file"
    [ $rc -le 1 ] && good=$((good + 1))
done
result "check finds $good good documents good" "$([ $good -ge 11 ]; echo $?)"
result "check finds $broken of $all broken documents broken" "$([ $broken = $all ]; echo $?)"

# --- show ------------------------------------------------------------------------------------------
run show
is_rc "show ends with 0" 0
out_has "show draws text" "  3. cancelCreation: CancelImageCreation"
run show --format mermaid
result "mermaid is all that is printed" "$([ "$(first)" = "flowchart TD" ]; echo $?)"
if command -v dot >/dev/null; then
    for file in "" "$seed" "$top"/tests/data/arazzo/good/*.yaml; do
        run show $file --format dot
        result "graphviz draws ${file##*/}" "$(dot -Tsvg "$dir/out" 2>"$dir/err" | grep -q '<svg'; echo $?)"
    done
else
    n=$((n + 1))
    echo "ok $n - graphviz draws them # SKIP graphviz is not installed"
fi

# --- the stand-in's own judgement -------------------------------------------------------------------
problems=$(ctl problems)
result "every request was what the service model allows" "$([ -z "$problems" ]; echo $?)"

echo "1..$n"

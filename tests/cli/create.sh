#!/bin/sh
# SPDX-License-Identifier: MIT
# ib_create_action: recipes and pipelines, every member of the request, tokens, waiting, bad input.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
AWS_REGION=eu-central-1
export AWS_REGION
base=arn:aws:imagebuilder:eu-central-1:123456789012
recipe=$base:image-recipe/web/1.0.0
infra=$base:infrastructure-configuration/small

create() { run ib_create_action "$@"; }
# A member of the last request's body.
body() {
    ctl requests "${2:-CreateImage}" | tail -n 1 | "${PYTHON:-/usr/bin/python3}" -c "
import json, sys
print(json.dumps(json.load(sys.stdin)['body'].get('$1'), sort_keys=True))"
}

create --recipe "$recipe" --infrastructure "$infra"
is "a recipe" 0 "IB_CREATE OK - started $base:image/web/1.0.0/1"
like "a recipe: the ARN stands on a line of its own" "*
$base:image/web/1.0.0/1
*" "$out"
like "a recipe: a version 4 UUID as token" '"????????-????-4???-[89ab]???-????????????"' "$(body clientToken)"
equal "a recipe: nothing that was not said is sent" '["clientToken", "imageRecipeArn", "infrastructureConfigurationArn"]' \
    "$(ctl requests CreateImage | tail -n 1 | "${PYTHON:-/usr/bin/python3}" -c "
import json, sys
print(json.dumps(sorted(json.load(sys.stdin)['body'])))")"

create --recipe "$recipe" --infrastructure "$infra" --distribution "$base:distribution-configuration/all" \
    --tag team=web --tag 'cost center=a=b' --tests off --metadata on --scan on --log-group /image/builder \
    --execution-role build-role \
    --image-workflow "$base:workflow/build/own/1.0.0/1,on-failure=abort,group=g1,param.Level=2,param.Mode=x,param.Level=3" \
    --image-workflow "$base:workflow/test/own/x.x.x"
is "everything" 0 "IB_CREATE OK - started $base:image/web/1.0.0/2"
equal "everything: distribution" "\"$base:distribution-configuration/all\"" "$(body distributionConfigurationArn)"
equal "everything: tags" '{"cost center": "a=b", "team": "web"}' "$(body tags)"
equal "everything: tests" '{"imageTestsEnabled": false}' "$(body imageTestsConfiguration)"
equal "everything: metadata" true "$(body enhancedImageMetadataEnabled)"
equal "everything: scan" '{"imageScanningEnabled": true}' "$(body imageScanningConfiguration)"
equal "everything: log group" '{"logGroupName": "/image/builder"}' "$(body loggingConfiguration)"
equal "everything: role" '"build-role"' "$(body executionRole)"
equal "everything: workflows" "[{\"onFailure\": \"ABORT\", \"parallelGroup\": \"g1\", \"parameters\": [{\"name\": \"Level\", \"value\": [\"2\", \"3\"]}, {\"name\": \"Mode\", \"value\": [\"x\"]}], \"workflowArn\": \"$base:workflow/build/own/1.0.0/1\"}, {\"workflowArn\": \"$base:workflow/test/own/x.x.x\"}]" \
    "$(body workflows)"
create --container-recipe "$base:container-recipe/app/1.0.0" --infrastructure "$infra" --scan on \
    --scan-repository app --scan-tag new --scan-tag scan --tests on
is "a container recipe" 0 "IB_CREATE OK - started $base:image/app/1.0.0/1"
equal "a container recipe: scan" '{"ecrConfiguration": {"containerTags": ["new", "scan"], "repositoryName": "app"}, "imageScanningEnabled": true}' \
    "$(body imageScanningConfiguration)"

# the same token gives the same build
create --recipe "$recipe" --infrastructure "$infra" --client-token my-token
one=$first
create --recipe "$recipe" --infrastructure "$infra" --client-token my-token
equal "the same token gives the same build" "$one" "$first"
create --recipe "$base:image-recipe/other/1.0.0" --infrastructure "$infra" --client-token my-token
is "the same token for another build" 2 'IB_CREATE CRITICAL - CreateImage: *IdempotentParameterMismatchException*'
ctl add-fault op=CreateImage kind=close times=1 apply=true >/dev/null
ctl clear-requests >/dev/null
create --recipe "$recipe" --infrastructure "$infra"
is "a lost answer" 0 'IB_CREATE OK - started *'
equal "a lost answer: asked twice with one token" "2 1" \
    "$(requests CreateImage) $(ctl requests CreateImage | sed -n 's/.*"client_token": "\([^"]*\)".*/\1/p' | sort -u | grep -c .)"
equal "a lost answer: one build" 1 "$(ctl images | grep -o 'image/web/1.0.0/4"' | sort -u | grep -c .)"

# --- a pipeline ---
ctl add-pipeline name=nightly image_name=nightly version=2.0.0 >/dev/null
create -p nightly --tag run=1
is "a pipeline by name" 0 "IB_CREATE OK - started $base:image/nightly/2.0.0/1"
equal "a pipeline by name: tags" '{"run": "1"}' "$(body tags StartImagePipelineExecution)"
create -p "$base:image-pipeline/nightly"
is "a pipeline by ARN" 0 "IB_CREATE OK - started $base:image/nightly/2.0.0/2"
create -p nope
is "a pipeline that is not there" 3 'IB_CREATE UNKNOWN - there is no pipeline nope'
create -p "$base:image-pipeline/nope"
is "a pipeline ARN that is not there" 2 'IB_CREATE CRITICAL - StartImagePipelineExecution: *ResourceNotFoundException*'

# --- waiting ---
ctl add-pipeline name=fine image_name=fine version=1.0.0 'script=[[0, "BUILDING"], [0.2, "TESTING"], [0.4, "AVAILABLE"]]' >/dev/null
create -p fine --wait --poll 50ms
is "waiting until it is AVAILABLE" 0 'IB_CREATE OK - fine 1.0.0/1 AVAILABLE after *'
like "waiting until it is AVAILABLE: its AMI" '*AMI ami-* in eu-central-1 *' "$out"
ctl add-pipeline name=bad image_name=bad version=1.0.0 'script=[[0, "BUILDING"], [0.2, "FAILED", "no | luck"]]' >/dev/null
create -p bad --wait --poll 50ms
is "waiting until it fails" 2 'IB_CREATE CRITICAL - bad 1.0.0/1 FAILED after *: no / luck'
create --recipe "$recipe" --infrastructure "$infra" --wait --wait-timeout 1s --poll 100ms
is "not ended in time" 1 'IB_CREATE WARNING - web 1.0.0/* still * after *'
ctl add-pipeline name=soon image_name=soon version=1.0.0 'script=[[0, "BUILDING"], [0.9, "AVAILABLE"]]' >/dev/null
create -p soon --wait --wait-timeout 1s --poll 1h
is "a poll longer than the time: the last look is at its end" 0 'IB_CREATE OK - soon 1.0.0/1 AVAILABLE after *'
create -p fine --wait --poll 50ms --output json
equal "JSON: status" AVAILABLE "$(json '["status"]')"
equal "JSON: ARN" "$base:image/fine/1.0.0/2" "$(json '["imageBuildVersionArn"]')"
ctl add-fault op=GetImage kind=error code=AccessDeniedException status=403 >/dev/null
create -p fine --wait --poll 50ms
is "started but not readable" 1 "IB_CREATE WARNING - started $base:image/fine/1.0.0/3, but it could not be read: *"
ctl clear-faults >/dev/null

# --- refusals and faults ---
fault() { # fault NAME RC TEXT FAULT...
    fault_name=$1
    code=$2
    text=$3
    shift 3
    ctl add-fault op=CreateImage "$@" >/dev/null
    create --recipe "$recipe" --infrastructure "$infra" -t 6s
    is "$fault_name" "$code" "IB_CREATE $text"
    ctl clear-faults >/dev/null
}
fault "no permission" 2 'CRITICAL - CreateImage: access denied*' kind=error code=AccessDeniedException status=403
fault "a quota" 2 'CRITICAL - CreateImage: *ServiceQuotaExceededException*' kind=error code=ServiceQuotaExceededException status=402
fault "a server error" 3 'UNKNOWN - *CreateImage: *' kind=error code=ServiceException status=500
fault "no answer" 3 'UNKNOWN - outcome unknown, the request may have arrived: *' kind=close
like "no answer: the token for another try is told" '*
token *: asking again with it starts nothing twice' "$out"
fault "an answer cut off" 3 'UNKNOWN - *' kind=cut-off
fault "an answer that is a page" 3 'UNKNOWN - *' kind=html status=200

# --- nothing is sent ---
ctl clear-requests >/dev/null
create --recipe "$recipe" --infrastructure "$infra" --tests off --client-token t --dry-run
is "a dry run" 0 "IB_CREATE OK - would send PUT /CreateImage {*\"imageTestsConfiguration\":{\"imageTestsEnabled\":false}*\"clientToken\":\"t\"}"
equal "a dry run: no request" 0 "$(requests)"
create -p "$base:image-pipeline/nightly" --client-token t --dry-run
is "a dry run of a pipeline" 0 'IB_CREATE OK - would send PUT /StartImagePipelineExecution {*'
equal "a dry run of a pipeline: no request" 0 "$(requests)"

bad() { # bad NAME PART ARGUMENT...
    bad_name=$1
    part=$2
    shift 2
    refused "$bad_name" "IB_CREATE UNKNOWN - *$part*" ib_create_action "$@"
}
bad "nothing to build" 'give --recipe, --container-recipe or --pipeline'
bad "a recipe without infrastructure" '--infrastructure is missing' --recipe "$recipe"
bad "two recipes" 'do not go together' --recipe "$recipe" --container-recipe "$base:container-recipe/a/1.0.0"
bad "a recipe and a pipeline" '--pipeline does not go together' -p x --recipe "$recipe" --infrastructure "$infra"
bad "a recipe that is no ARN" '--recipe' --recipe web --infrastructure "$infra"
bad "an infrastructure as recipe" 'of the kind image-recipe' --recipe "$infra" --infrastructure "$infra"
bad "two Regions" '--infrastructure: it is in us-east-1' --recipe "$recipe" \
    --infrastructure arn:aws:imagebuilder:us-east-1:123456789012:infrastructure-configuration/small
printf 'defaults: { region = "us-east-1"; };\n' >"$dir/region.conf"
create --recipe "$recipe" --infrastructure "$infra" --config "$dir/region.conf" --dry-run
is "a Region of the configuration gives way to that of the recipe" 0 'IB_CREATE OK - *'
create --recipe "$recipe" --infrastructure "$infra" -r us-east-1
is "--region does not" 3 'IB_CREATE UNKNOWN - *--region is us-east-1, but the ARN names region eu-central-1*'
bad "a tag without value" '"team" is not KEY=VALUE' -p x --tag team
bad "a tag without key" '"=web" is not KEY=VALUE' -p x --tag =web
bad "a tag of AWS" 'AWS'"'"'s own' -p x --tag aws:x=y
bad "a tag twice" 'team is given twice' -p x --tag team=a --tag team=b
bad "a token too long" '--client-token is longer than 64' -p x \
    --client-token 12345678901234567890123456789012345678901234567890123456789012345
bad "tests of a pipeline" '--tests goes with a recipe' -p x --tests off
bad "tests that are neither" '"maybe" is not on or off' --recipe "$recipe" --infrastructure "$infra" --tests maybe
bad "a workflow without role" '--image-workflow needs --execution-role' --recipe "$recipe" --infrastructure "$infra" \
    --image-workflow "$base:workflow/build/own/1.0.0/1"
bad "a workflow's setting that is none" '"speed=fast" is not on-failure' --recipe "$recipe" --infrastructure "$infra" \
    --image-workflow "$base:workflow/build/own/1.0.0/1,speed=fast" --execution-role r
bad "a repository without scan" '--scan-repository needs --scan on' --recipe "$recipe" --infrastructure "$infra" \
    --scan-repository app
bad "a document that is not there" 'none.yaml' --recipe "$recipe" --infrastructure "$infra" --workflow "$dir/none.yaml"
bad "an unknown option" 'unknown option --nope' -p x --nope
run_bare ib_create_action --help
equal "--help ends with 0" 0 "$rc"
like "--help: what -t means with --wait" '*-t holds until the build*' "$out"
equal "--help stays within 80 columns" "" "$(too_wide)"
equal "the stand-in's answers fit the model" "" "$(ctl problems)"
finish

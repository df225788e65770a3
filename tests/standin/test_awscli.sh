#!/bin/sh
# SPDX-License-Identifier: MIT
# The stand-in seen by the real AWS CLI.
# shellcheck disable=SC2016  # the queries are the CLI's, not the shell's
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/standin/start.sh"

aws_cli=${AWS_CLI:-/usr/bin/aws}
if ! "$aws_cli" --version >/dev/null 2>&1; then
    echo "1..0 # SKIP no AWS CLI at $aws_cli (Debian: awscli)"
    exit 0
fi

count=0
failed=0
# same NAME WANTED GOT: one TAP line.
same() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1"
        printf '%s\n' "wanted: $2" "got: $3" "stderr: $(cat "$standin_dir/err")" | sed 's/^/# /'
    fi
}

aws() {
    "$aws_cli" --endpoint-url "$standin_url" --no-cli-pager --output text "$@" 2>"$standin_dir/err"
}

# code: the error code in the CLI's message, or nothing.
code() {
    sed -n 's/.*An error occurred (\([A-Za-z]*\)) when calling the \([A-Za-z]*\) .*/\1 \2/p' \
        "$standin_dir/err"
}

standin_start --account 123456789012
standin_keys
HOME=$standin_dir
export HOME

echo 1..22
base=arn:aws:imagebuilder:eu-central-1:123456789012
arn=$(ctl add-image name=web-server version=1.4.2 build=7 dateCreated=2026-09-03T05:44:21.121Z \
    pipeline=web-server)
ctl add-pipeline name=web-server image_name=web-server version=1.4.2 >/dev/null

same "get-image shows state and date" "BUILDING	2026-09-03T05:44:21.121Z" \
    "$(aws imagebuilder get-image --image-build-version-arn "$arn" \
        --query 'image.[state.status,dateCreated]')"
aws imagebuilder get-image --image-build-version-arn "$base:image/web-server/9.9.9/1"
same "get-image of nothing is ResourceNotFound" "ResourceNotFoundException GetImage" "$(code)"

same "list-images shows the version" "$base:image/web-server/1.4.2" \
    "$(aws imagebuilder list-images --query 'imageVersionList[].arn')"
same "list-images --filters finds nothing by another name" "" \
    "$(aws imagebuilder list-images --filters name=name,values=other \
        --query 'imageVersionList[].arn')"
same "list-image-build-versions shows the build and its state" "$arn	BUILDING" \
    "$(aws imagebuilder list-image-build-versions \
        --image-version-arn "$base:image/web-server/1.4.2" \
        --query 'imageSummaryList[].[arn,state.status]')"
same "list-image-pipeline-images shows the pipeline's builds" "$arn" \
    "$(aws imagebuilder list-image-pipeline-images \
        --image-pipeline-arn "$base:image-pipeline/web-server" --query 'imageSummaryList[].arn')"
same "list-image-pipelines shows the pipeline" "web-server	ENABLED" \
    "$(aws imagebuilder list-image-pipelines --query 'imagePipelineList[].[name,status]')"
same "get-image-pipeline shows the recipe" "$base:image-recipe/web-server/1.4.2" \
    "$(aws imagebuilder get-image-pipeline \
        --image-pipeline-arn "$base:image-pipeline/web-server" \
        --query imagePipeline.imageRecipeArn)"

same "cancel-image-creation answers the ARN" "$arn" \
    "$(aws imagebuilder cancel-image-creation --image-build-version-arn "$arn" \
        --query imageBuildVersionArn)"
same "the cancel was counted once" "1 1" \
    "$(ctl cancels "$arn") $(ctl count CancelImageCreation --arn "$arn")"
states=
for _ in 1 2; do
    states="$states $(aws imagebuilder get-image --image-build-version-arn "$arn" \
        --query image.state.status)"
done
same "the cancel lands after the first read" " BUILDING CANCELLED" "$states"
aws imagebuilder cancel-image-creation --image-build-version-arn "$arn"
same "cancelling it again is refused" "InvalidParameterValueException CancelImageCreation" "$(code)"

made=$(aws imagebuilder create-image --client-token t1 --query imageBuildVersionArn \
    --image-recipe-arn "$base:image-recipe/web-server/1.4.2" \
    --infrastructure-configuration-arn "$base:infrastructure-configuration/small")
same "create-image makes the next build" "$base:image/web-server/1.4.2/8" "$made"
same "create-image with the same token gives the same build" "$made" \
    "$(aws imagebuilder create-image --client-token t1 --query imageBuildVersionArn \
        --image-recipe-arn "$base:image-recipe/web-server/1.4.2" \
        --infrastructure-configuration-arn "$base:infrastructure-configuration/small")"
same "start-image-pipeline-execution makes another one" "$base:image/web-server/1.4.2/9" \
    "$(aws imagebuilder start-image-pipeline-execution --query imageBuildVersionArn \
        --image-pipeline-arn "$base:image-pipeline/web-server")"

same "sts get-caller-identity" "123456789012	arn:aws:iam::123456789012:user/monitoring" \
    "$(aws sts get-caller-identity --query '[Account,Arn]')"
same "sts assume-role names the session" "arn:aws:sts::123456789012:assumed-role/mon/s1" \
    "$(aws sts assume-role --role-arn arn:aws:iam::123456789012:role/mon \
        --role-session-name s1 --query AssumedRoleUser.Arn)"

(AWS_SECRET_ACCESS_KEY=wrong && export AWS_SECRET_ACCESS_KEY && aws imagebuilder list-images)
same "a wrong secret is refused" "InvalidSignatureException ListImages" "$(code)"
(AWS_ACCESS_KEY_ID=AKIDOTHER && export AWS_ACCESS_KEY_ID && aws imagebuilder list-images)
same "an unknown key is refused" "UnrecognizedClientException ListImages" "$(code)"
ctl add-fault op=ListImages kind=error code=AccessDeniedException status=403 capital_message=true \
    message="not authorized" times=1 >/dev/null
aws imagebuilder list-images
same "a denial is seen as such" "AccessDeniedException ListImages" "$(code)"
same "every request but the wrong ones was signed well" "mismatch unknown-key" \
    "$(ctl requests | sed -n 's/.*"signature": "\([a-z-]*\)".*/\1/p' | grep -v '^ok$' |
        sort | tr '\n' ' ' | sed 's/ $//')"
same "no answer broke a model" "" "$(ctl problems)"
exit "$failed"

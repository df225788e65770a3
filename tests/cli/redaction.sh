#!/bin/sh
# SPDX-License-Identifier: MIT
# Every program as talkative as it gets, with credentials of every provider, in health and in failure:
# no secret is in any output, nor in any file but the private cache.
# shellcheck disable=SC2154
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
standin_start
cred_home
cred_env
role=arn:aws:iam::123456789012:role/mon
key_secret=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
state=$standin_dir/state
mkdir -m 700 "$state"
printf 'state_dir = "%s";\n' "$state" >"$standin_dir/c.conf"
all=$standin_dir/all
# Where a program might leave something.
TMPDIR=$standin_dir/tmp
export TMPDIR
mkdir "$TMPDIR" "$standin_dir/cwd"
cd "$standin_dir/cwd" || exit 99

# One secret per line; what is handed out at random is read from where it lies.
secrets=$standin_dir/secrets
secret_now() { # secret_now URL: what a metadata service hands out, over and over the same
    "${PYTHON:-/usr/bin/python3}" - "$@" <<'P'
import json, sys, urllib.request
headers = dict(a.split('=', 1) for a in sys.argv[2:])
answer = json.load(urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers=headers)))
print(answer['SecretAccessKey'])
print(answer['Token'])
P
}
cached() { # secrets in the cache
    "${PYTHON:-/usr/bin/python3}" - "$state/cache" <<'P'
import glob, json, sys
for name in glob.glob(sys.argv[1] + '/*.json'):
    entry = json.load(open(name))
    print(entry['SecretAccessKey'])
    print(entry['SessionToken'])
P
}

# talk PROGRAM-NAME…: all programs, all that they say
talk() {
    : >"$all"
    for verbose in -v -vvv; do
        "$abs_top_builddir/plugins/check_ib_image" -a "$arn" --config "$standin_dir/c.conf" $verbose "$@" >>"$all" 2>&1
        "$abs_top_builddir/plugins/ib_cancel_action" -a "$arn" -c 1d --dry-run --config "$standin_dir/c.conf" $verbose "$@" >>"$all" 2>&1
        "$abs_top_builddir/plugins/ib_workflow" run "$abs_top_srcdir/conf/workflows/cancel-running-image-build.arazzo.yaml" \
            --config "$standin_dir/c.conf" --from getImage --until getImage --given "createImage.imageBuildVersionArn=$arn" \
            --trace $verbose "$@" >>"$all" 2>&1
        "$abs_top_builddir/plugins/ib_create_action" --recipe "${arn%:*}:image-recipe/web/1.0.0" \
            --infrastructure "${arn%:*}:infrastructure-configuration/web" --client-token redaction \
            --config "$standin_dir/c.conf" $verbose "$@" >>"$all" 2>&1
        "$probe" $verbose --cache-dir "$state/cache" "$@" >>"$all" 2>&1
    done
    for program in "check_ib_image -a $arn" "ib_cancel_action -a $arn -c 1d" "ib_create_action -p web" \
        "ib_workflow run --from getImage --given createImage.imageBuildVersionArn=$arn"; do
        # shellcheck disable=SC2086 # words
        "$abs_top_builddir"/plugins/$program --config "$standin_dir/c.conf" --diagnose "$@" >>"$all" 2>&1
    done
    "$abs_top_builddir/plugins/check_ib_image" -a "$arn" --config "$standin_dir/c.conf" --output json -vvv "$@" >>"$all" 2>&1
}
# silent NAME WORKED: none of $secrets in what was said; WORKED: a word that shows that it did run
silent() {
    cached >>"$secrets"
    # The beginning of a secret is one too: a line may have been cut.
    cut -c 1-20 "$secrets" | awk 'length > 7' | sort -u >"$secrets.cut"
    cat "$secrets.cut" >>"$secrets"
    [ -s "$secrets" ] && ! grep -F -f "$secrets" "$all" >"$out" && grep -q "$2" "$all"
    tap "$1"
    : >"$out"
}

AWS_ENDPOINT_URL=$standin_url
export AWS_ENDPOINT_URL

echo "$key_secret" >"$secrets"
printf '%s\n' geheim-token-1 >>"$secrets"
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=$key_secret
talk
silent 'environment' 'web-server 1.4.2/7'
ctl credentials AKIDTOKEN geheim-secret-1 geheim-token-1 >/dev/null
echo geheim-secret-1 >>"$secrets"
AWS_ACCESS_KEY_ID=AKIDTOKEN AWS_SECRET_ACCESS_KEY=geheim-secret-1 AWS_SESSION_TOKEN=geheim-token-1 talk
silent 'environment with a session token' 'web-server 1.4.2/7'
AWS_SECRET_ACCESS_KEY=geheim-secret-1 talk
silent 'a wrong secret' 'UNKNOWN'
printf '%s\n' external-geheim >>"$secrets"
talk --role-arn "$role" --external-id external-geheim
silent 'a role with external id' 'web-server 1.4.2/7'
printf '%s\n' hunter2geheim >>"$secrets"
HTTP_PROXY=http://user:hunter2geheim@127.0.0.1:1 HTTPS_PROXY=http://user:hunter2geheim@127.0.0.1:1 \
    AWS_ENDPOINT_URL='' talk -t 2
silent 'a proxy with a password' 'UNKNOWN'
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

HTTPS_PROXY='' AWS_ENDPOINT_URL='' talk -t 2 --proxy http://user:hunter2geheim@127.0.0.1:1
silent 'a proxy with a password, as an option' 'UNKNOWN'
for with in --endpoint-url AWS_ENDPOINT_URL AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_CONTAINER_CREDENTIALS_FULL_URI endpoint_url; do
    url=http://user:hunter2geheim@127.0.0.1:1
    case $with in
    --*) talk -t 2 $with $url ;;
    AWS_ENDPOINT_URL) AWS_ENDPOINT_URL=$url talk -t 2 ;;
    AWS_EC2*) AWS_EC2_METADATA_DISABLED='' AWS_EC2_METADATA_SERVICE_ENDPOINT=$url talk -t 2 ;;
    AWS_CONT*) AWS_CONTAINER_CREDENTIALS_FULL_URI=user:hunter2geheim@127.0.0.1:1 talk -t 2 ;;
    *)
        printf '[default]\nendpoint_url=%s\n' $url >"$HOME/.aws/config"
        AWS_ENDPOINT_URL='' talk -t 2
        rm "$HOME/.aws/config"
        ;;
    esac
    silent "a password in the URL of $with" 'UNKNOWN'
done
printf '[default]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=%s\n' "$key_secret" >"$HOME/.aws/credentials"
talk
silent 'keys of a profile' 'web-server 1.4.2/7'
printf '[default]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key %s\n' "$key_secret" >"$HOME/.aws/credentials"
talk
silent 'a malformed file' 'credentials:3'
rm "$HOME/.aws/credentials"

printf '%s\n' jwt-geheim >>"$secrets"
echo jwt-geheim >"$HOME/token"
AWS_WEB_IDENTITY_TOKEN_FILE=$HOME/token AWS_ROLE_ARN=$role talk
silent 'web identity' 'web-server 1.4.2/7'
ctl add-fault op=AssumeRoleWithWebIdentity kind=http status=400 content_type=text/xml \
    body='<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no</Message></Error></ErrorResponse>' >/dev/null
rm -rf "$state/cache"
AWS_WEB_IDENTITY_TOKEN_FILE=$HOME/token AWS_ROLE_ARN=$role talk
silent 'web identity refused' 'InvalidIdentityToken'
ctl clear-faults >/dev/null

printf '%s\n' '[profile sso]' sso_session=mon sso_account_id=123456789012 sso_role_name=ImageBuilderMonitor \
    '[sso-session mon]' sso_region=eu-west-1 sso_start_url=https://start.example >"$HOME/.aws/config"
printf '{"accessToken":"old-geheim","expiresAt":"2020-01-01T00:00:00Z","clientId":"client-EXAMPLE","clientSecret":"secret-EXAMPLE","refreshToken":"aorEXAMPLE"}' \
    >"$HOME/.aws/sso/cache/$(sha1 mon).json"
printf '%s\n' old-geheim secret-EXAMPLE aorEXAMPLE >>"$secrets"
talk --profile sso
"${PYTHON:-/usr/bin/python3}" -c 'import json,sys; t=json.load(open(sys.argv[1])); print(t["accessToken"]); print(t["refreshToken"])' \
    "$HOME/.aws/sso/cache/$(sha1 mon).json" >>"$secrets"
silent 'SSO, renewed' 'web-server 1.4.2/7'

echo '{"accessToken":"late-geheim-token","expiresAt":"2020-01-01T00:00:00Z","clientId":"client-EXAMPLE","clientSecret":"secret-EXAMPLE","refreshToken":"used-up-geheim"}' \
    >"$HOME/.aws/sso/cache/$(sha1 mon).json"
printf '%s\n' late-geheim-token used-up-geheim >>"$secrets"
rm -rf "$state/cache"
talk --profile sso
silent 'SSO, not renewed' 'aws sso login'
echo '{"accessToken":"unknown-geheim","expiresAt":"2100-01-01T00:00:00Z"}' >"$HOME/.aws/sso/cache/$(sha1 mon).json"
echo unknown-geheim >>"$secrets"
talk --profile sso
silent 'SSO, refused' 'aws sso login'
printf '%s\n' '[default]' login_session=me >"$HOME/.aws/config"
login=$HOME/.aws/login/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json
printf '{"accessToken":{"accessKeyId":"AKIDTOKEN","secretAccessKey":"geheim-secret-1","sessionToken":"geheim-token-1","expiresAt":"2100-01-01T00:00:00Z"},"refreshToken":"login-geheim-refresh"}' >"$login"
echo login-geheim-refresh >>"$secrets"
talk
silent 'aws login' 'web-server 1.4.2/7'
printf '{"accessToken":{"accessKeyId":"AKIDTOKEN","secretAccessKey":"geheim-secret-1","sessionToken":"geheim-token-1","expiresAt":"2020' >"$login"
talk
silent 'aws login, cut off' 'UNKNOWN'

printf '[default]\ncredential_process = echo %s\n' \
    "'{\"Version\":1,\"AccessKeyId\":\"AKIDTOKEN\",\"SecretAccessKey\":\"geheim-secret-1\",\"SessionToken\":\"geheim-token-1\"}'" >"$HOME/.aws/config"
talk
silent 'a program' 'web-server 1.4.2/7'
printf '[default]\ncredential_process = echo %s\n' "'{\"Version\":1,\"SecretAccessKey\":\"geheim-secret-1\"'" >"$HOME/.aws/config"
talk
silent 'a program that answers badly' 'UNKNOWN'
rm "$HOME/.aws/config"

printf '%s\n' container-geheim >>"$secrets"
ctl set-services '{"container": {"token": "container-geheim"}}' >/dev/null
export AWS_CONTAINER_CREDENTIALS_FULL_URI="$standin_url/v1/credentials"
secret_now "$standin_url/v1/credentials" Authorization=container-geheim >>"$secrets"
AWS_CONTAINER_AUTHORIZATION_TOKEN=container-geheim talk
silent 'a container' 'web-server 1.4.2/7'
AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong-geheim talk
echo wrong-geheim >>"$secrets"
silent 'a container that refuses' 'UNKNOWN'
AWS_CONTAINER_CREDENTIALS_FULL_URI="$standin_url/v1/credentials?t=wrong-geheim" talk
silent 'a container that refuses, with a query' 'UNKNOWN'
unset AWS_CONTAINER_CREDENTIALS_FULL_URI

unset AWS_EC2_METADATA_DISABLED
ctl set-services '{"imds": {"v1": true}}' >/dev/null
secret_now "$standin_url/latest/meta-data/iam/security-credentials/ImageBuilderMonitor" >>"$secrets"
export AWS_EC2_METADATA_SERVICE_ENDPOINT="$standin_url" AWS_METADATA_SERVICE_TIMEOUT=20
talk
silent 'instance metadata' 'web-server 1.4.2/7'

# --- files -------------------------------------------------------------------------------------------------

# What the tests themselves wrote: the home directory, the stand-in's record, the lists of secrets.
[ -n "$(ls -A "$state")" ] && ! grep -r -l -F -f "$secrets" "$standin_dir" |
    grep -v -e "^$state/cache/" -e "^$HOME/" -e "^$standin_dir/requests.jsonl$" -e "^$secrets" -e "^$standin_dir/out$"
tap 'no secret in any file, the journal included, but in the cache'
[ -z "$(ls -A "$TMPDIR")" ] && [ -z "$(ls -A "$standin_dir/cwd")" ]
tap 'nothing is left where programs run, nor among temporary files'
[ -z "$(find "$state" ! -perm -0600 -o -perm /0077)" ]
tap 'nobody else can read the state directory'
[ "$(sort -u "$secrets" | wc -l)" -gt 20 ]
tap 'there were secrets to be found'

plan

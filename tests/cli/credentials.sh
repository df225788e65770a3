#!/bin/sh
# SPDX-License-Identifier: MIT
# Every provider end to end against the stand-in, and what everyday failures say.
# shellcheck disable=SC2154,SC2319
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
standin_start
cred_home
cred_env
me=$(id -u)
role=arn:aws:iam::123456789012:role/mon
secret=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
token_file=$HOME/.aws/sso/cache/$(sha1 mon).json

base() { # keys that the stand-in knows, in a profile
    printf '[base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = %s\n' "$secret" >"$HOME/.aws/credentials"
}
config() {
    printf '%s\n' "$@" >"$HOME/.aws/config"
    base
}
sso_config() {
    config '[profile sso]' sso_session=mon sso_account_id=123456789012 sso_role_name=ImageBuilderMonitor \
        '[sso-session mon]' sso_region=eu-west-1 sso_start_url=https://start.example
}
sso_token() { # sso_token ACCESS-TOKEN END [REFRESH-TOKEN]
    printf '{"accessToken":"%s","expiresAt":"%s","clientId":"client-EXAMPLE","clientSecret":"secret-EXAMPLE","refreshToken":"%s"}' \
        "$1" "$2" "${3:-}" >"$token_file"
}

# --- every provider ---------------------------------------------------------------------------------

AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=$secret run
says 0 'OK - environment (environment), access key AKID...MPLE, no token, until ever'
tap 'keys of the environment'

config '[default]' "role_arn=$role" source_profile=base
AWS_ENDPOINT_URL=$standin_url run -v
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role of the profile, by the keys of its source'
grep -q '^environment: passed over: AWS_ACCESS_KEY_ID is not set$' "$out" &&
    grep -q '^profile keys: answered: profile "base" in .*, access key ...MPLE$' "$out"
tap 'the trail says who was passed over and who answered'

ctl set-services '{"roles": {"'$role'": {"external_id": "ext-1"}}}' >/dev/null
config '[default]' "role_arn=$role" source_profile=base external_id=ext-1 duration_seconds=900
AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role with external id and duration'
ctl set-services '{"roles": {}}' >/dev/null

config '[default]' "role_arn=${role}2" source_profile=middle '[profile middle]' "role_arn=$role" source_profile=base
ctl clear-requests
AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - assume role (role ${role}2), access key ASIA..." && [ "$(ctl count AssumeRole)" = 2 ]
tap 'a chain of roles'

base
AWS_ENDPOINT_URL=$standin_url run --profile base --role-arn "$role" --external-id ext-1
begins 0 "OK - assume role (role $role), access key ASIA..."
tap '--role-arn on top of a profile'

echo jwt-geheim >"$HOME/token"
config '[default]' "role_arn=$role" "web_identity_token_file=$HOME/token"
AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - web identity (role $role by web identity), access key ASIA..."
tap 'web identity by profile'
rm "$HOME/.aws/config"
AWS_ENDPOINT_URL=$standin_url AWS_WEB_IDENTITY_TOKEN_FILE=$HOME/token AWS_ROLE_ARN=$role run
begins 0 "OK - web identity (role $role by web identity), access key ASIA..."
tap 'web identity by environment'

sso_config
sso_token aoaEXAMPLE 2100-01-01T00:00:00Z
AWS_ENDPOINT_URL=$standin_url run --profile sso
begins 0 'OK - SSO (SSO role ImageBuilderMonitor in account 123456789012), access key ASIA...'
tap 'SSO with a good token'
sso_token aoaEXPIRED 2020-01-01T00:00:00Z aorEXAMPLE
AWS_ENDPOINT_URL=$standin_url run --profile sso
begins 0 'OK - SSO (SSO role ImageBuilderMonitor in account 123456789012), access key ASIA...'
tap 'SSO with a token that is renewed'
AWS_ENDPOINT_URL=$standin_url run --profile sso
begins 0 'OK - SSO' && [ "$(ctl count CreateToken --status any)" = 1 ] &&
    [ "$(stat -c %a "$token_file")" = 600 ]
tap 'the renewed token was written back, private, and serves the next run'
config '[profile old]' sso_account_id=123456789012 sso_role_name=ImageBuilderMonitor sso_region=eu-west-1 \
    sso_start_url=https://old.example
echo '{"accessToken":"aoaEXAMPLE","expiresAt":"2100-01-01T00:00:00Z"}' \
    >"$HOME/.aws/sso/cache/$(sha1 https://old.example).json"
AWS_ENDPOINT_URL=$standin_url run --profile old
begins 0 'OK - SSO'
tap 'SSO in its old form'

config '[default]' login_session=me
echo '{"accessToken":{"accessKeyId":"ASIALOGIN0001","secretAccessKey":"geheim","sessionToken":"geheim","expiresAt":"2100-01-01T00:00:00Z"}}' \
    >"$HOME/.aws/login/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json"
run
says 0 'OK - aws login (aws login session of profile "default"), access key ASIA...0001, token, until 2100-01-01T00:00:00Z'
tap 'a session of aws login'

printf '#!/bin/sh\n[ "$1" = "a b" ] || exit 9\necho %s\n' \
    "'{\"Version\":1,\"AccessKeyId\":\"ASIAPROC0001\",\"SecretAccessKey\":\"geheim\",\"SessionToken\":\"geheim\"}'" >"$HOME/give me"
chmod 755 "$HOME/give me"
config '[default]' "credential_process = \"$HOME/give me\" 'a b'"
run
says 0 'OK - credential_process (credential_process of profile "default"), access key ASIA...0001, token, until ever'
tap 'a program, quoted as a shell would'
config '[default]' "role_arn=$role" source_profile=proc '[profile proc]' "credential_process = cat $HOME/p.json"
printf '{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"%s"}' "$secret" >"$HOME/p.json"
AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role by a program of its source profile'
rm "$HOME/.aws/config" "$HOME/.aws/credentials"

AWS_CONTAINER_CREDENTIALS_FULL_URI=$standin_url/v1/credentials run
begins 0 "OK - container (container credentials at $standin_url/v1/credentials), access key ASIA..."
tap 'a container'
ctl set-services '{"container": {"token": "Bearer geheim"}}' >/dev/null
echo 'Bearer geheim' >"$HOME/token"
AWS_CONTAINER_CREDENTIALS_FULL_URI=$standin_url/v1/credentials \
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$HOME/token run
begins 0 'OK - container'
tap 'a container with a token file'

unset AWS_EC2_METADATA_DISABLED
AWS_EC2_METADATA_SERVICE_ENDPOINT=$standin_url
AWS_METADATA_SERVICE_TIMEOUT=20 # a second, as it is else, may be too short on a busy machine
export AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_METADATA_SERVICE_TIMEOUT
run
begins 0 'OK - instance metadata (role ImageBuilderMonitor of this EC2 instance), access key ASIA...'
tap 'instance metadata'
ctl set-services '{"imds": {"v1": true}}' >/dev/null
ctl add-fault op=ImdsToken kind=http status=404 body= >/dev/null
run
begins 0 'OK - instance metadata'
tap 'instance metadata of version 1'
AWS_EC2_METADATA_V1_DISABLED=true run
begins 3 "UNKNOWN - instance metadata at $standin_url: no token (HTTP status 404), and AWS_EC2_METADATA_V1_DISABLED forbids"
tap 'instance metadata of version 1, forbidden'
ctl clear-faults >/dev/null
ctl set-services '{"imds": {"v1": false}}' >/dev/null
env -u AWS_REGION "$probe" --find-region >"$out"
[ "$(cat "$out")" = 'IB_CRED OK - region eu-central-1 (instance metadata)' ]
tap 'the region of the instance'
config '[default]' "role_arn=$role" credential_source=Ec2InstanceMetadata
AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role by the credentials of the instance'

config '[default]' "role_arn=$role" credential_source=EcsContainer
AWS_CONTAINER_CREDENTIALS_FULL_URI=$standin_url/v1/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$HOME/token \
    AWS_ENDPOINT_URL=$standin_url run
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role by the credentials of the container'
config '[default]' "role_arn=$role" credential_source=Environment
AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=$secret AWS_ENDPOINT_URL=$standin_url run --profile default
begins 0 "OK - assume role (role $role), access key ASIA..."
tap 'a role by the keys of the environment'
config '[profile keys]' region=eu-west-1
printf '[keys]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = %s\n' "$secret" >"$HOME/.aws/credentials"
run --profile keys
says 0 "OK - profile keys (profile \"keys\" in $HOME/.aws/credentials), access key AKID...MPLE, no token, until ever"
tap 'keys of the credentials file'
AWS_ACCESS_KEY_ID=AKIDOTHER AWS_SECRET_ACCESS_KEY=other run --profile keys
begins 0 'OK - profile keys'
tap '--profile skips the keys of the environment'
AWS_ACCESS_KEY_ID=AKIDOTHER AWS_SECRET_ACCESS_KEY=other AWS_PROFILE=keys run
begins 0 'OK - environment'
tap 'AWS_PROFILE does not'

# --- proxies ------------------------------------------------------------------------------------------

base
rm "$HOME/.aws/config"
HTTP_PROXY=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 run
begins 0 'OK - instance metadata'
tap 'no proxy for metadata'

# --- kept on disk -----------------------------------------------------------------------------------------

config '[default]' "role_arn=$role" source_profile=base
ctl clear-requests
i=0
while [ $i -lt 50 ]; do
    AWS_ENDPOINT_URL=$standin_url "$probe" -t 300 --cache-dir "$standin_dir/cache" >"$standin_dir/p$i" 2>&1 &
    pids="${pids:-} $!"
    i=$((i + 1))
done
for pid in $pids; do
    wait "$pid"
done
[ "$(cat "$standin_dir"/p[0-9]* | grep -c '^IB_CRED OK - assume role')" = 50 ] &&
    [ "$(ctl count AssumeRole)" = 1 ]
tap 'fifty processes at once call STS once'
sso_config
sso_token aoaEXPIRED 2020-01-01T00:00:00Z aorEXAMPLE
ctl reset >/dev/null
i=0 pids=
while [ $i -lt 30 ]; do
    AWS_ENDPOINT_URL=$standin_url "$probe" -t 300 --profile sso --cache-dir "$standin_dir/cache" >"$standin_dir/s$i" 2>&1 &
    pids="$pids $!"
    i=$((i + 1))
done
for pid in $pids; do
    wait "$pid"
done
[ "$(cat "$standin_dir"/s[0-9]* | grep -c '^IB_CRED OK - SSO')" = 30 ] &&
    [ "$(ctl count CreateToken --status any)" = 1 ] && [ "$(ctl count GetRoleCredentials --status any)" = 1 ]
tap 'thirty processes at once renew an SSO session once: its refresh token serves once'
config '[default]' "role_arn=$role" source_profile=base
AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache" --fresh
ctl clear-requests >/dev/null
[ "$(stat -c %a "$standin_dir/cache")" = 700 ] &&
    [ -z "$(find "$standin_dir/cache" -type f ! -perm 0600)" ]
tap 'the cache is private'
! find "$standin_dir/cache" -printf "%f\n" | grep -q -i -e AKID -e mon
tap 'names in the cache tell nothing'
AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache" --fresh
begins 0 "OK - assume role (role $role), access key" && [ "$(ctl count AssumeRole)" = 1 ]
tap 'credentials that AWS called expired are asked for anew'
chmod 755 "$standin_dir/cache"
AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache" -v
begins 0 'OK - assume role' && grep -q "^cache: passed over: the directory $standin_dir/cache is open to others" "$out"
tap 'a cache that others can enter is not used, and that is said'

chmod 700 "$standin_dir/cache"
ln -s "$standin_dir/cache" "$standin_dir/linked"
AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/linked" -v
begins 0 'OK - assume role' && grep -q "^cache: passed over: .*$standin_dir/linked" "$out"
tap 'a symbolic link is not taken for the cache'
ctl clear-requests >/dev/null
for entry in "$standin_dir"/cache/*.json; do
    ln "$entry" "$entry.other"
done
AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache"
begins 0 'OK - assume role' && [ "$(ctl count AssumeRole)" = 1 ]
tap 'an entry that has another name elsewhere is replaced, not used'
if [ "$me" = 0 ]; then
    chown 65534 "$standin_dir"/cache/*.json
    AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache"
    begins 0 'OK - assume role' && [ "$(ctl count AssumeRole)" = 2 ]
    tap 'an entry of another owner is replaced, not used'
    chown 65534 "$standin_dir/cache"
    AWS_ENDPOINT_URL=$standin_url run --cache-dir "$standin_dir/cache" -v
    begins 0 'OK - assume role' && grep -q "^cache: passed over: .*$standin_dir/cache" "$out" && [ "$(ctl count AssumeRole)" = 3 ]
    tap 'a directory of another owner is not used'
else
    skip 'an entry of another owner is replaced, not used' 'needs root'
    skip 'a directory of another owner is not used' 'needs root'
fi

# --- in the middle of a run ----------------------------------------------------------------------------------

arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=60)
mkdir -m 700 "$standin_dir/state"
printf 'state_dir = "%s/state";\n' "$standin_dir" >"$standin_dir/c.conf"
check() {
    AWS_ENDPOINT_URL=$standin_url "$abs_top_builddir/plugins/check_ib_image" --config "$standin_dir/c.conf" \
        -a "$arn" -c 90m >"$out" 2>&1
    code=$?
}
ctl clear-requests >/dev/null
check
[ "$code" = 0 ] && check && [ "$code" = 0 ] && [ "$(ctl count AssumeRole)" = 1 ]
tap 'two checks, one call to STS'
ctl expire-credentials >/dev/null
check
[ "$code" = 0 ] && [ "$(ctl count AssumeRole)" = 2 ] && [ "$(ctl count GetImage --status 403)" = 1 ]
tap 'credentials that expire early are renewed once, and the check goes on'
check
[ "$code" = 0 ] && [ "$(ctl count AssumeRole)" = 2 ]
tap 'the new ones serve the next check'
ctl add-fault op=GetImage kind=error code=ExpiredTokenException status=403 message='The security token included in the request is expired' >/dev/null
check
[ "$code" = 3 ] && [ "$(ctl count AssumeRole)" = 3 ] && head -n 1 "$out" | grep -q 'ExpiredTokenException'
tap 'credentials that AWS calls expired again and again are not asked for without end'
ctl clear-faults >/dev/null

# --- everyday failures ------------------------------------------------------------------------------------

cred_env
rm -f "$HOME"/.aws/config "$HOME"/.aws/credentials
run
says 3 "UNKNOWN - no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; profile: none named \"default\" in $HOME/.aws/config (missing), $HOME/.aws/credentials (missing); web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set; instance metadata: switched off by AWS_EC2_METADATA_DISABLED"
tap 'says: no credentials anywhere'

AWS_ACCESS_KEY_ID=AKIDEXAMPLE run
says 3 'UNKNOWN - environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not'
tap 'says: half-set keys in the environment'
config '[default]' aws_access_key_id=AKIDEXAMPLE
run
says 3 'UNKNOWN - profile "default" has aws_access_key_id but no aws_secret_access_key'
tap 'says: half-set keys in a profile'
run --profile mon
says 3 "UNKNOWN - profile \"mon\" (--profile) does not exist; looked in $HOME/.aws/config, $HOME/.aws/credentials"
tap 'says: no such profile'
printf 'region = x\n' >"$HOME/.aws/config"
run
begins 3 "UNKNOWN - $HOME/.aws/config:1: "
tap 'says: malformed file, with its line'

config '[default]' "role_arn=$role" source_profile=base mfa_serial=arn:aws:iam::123456789012:mfa/me
run
says 3 "UNKNOWN - profile \"default\": role $role demands MFA (mfa_serial), and nobody is here to type a code; give monitoring a role that trusts it without"
tap 'says: MFA'

sso_config
rm -f "$token_file"
run --profile sso
begins 3 "UNKNOWN - profile \"sso\": no SSO token ($token_file" && case $first in *"; run as user id $me: aws sso login --profile sso") ;; *) false ;; esac
tap 'says: never logged in to SSO'
sso_token x 2020-01-01T00:00:00Z
run --profile sso
says 3 "UNKNOWN - profile \"sso\": the SSO session expired at 2020-01-01T00:00:00Z; run as user id $me: aws sso login --profile sso"
tap 'says: SSO session expired'
sso_token x 2020-01-01T00:00:00Z used-up
AWS_ENDPOINT_URL=$standin_url run --profile sso
says 3 "UNKNOWN - profile \"sso\": the SSO session expired at 2020-01-01T00:00:00Z and was not renewed: SSO OIDC refused to renew it with HTTP status 400; run as user id $me: aws sso login --profile sso"
tap 'says: SSO session expired and not renewed'
sso_token unknown 2100-01-01T00:00:00Z
AWS_ENDPOINT_URL=$standin_url run --profile sso
says 3 "UNKNOWN - profile \"sso\": SSO no longer knows the session; run as user id $me: aws sso login --profile sso"
tap 'says: SSO session revoked'
config '[profile sso]' sso_session=mon sso_account_id=123456789012 sso_role_name=Other \
    '[sso-session mon]' sso_region=eu-west-1 sso_start_url=https://start.example
sso_token aoaEXAMPLE 2100-01-01T00:00:00Z
AWS_ENDPOINT_URL=$standin_url run --profile sso
says 3 'UNKNOWN - profile "sso": SSO gives no credentials of role Other in account 123456789012: HTTP status 403, No access'
tap 'says: SSO role not given'

config '[default]' "role_arn=$role" source_profile=base
ctl set-services '{"roles": {"'$role'": {"assumable": false}}}' >/dev/null
AWS_ENDPOINT_URL=$standin_url run
begins 3 "UNKNOWN - role $role (profile \"default\", by profile keys): AssumeRole"
tap 'says: role not assumable'
grep -q 'sts:AssumeRole' "$out"
tap 'says: which permission a role that is not assumable needs'
ctl set-services '{"roles": {}}' >/dev/null
printf '[base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wrong-geheim\n' >"$HOME/.aws/credentials"
AWS_ENDPOINT_URL=$standin_url run
begins 3 "UNKNOWN - role $role (profile \"default\", by profile keys): AssumeRole: SignatureDoesNotMatch"
tap 'says: wrong secret'
base
config '[default]' "role_arn=$role" "web_identity_token_file=$HOME/token"
echo jwt-geheim >"$HOME/token"
ctl set-services '{"web_identity": {"expired": true}}' >/dev/null
AWS_ENDPOINT_URL=$standin_url run
begins 3 "UNKNOWN - role $role (profile \"default\", token of $HOME/token): AssumeRoleWithWebIdentity: ExpiredTokenException: Token expired"
tap 'says: web identity token expired'
ctl set-services '{"web_identity": {"expired": false}}' >/dev/null

config '[default]' "role_arn=$role" source_profile=base
ctl set-clock-skew 3600 >/dev/null
AWS_ENDPOINT_URL=$standin_url run -v
begins 0 'OK - assume role' && grep -q '^clock: passed over: this host says .*, STS says .*: signed by the clock of STS$' "$out"
tap 'a clock that is off is corrected, and both times are said'
ctl set-clock-skew 0 >/dev/null

AWS_ENDPOINT_URL_STS=https://sts.nowhere.invalid AWS_MAX_ATTEMPTS=1 run
begins 3 "UNKNOWN - role $role (profile \"default\", by profile keys): AssumeRole: " && grep -q 'sts.nowhere.invalid' "$out"
tap 'says: name not found'
AWS_ENDPOINT_URL_STS=http://127.0.0.1:1 AWS_MAX_ATTEMPTS=1 run
begins 3 "UNKNOWN - role $role (profile \"default\", by profile keys): AssumeRole: " && grep -q '127.0.0.1' "$out"
tap 'says: connection refused'
ctl add-fault op=AssumeRole kind=html status=403 >/dev/null
AWS_ENDPOINT_URL=$standin_url AWS_MAX_ATTEMPTS=1 run
begins 3 "UNKNOWN - role $role (profile \"default\", by profile keys): AssumeRole: " && grep -q '403' "$out"
tap 'says: a proxy answers with a page'
ctl clear-faults >/dev/null

unset AWS_EC2_METADATA_DISABLED
rm -f "$HOME"/.aws/config "$HOME"/.aws/credentials
export AWS_EC2_METADATA_SERVICE_ENDPOINT="$standin_url"
ctl add-fault op=ImdsToken kind=silent >/dev/null
run
says 3 "UNKNOWN - instance metadata at $standin_url: it demands a token, and its answer to the request for one never came: in a container the hop limit of 1 ends it; allow 2 with: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2"
tap 'says: hop limit'
ctl clear-faults >/dev/null
ctl set-services '{"imds": {"code": "AssumeRoleUnauthorizedAccess", "message": "EC2 cannot assume the role ImageBuilderMonitor"}}' >/dev/null
run
says 3 'UNKNOWN - instance metadata has no credentials of role ImageBuilderMonitor: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role ImageBuilderMonitor'
tap 'says: the instance cannot have its role'
ctl set-services '{"imds": {"code": "Success", "role": ""}}' >/dev/null
run
begins 3 'UNKNOWN - no AWS credentials: ' && case $first in *'; instance metadata: no IAM role is attached to this EC2 instance') ;; *) false ;; esac
tap 'says: no role attached'
cred_env

AWS_CONTAINER_CREDENTIALS_FULL_URI=http://metadata.example/c run
says 3 'UNKNOWN - AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http is allowed to loopback and to the hosts of ECS and EKS only, not to metadata.example'
tap 'says: container URL in plain http'
ctl set-services '{"container": {"token": "Bearer geheim"}}' >/dev/null
AWS_CONTAINER_CREDENTIALS_FULL_URI=$standin_url/v1/credentials run
says 3 "UNKNOWN - container credentials at $standin_url/v1/credentials: HTTP status 401 AuthorizationFailed: The authorization token is missing or wrong."
tap 'says: container token missing'

config '[default]' "credential_process = $HOME/missing"
run
begins 3 'UNKNOWN - credential_process of profile "default": '
tap 'says: no such program'
# gone PID: it has ended (or waits to be reaped by whoever has it now), within ten seconds
gone() {
    for _ in $(seq 100); do
        grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}
config '[default]' "credential_process = /bin/sh -c 'echo \$\$ >$HOME/child.new; mv $HOME/child.new $HOME/child; sleep 60; :'"
rm -f "$HOME/child"
"$abs_top_builddir/plugins/check_ib_image" -A -r eu-central-1 -t 50 >"$out" 2>&1 &
stopped=$!
for _ in $(seq 200); do
    [ -s "$HOME/child" ] && break
    sleep 0.1
done
kill -TERM "$stopped"
wait "$stopped"
[ $? -gt 128 ] && [ -s "$HOME/child" ] && gone "$(cat "$HOME/child")"
tap 'SIGTERM to a check leaves no program of credentials behind'
config '[default]' "credential_process = /bin/sh -c 'echo geheim expired >&2; exit 4'"
run
says 3 'UNKNOWN - credential_process of profile "default": it ended with exit status 4: geheim expired'
tap 'says: program failed, in its own words'
config '[default]' 'credential_process = sleep 60'
run -t 1
says 3 'UNKNOWN - credential_process of profile "default": sleep did not end in time and was killed'
tap 'a program that hangs is killed at the deadline'
config '[default]' 'credential_process = cat /dev/zero'
run -t 60
says 3 'UNKNOWN - credential_process of profile "default": cat: its output is larger than 65536 bytes'
tap 'a program that writes without end is stopped'
config '[default]' "credential_process = touch $HOME/ran"
chmod 664 "$HOME/.aws/config"
run
says 3 "UNKNOWN - profile \"default\": credential_process is not run: $HOME/.aws/config may be written by others (mode 0664): chmod go-w it" && [ ! -e "$HOME/ran" ]
tap 'a program named in a file that others may write is not run'

# --- a daemon's life ----------------------------------------------------------------------------------------

base
rm -f "$HOME/.aws/config"
env -u HOME "$probe" --profile base >"$out" 2>&1
first=$(head -n 1 "$out")
case $first in
*'profile "base" (--profile) does not exist; looked in /'*/.aws/config*) ;;
*"(HOME is not set and user id $me has no home directory)"*) ! getent passwd "$me" >/dev/null ;;
*) false ;;
esac
tap 'without HOME the home of the password database is looked into'
if [ "$me" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$probe"; then
    chmod 700 "$standin_dir"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$probe" >"$out" 2>&1
    grep -q "profile: none named \"default\" in $HOME/.aws/config (may not be read by user id 65534)" "$out"
    tap 'says: HOME of somebody else, with the user id'
    AWS_SHARED_CREDENTIALS_FILE=$HOME/.aws/credentials \
        setpriv --reuid 65534 --regid 65534 --clear-groups "$probe" >"$out" 2>&1
    [ "$(head -n 1 "$out")" = "IB_CRED UNKNOWN - $HOME/.aws/credentials (named by AWS_SHARED_CREDENTIALS_FILE) may not be read by user id 65534" ]
    tap 'says: named file not readable by the user of the daemon'
elif [ "$me" != 0 ]; then
    chmod 000 "$HOME/.aws/credentials"
    run --profile base
    grep -q "$HOME/.aws/credentials (may not be read by user id $me)" "$out"
    tap 'says: HOME of somebody else, with the user id'
    AWS_SHARED_CREDENTIALS_FILE=$HOME/.aws/credentials run
    says 3 "UNKNOWN - $HOME/.aws/credentials (named by AWS_SHARED_CREDENTIALS_FILE) may not be read by user id $me"
    tap 'says: named file not readable by the user of the daemon'
else
    skip 'files of another user' 'no setpriv, or the build directory is closed to others'
fi

plan

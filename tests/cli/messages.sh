#!/bin/sh
# SPDX-License-Identifier: MIT
# What check_ib_image and ib_cancel_action say when AWS, the network or the way to it is at fault, and that
# README.md tells the same: each sentence of its tables is printed here. More about credentials: credentials.sh.
# shellcheck disable=SC2154
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
standin_start
cred_home
standin_keys
unset AWS_CA_BUNDLE REQUESTS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
AWS_MAX_ATTEMPTS=1
export AWS_MAX_ATTEMPTS

# The sentences of README.md's tables, as patterns: "..." is any text.
sed -n '/^## When it does not work/,/^## [^W]/s/^| `\([^`]*\)` |.*/\1/p' "$abs_top_srcdir/README.md" >"$standin_dir/sentences"
sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g' "$standin_dir/sentences" >"$standin_dir/patterns"
# known NAME: one of them is in what was just printed
known() {
    known_any=1
    while IFS= read -r pattern; do
        # shellcheck disable=SC2254
        case $(cat "$out") in
        *$pattern*)
            printf '%s\n' "$pattern" >>"$standin_dir/printed"
            known_any=0
            ;;
        esac
    done <"$standin_dir/patterns"
    [ $known_any = 0 ]
    tap "README.md: $1"
}
# fails NAME CODE PROGRAM ARGUMENT…: exit code, and README.md has what is said
fails() {
    name=$1 want=$2 program=$3
    shift 3
    "$abs_top_builddir/plugins/$program" "$@" >"$out" 2>&1
    [ $? = "$want" ]
    tap "$name: exit code $want"
    known "$name"
}

# says NAME TEXT [ENDPOINT]: the check ends with 3, and its line about the build is this ('*': any text)
says() {
    "$abs_top_builddir/plugins/check_ib_image" -a "$arn" -c 90m -t "${limit:-60}" --endpoint-url "${3:-$standin_url}" >"$out" 2>&1
    code=$?
    line=$(sed -n 2p "$out")
    # shellcheck disable=SC2254
    case $line in
    "[UNKNOWN] build $arn: "$2) [ "$code" = 3 ] ;;
    *) false ;;
    esac
    tap "$1"
    [ "${readme:-yes}" = no ] || known "$1"
    ctl clear-faults >/dev/null
}
fault() { # fault CODE STATUS MESSAGE
    ctl add-fault op=GetImage kind=error code="$1" status="$2" message="$3" >/dev/null
}

ctl add-fault op=GetImage kind=error code=AccessDeniedException status=403 capital_message=true \
    message="User: arn:aws:iam::123456789012:user/mon is not authorized to perform: imagebuilder:GetImage on resource: $arn" >/dev/null
says 'may not read, with the action' \
    "GetImage: access denied, the permission imagebuilder:GetImage is needed: User: arn:aws:iam::123456789012:user/mon is not authorized to perform: imagebuilder:GetImage on resource: $arn"
fault ForbiddenException 403 ''
says 'may not read, without a word of AWS' 'GetImage: access denied, the permission imagebuilder:GetImage is needed'

ctl add-fault op=CancelImageCreation kind=error code=AccessDeniedException status=403 \
    message="User: arn:aws:iam::123456789012:user/mon is not authorized to perform: imagebuilder:CancelImageCreation on resource: $arn" >/dev/null
"$abs_top_builddir/plugins/ib_cancel_action" --no-journal -a "$arn" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
code=$?
first=$(head -n 1 "$out")
case $first in
"IB_CANCEL CRITICAL - web-server 1.4.2/7 it may be read but not cancelled: CancelImageCreation: access denied, the permission imagebuilder:CancelImageCreation is needed: User: "*) [ "$code" = 2 ] ;;
*) false ;;
esac
tap 'may read but not cancel, with the action'
known 'may read but not cancel'
ctl clear-faults >/dev/null

fault UnrecognizedClientException 403 'The security token included in the request is invalid.'
says 'a key that AWS does not know, or a Region that is not enabled' \
    'GetImage: UnrecognizedClientException: The security token included in the request is invalid. (AWS does not know the access key in this Region: deleted, mistyped, without its session token, or the Region is not enabled for the account)'
fault OptInRequired 403 'You are not subscribed to this service'
says 'a Region that is not enabled' \
    'GetImage: OptInRequired: You are not subscribed to this service (the Region is not enabled for this account)'
fault ExpiredTokenException 403 'The security token included in the request is expired'
says 'an expired token' \
    'after 2 tries: GetImage: ExpiredTokenException: The security token included in the request is expired (the credentials have expired: renew them (aws sso login, aws login, a new session))'
AWS_SECRET_ACCESS_KEY=wrong says 'a wrong secret' \
    'GetImage: InvalidSignatureException: *(the secret key does not fit the access key, or something on the way changed the request)'
ctl set-clock-skew 3600 >/dev/null
"$abs_top_builddir/plugins/check_ib_image" -a "$arn" --endpoint-url "$standin_url" -vv >"$out" 2>&1
known 'a clock that is off'
grep -q '^\* the clock of this machine says .*, AWS says .*: signed again with AWS.s time; check the time service of this machine$' "$out"
tap 'a clock that is off: corrected, and both times are said'

# AWS an hour ahead of us, then an hour behind: ages are told by AWS's clock.
ctl remove-image "$arn" >/dev/null
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
"$abs_top_builddir/plugins/check_ib_image" -a "$arn" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 2 ] && head -n 1 "$out" | grep -q 'BUILDING for 2h 1[23]m (critical 1h 30m)'
tap 'with a clock that is behind, a stuck build is seen'
ctl set-clock-skew -7200 >/dev/null
young=$(ctl add-image name=young version=1.0.0 build=1 age_s=600)
"$abs_top_builddir/plugins/check_ib_image" -a "$young" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 0 ] && head -n 1 "$out" | grep -q 'BUILDING for \(9\|10\)m'
tap 'with a clock that is ahead, a young build is not stuck'
"$abs_top_builddir/plugins/ib_cancel_action" --no-journal -a "$young" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 0 ] && [ "$(ctl cancels "$young")" = 0 ] && [ "$(ctl count CancelImageCreation --status any)" = 1 ]
tap 'and is not cancelled'
ctl set-clock-skew 0 >/dev/null

# A Date header that is wrong, from a proxy say, while our clock is right: it changes no age.
early=$(ctl add-image name=early version=1.0.0 build=1 age_s=300)
ctl add-fault op=GetImage kind=date-skew skew_s=10800 >/dev/null
"$abs_top_builddir/plugins/check_ib_image" -a "$early" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 0 ] && head -n 1 "$out" | grep -q 'BUILDING for [56]m'
tap 'a Date three hours ahead makes no young build stuck'
"$abs_top_builddir/plugins/ib_cancel_action" --no-journal -a "$early" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 0 ] && [ "$(ctl cancels "$early")" = 0 ]
tap 'and cancels none'
ctl clear-faults >/dev/null
ctl add-fault op=GetImage kind=date-skew skew_s=-10800 >/dev/null
"$abs_top_builddir/plugins/check_ib_image" -a "$arn" -c 90m --endpoint-url "$standin_url" >"$out" 2>&1
[ $? = 2 ] && head -n 1 "$out" | grep -q 'BUILDING for 2h 1[2-9]m (critical 1h 30m)'
tap 'a Date three hours behind hides no stuck build'
ctl clear-faults >/dev/null

ctl add-fault op=GetImage kind=html status=503 >/dev/null
says 'a page of a proxy in place of an error' \
    'GetImage: HTTP 503 with a web page instead of an answer of AWS: a proxy or load balancer on the way'
ctl add-fault op=GetImage kind=html status=200 >/dev/null
says 'a page of a proxy in place of an answer' \
    'answer to GetImage: HTTP 200 with text/html instead of JSON: a proxy or load balancer on the way?'
HTTPS_PROXY=http://127.0.0.1:1 says 'a proxy that is not there' \
    'GetImage: imagebuilder.nowhere.invalid:443 through the proxy 127.0.0.1:1 (HTTPS_PROXY): cannot connect: Connection refused' \
    https://imagebuilder.nowhere.invalid
says 'a name that DNS does not know' \
    'GetImage: imagebuilder.nowhere.invalid:443: no such host (DNS): check the Region, and the name servers of this machine' \
    https://imagebuilder.nowhere.invalid
says 'nobody at the endpoint' 'GetImage: 127.0.0.1:1: cannot connect: Connection refused' http://127.0.0.1:1
ctl add-fault op=GetImage kind=silent >/dev/null
limit=3 says 'an endpoint that is silent' 'GetImage: *'

if command -v openssl >/dev/null 2>&1; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$standin_dir/key.pem" -out "$standin_dir/cert.pem" -days 2 \
        -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    "${PYTHON:-/usr/bin/python3}" "$standin_home/standin.py" --port-file "$standin_dir/tls" --die-with-parent \
        --tls-cert "$standin_dir/cert.pem" --tls-key "$standin_dir/key.pem" 2>/dev/null &
    tls=$!
    tries=0
    until [ -s "$standin_dir/tls" ] || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    tls_url=https://127.0.0.1:$(cat "$standin_dir/tls")
    says 'a certificate that is not trusted, with the CAs that were' \
        'GetImage: 127.0.0.1:*: certificate not trusted: * (CAs from /*); behind a proxy that inspects TLS, name its CA with --ca-bundle or AWS_CA_BUNDLE' "$tls_url"
    AWS_CA_BUNDLE=$standin_dir/key.pem says 'a bundle without a CA' \
        "GetImage: the trusted CAs in $standin_dir/key.pem (AWS_CA_BUNDLE) cannot be read: *" "$tls_url"
    AWS_CA_BUNDLE=$standin_dir/cert.pem readme=no says 'a certificate that the bundle trusts leads to AWS' \
        "GetImage: ResourceNotFoundException: The resource with ARN $arn does not exist." "$tls_url"
    kill $tls
    wait $tls 2>/dev/null
else
    skip 'certificates' 'no openssl'
fi
AWS_CA_BUNDLE=$standin_dir/missing.pem "$abs_top_builddir/plugins/check_ib_image" -a "$arn" --endpoint-url "$standin_url" >"$out" 2>&1
[ "$?:$(cat "$out")" = "3:IB_IMAGE UNKNOWN - AWS_CA_BUNDLE: CA bundle $standin_dir/missing.pem cannot be read by this user: No such file or directory" ]
tap 'a bundle that is not there'
known 'a bundle that is not there'

# --- the others of README.md: the way to credentials -------------------------------------------------------

ctl reset >/dev/null
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_MAX_ATTEMPTS
AWS_ENDPOINT_URL=$standin_url
export AWS_ENDPOINT_URL
config() { # config LINE…
    printf '%s\n' "$@" >"$HOME/.aws/config"
}
fails 'no credentials' 3 check_ib_image -a "$arn"
AWS_ACCESS_KEY_ID=AKIDEXAMPLE fails 'half a key' 3 check_ib_image -a "$arn"
fails 'no such profile' 3 check_ib_image -a "$arn" --profile mon
config '[default]' role_arn=arn:aws:iam::123456789012:role/mon source_profile=base mfa_serial=arn:aws:iam::123456789012:mfa/me \
    '[profile base]' aws_access_key_id=AKIDEXAMPLE aws_secret_access_key=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
fails 'MFA' 3 check_ib_image -a "$arn"
config '[default]' sso_session=mon sso_account_id=123456789012 sso_role_name=Mon \
    '[sso-session mon]' sso_region=eu-west-1 sso_start_url=https://start.example
printf '{"accessToken":"x","expiresAt":"2020-01-01T00:00:00Z"}' >"$HOME/.aws/sso/cache/$(sha1 mon).json"
fails 'SSO expired' 3 check_ib_image -a "$arn"
config '[default]' 'credential_process = true'
chmod 666 "$HOME/.aws/config"
fails 'a program named where others may write' 3 check_ib_image -a "$arn"
rm "$HOME/.aws/config"
ctl add-fault op=ImdsToken kind=silent >/dev/null
AWS_EC2_METADATA_DISABLED='' AWS_EC2_METADATA_SERVICE_ENDPOINT=$standin_url fails 'hop limit' 3 check_ib_image -a "$arn"
ctl clear-faults >/dev/null
ctl set-services '{"imds": {"role": ""}}' >/dev/null
AWS_EC2_METADATA_DISABLED='' AWS_EC2_METADATA_SERVICE_ENDPOINT=$standin_url AWS_METADATA_SERVICE_TIMEOUT=20 \
    fails 'no role attached' 3 check_ib_image -a "$arn"
standin_keys
ctl set-services '{"roles": {"arn:aws:iam::123456789012:role/other": {"assumable": false}}}' >/dev/null
fails 'a role that may not be assumed' 3 check_ib_image -a "$arn" --role-arn arn:aws:iam::123456789012:role/other
env -u AWS_REGION -u AWS_DEFAULT_REGION "$abs_top_builddir/plugins/check_ib_image" -A >"$out" 2>&1
known 'no Region'
fails 'two Regions' 3 check_ib_image -a "$arn" -r us-east-1
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 54321 --clear-groups test -x "$abs_top_builddir/plugins/check_ib_image"; then
    as_other() {
        setpriv --reuid 54321 --regid 54321 --clear-groups "$@" >"$out" 2>&1
    }
    chmod 700 "$standin_dir"
    as_other env -u HOME "$abs_top_builddir/plugins/check_ib_image" -a "$arn"
    known 'no HOME'
    as_other "$abs_top_builddir/plugins/check_ib_image" -a "$arn"
    known 'HOME of somebody else'
    as_other env AWS_SHARED_CREDENTIALS_FILE="$HOME/.aws/credentials" "$abs_top_builddir/plugins/check_ib_image" -a "$arn"
    known 'a named file that may not be read'
else
    # The same sentences, told by the modules: test_profile.
    skip 'no HOME' 'needs root, setpriv, and a build directory that others can enter'
    grep -e '^HOME is not set' -e 'may not be read by user id' "$standin_dir/patterns" >>"$standin_dir/printed"
fi

# --- and what the programs say of builds and events ---------------------------------------------------------

standin_keys
fails 'no such pipeline' 3 check_ib_image -p nope
fails 'a target without a configuration' 3 check_ib_image -T web
fails 'SOFT' 0 ib_cancel_action -a "$arn" -c 90m --state CRITICAL --state-type SOFT
fails 'another node' 0 ib_cancel_action -a "$arn" -c 90m --state CRITICAL --state-type HARD --check-source a --node b
ctl add-pipeline name=web >/dev/null
ctl set-image "$arn" pipeline=web >/dev/null
fails 'a cancel that nobody allowed' 2 ib_cancel_action --no-journal -p web -c 90m
fails 'a build outside of the list' 2 ib_cancel_action --no-journal -a "$arn" -c 90m --allow 'arn:aws:imagebuilder:*:*:image/other/*'
ctl set-image "$arn" 'on_cancel="never"' >/dev/null
fails 'not confirmed' 1 ib_cancel_action --no-journal -a "$arn" -c 90m --confirm-timeout 1s
lost=$(ctl add-image name=lost age_s=7980)
ctl add-fault op=CancelImageCreation kind=reset >/dev/null
AWS_MAX_ATTEMPTS=1 fails 'no answer' 1 ib_cancel_action --no-journal -a "$lost" -c 90m --confirm-timeout 1s
ctl clear-faults >/dev/null
ctl add-fault op=CancelImageCreation kind=error code=AccessDeniedException status=403 >/dev/null
event='--state CRITICAL --state-type HARD'
# shellcheck disable=SC2086
"$abs_top_builddir/plugins/ib_cancel_action" --state-dir "$standin_dir/state" -a "$lost" -c 90m $event >"$out" 2>&1
# shellcheck disable=SC2086
fails 'refused before' 2 ib_cancel_action --state-dir "$standin_dir/state" -a "$lost" -c 90m $event
ctl clear-faults >/dev/null

sort -u "$standin_dir/patterns" >"$standin_dir/patterns.sorted"
sort -u "$standin_dir/printed" | comm -23 "$standin_dir/patterns.sorted" - >"$out"
[ ! -s "$out" ] && [ "$(wc -l <"$standin_dir/patterns.sorted")" -gt 30 ]
tap 'README.md promises no sentence that no program prints'

plan

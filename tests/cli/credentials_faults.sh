#!/bin/sh
# SPDX-License-Identifier: MIT
# Every place that hands out credentials misbehaves in every way: each run ends within its timeout
# and a second, with exit code 3 and one clear line, or with credentials that are good.
# shellcheck disable=SC2154
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
timeout_s=2
role=arn:aws:iam::123456789012:role/mon
secret=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY

# Each operation has a stand-in and a home of its own, so that all can misbehave at the same time.
world() {
    standin_dir=
    standin_start
    cred_home
    cred_env
    token_file=$HOME/.aws/sso/cache/$(sha1 mon).json
    printf '[base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = %s\n' "$secret" \
        >"$HOME/.aws/credentials"
    printf '%s\n' '[profile role]' "role_arn=$role" source_profile=base \
        '[profile web]' "role_arn=$role" "web_identity_token_file=$HOME/token" \
        '[profile sso]' sso_session=mon sso_account_id=123456789012 sso_role_name=ImageBuilderMonitor \
        '[sso-session mon]' sso_region=eu-west-1 sso_start_url=https://start.example >"$HOME/.aws/config"
    echo jwt >"$HOME/token"
}

sso_token() { # sso_token ACCESS-TOKEN END
    printf '{"accessToken":"%s","expiresAt":"%s","clientId":"client-EXAMPLE","clientSecret":"secret-EXAMPLE","refreshToken":"aorEXAMPLE"}' \
        "$1" "$2" >"$token_file"
}

# ask OPERATION [URL]: a run that must call this operation
ask() {
    url=${2:-$standin_url}
    case $1 in
    AssumeRole) AWS_ENDPOINT_URL=$url run -t $timeout_s --profile role ;;
    AssumeRoleWithWebIdentity) AWS_ENDPOINT_URL=$url run -t $timeout_s --profile web ;;
    GetRoleCredentials)
        sso_token aoaEXAMPLE 2100-01-01T00:00:00Z
        AWS_ENDPOINT_URL=$url run -t $timeout_s --profile sso
        ;;
    CreateToken)
        sso_token old 2020-01-01T00:00:00Z
        AWS_ENDPOINT_URL=$url run -t $timeout_s --profile sso
        ;;
    ContainerCredentials) AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/v1/credentials run -t $timeout_s ;;
    Imds*)
        AWS_EC2_METADATA_DISABLED='' AWS_EC2_METADATA_SERVICE_ENDPOINT=$url run -t $timeout_s
        ;;
    esac
}

# Ended in time, in one clear line, without a secret?
sound() { # sound WANTED-CODE
    [ "$millis" -lt $(((timeout_s + 1) * 1000)) ] || {
        echo "# took $millis ms"
        return 1
    }
    case $code:$first in
    "$1:IB_CRED OK - "* | "$1:IB_CRED UNKNOWN - "?*) ;;
    *)
        echo "# got $code: $first"
        return 1
        ;;
    esac
    [ "$(wc -l <"$out")" = 1 ] && ! grep -q -e "$secret" -e geheim -e aoaEXAMPLE -e aorEXAMPLE "$out"
}

fault() { # fault OPERATION WANTED-CODE NAME KEY=VALUE…
    op=$1 want=$2 name=$3
    shift 3
    ctl add-fault op="$op" "$@" >/dev/null || {
        echo "Bail out! the stand-in knows no fault $*"
        exit 99
    }
    ask "$op"
    sound "$want"
    tap "$op: $name"
    ctl clear-faults >/dev/null
    ctl reset >/dev/null
}

bodies() { # bodies OPERATION: answers of the right form with wrong content
    case $1 in
    AssumeRole | AssumeRoleWithWebIdentity)
        for date in 2001-01-01T00:00:00Z 2026-13-45T00:00:00Z yesterday; do
            fault "$1" 3 "expiration $date" kind=http status=200 content_type=text/xml \
                body="<${1}Response><${1}Result><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey><SessionToken>geheim</SessionToken><Expiration>$date</Expiration></Credentials></${1}Result></${1}Response>"
        done
        fault "$1" 0 'expiration in a thousand years' kind=http status=200 content_type=text/xml \
            body="<${1}Response><${1}Result><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey><SessionToken>geheim</SessionToken><Expiration>3026-01-01T00:00:00Z</Expiration></Credentials></${1}Result></${1}Response>"
        fault "$1" 3 'entities that grow' kind=http status=200 content_type=text/xml \
            body='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><AssumeRoleResponse>&c;</AssumeRoleResponse>'
        ;;
    ContainerCredentials)
        for date in 2001-01-01T00:00:00Z 2026-13-45T00:00:00Z yesterday; do
            fault "$1" 3 "expiration $date" kind=http status=200 content_type=application/json \
                body="{\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"geheim\",\"Token\":\"geheim\",\"Expiration\":\"$date\"}"
        done
        fault "$1" 0 'expiration in a thousand years' kind=http status=200 content_type=application/json \
            body='{"AccessKeyId":"ASIAX","SecretAccessKey":"geheim","Token":"geheim","Expiration":"3026-01-01T00:00:00Z"}'
        ;;
    GetRoleCredentials)
        fault "$1" 3 'expiration in the past' kind=http status=200 content_type=application/json \
            body='{"roleCredentials":{"accessKeyId":"ASIAX","secretAccessKey":"geheim","sessionToken":"geheim","expiration":1000}}'
        fault "$1" 3 'expiration below zero' kind=http status=200 content_type=application/json \
            body='{"roleCredentials":{"accessKeyId":"ASIAX","secretAccessKey":"geheim","sessionToken":"geheim","expiration":-1}}'
        ;;
    ImdsRole)
        fault "$1" 3 'no expiration' kind=http status=200 content_type=application/json \
            body='{"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":"geheim","Token":"geheim"}'
        ;;
    esac
}

faults() { # faults OPERATION
    ask "$1" http://127.0.0.1:1
    sound 3
    tap "$1: connection refused"
    fault "$1" 3 'silent' kind=silent
    fault "$1" 3 'one byte at a time' kind=slow-drip interval_s=0.3
    fault "$1" 3 'reset' kind=reset
    fault "$1" 3 'closed without an answer' kind=close
    fault "$1" 3 'cut off' kind=cut-off keep=5
    fault "$1" 3 '100 MB' kind=huge bytes=104857600
    fault "$1" 3 'redirect' kind=redirect status=302 "location=$standin_url/elsewhere"
    fault "$1" 3 'status 500' kind=http status=500 body=oops
    fault "$1" 3 'status 503' kind=http status=503 body=
    fault "$1" 3 'throttled' kind=http status=429 body=
    fault "$1" 3 'bytes that are not HTTP' kind=garbage
    fault "$1" 3 'a page' kind=html status=200
    fault "$1" 3 'nothing' kind=empty-body
    fault "$1" 3 'JSON 20,000 deep' kind=deep-json depth=20000
    fault "$1" 3 'NUL bytes' kind=nul
    bodies "$1"
    case $1 in
    AssumeRole | GetRoleCredentials | ContainerCredentials | ImdsRole)
        # Metadata services send JSON as text/plain, so the content type decides nothing.
        fault "$1" 0 'another content type' kind=wrong-content-type
        ;;
    esac
}

results=$(mktemp -d) || exit 99
trap 'rm -rf "$results"' EXIT
pids=
ops='AssumeRole AssumeRoleWithWebIdentity GetRoleCredentials CreateToken ContainerCredentials ImdsToken ImdsRoleList ImdsRole'
for op in $ops; do
    (
        world
        faults "$op"
    ) >"$results/$op" 2>&1 &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || echo "not ok - a part ended early"
done
for op in $ops; do
    cat "$results/$op"
done | awk '/^(not )?ok / { n++; sub(/ok [0-9]+/, "ok " n) } { print } END { print "1.." n }'

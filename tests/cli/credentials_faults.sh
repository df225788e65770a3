#!/bin/sh
# SPDX-License-Identifier: MIT
# Every place that hands out credentials misbehaves in every way, and Image Builder itself with them: each
# run ends within its timeout and a second, with exit code 3 and one clear line, or with what is good.
# shellcheck disable=SC2034,SC2154
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
timeout_s=2
# A program ends itself half a second behind its timeout (lib/plugin/start.c); how long a busy machine takes to start
# it, and to start date(1), is no part of that. IB_LOAD_MARGIN_MS=0 demands the second exactly.
load_margin_ms=${IB_LOAD_MARGIN_MS:-20000}
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

# ask OPERATION [URL]: a run that must call this operation. One that is to succeed has all the time that it needs.
ask() {
    url=${2:-$standin_url}
    give_s=$timeout_s
    [ "${want:-3}" = 3 ] || give_s=60
    case $1 in
    AssumeRole) AWS_ENDPOINT_URL=$url run -t $give_s --profile role ;;
    AssumeRoleWithWebIdentity) AWS_ENDPOINT_URL=$url run -t $give_s --profile web ;;
    GetImage)
        AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=$secret AWS_ENDPOINT_URL=$url probe=$abs_top_builddir/plugins/check_ib_image \
            run -t $give_s -a "$arn" -c 1d
        # One line for the scheduler, and one for the build that it is about.
        first=$(sed -n '1s/^IB_IMAGE/IB_CRED/;1s/ | .*//;1p' "$out")
        printf '%s\n' "$first" >"$out"
        ;;
    GetRoleCredentials)
        sso_token aoaEXAMPLE 2100-01-01T00:00:00Z
        AWS_ENDPOINT_URL=$url run -t $give_s --profile sso
        ;;
    CreateToken)
        sso_token old 2020-01-01T00:00:00Z
        AWS_ENDPOINT_URL=$url run -t $give_s --profile sso
        ;;
    ContainerCredentials) AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/v1/credentials run -t $give_s ;;
    Imds*)
        imds_s=1
        [ $give_s = $timeout_s ] || imds_s=$give_s
        AWS_EC2_METADATA_DISABLED='' AWS_EC2_METADATA_SERVICE_ENDPOINT=$url AWS_METADATA_SERVICE_TIMEOUT=$imds_s run -t $give_s
        ;;
    esac
}

# Ended in time, in one clear line, without a secret?
sound() { # sound WANTED-CODE
    [ "$1" != 3 ] || [ "$millis" -lt $(((timeout_s + 1) * 1000 + load_margin_ms)) ] || {
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
    [ "$(wc -l <"$out")" = 1 ] && ! LC_ALL=C grep -q "[[:cntrl:]]" "$out" &&
        ! grep -q -e "$secret" -e geheim -e aoaEXAMPLE -e aorEXAMPLE "$out"
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
    ctl reset >/dev/null # faults too
    [ "$op" != GetImage ] || image
}
image() {
    arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=60)
}

# Answers of the right form with wrong content. "body" has an END and an ID to be filled in.
body_of() { # body_of OPERATION END ID
    case $1 in
    Assume*)
        echo "<${1}Response><${1}Result><Credentials><AccessKeyId>$3</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey><SessionToken>geheim</SessionToken><Expiration>$2</Expiration></Credentials></${1}Result></${1}Response>"
        ;;
    GetRoleCredentials)
        echo "{\"roleCredentials\":{\"accessKeyId\":\"$3\",\"secretAccessKey\":\"geheim\",\"sessionToken\":\"geheim\",\"expiration\":$2}}"
        ;;
    CreateToken) echo "{\"accessToken\":\"$3\",\"refreshToken\":\"aorEXAMPLE\",\"expiresIn\":$2}" ;;
    *) echo "{\"Code\":\"Success\",\"AccessKeyId\":\"$3\",\"SecretAccessKey\":\"geheim\",\"Token\":\"geheim\",\"Expiration\":\"$2\"}" ;;
    esac
}
content() { # content OPERATION WANTED-CODE NAME END ID
    case $1 in
    Assume*) type=text/xml ;;
    *) type=application/json ;;
    esac
    fault "$1" "$2" "$3" kind=http status=200 content_type=$type body="$(body_of "$1" "$4" "$5")"
}

bodies() { # bodies OPERATION
    case $1 in
    AssumeRole | AssumeRoleWithWebIdentity | ContainerCredentials)
        content "$1" 3 'expired long ago' 2001-01-01T00:00:00Z ASIAX
        content "$1" 3 'a date that is none' 2026-13-45T00:00:00Z ASIAX
        content "$1" 3 'a word for a date' yesterday ASIAX
        content "$1" 0 'good for a thousand years' 3026-01-01T00:00:00Z ASIAX
        ;;
    ImdsRole)
        # EC2 hands out expired ones during an outage, and services take them.
        content "$1" 0 'expired long ago' 2001-01-01T00:00:00Z ASIAX
        content "$1" 3 'a date that is none' 2026-13-45T00:00:00Z ASIAX
        content "$1" 3 'a word for a date' yesterday ASIAX
        content "$1" 0 'good for a thousand years' 3026-01-01T00:00:00Z ASIAX
        fault "$1" 3 'no expiration' kind=http status=200 content_type=application/json \
            body='{"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":"geheim","Token":"geheim"}'
        ;;
    GetRoleCredentials)
        content "$1" 3 'expired long ago' 1000 ASIAX
        content "$1" 3 'expiration below zero' -1 ASIAX
        content "$1" 3 'a word for a date' '"yesterday"' ASIAX
        content "$1" 3 'expiration beyond all numbers' 1e300 ASIAX
        content "$1" 0 'good for a thousand years' 33324134400000 ASIAX
        ;;
    CreateToken)
        content "$1" 3 'a life below zero' -1 aoaNEW
        content "$1" 3 'a word for a life' '"soon"' aoaNEW
        content "$1" 3 'a life beyond all numbers' 1e300 aoaNEW
        ;;
    esac
    case $1 in
    AssumeRole | AssumeRoleWithWebIdentity)
        fault "$1" 3 'entities that grow' kind=http status=200 content_type=text/xml \
            body='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><AssumeRoleResponse>&c;</AssumeRoleResponse>'
        fault "$1" 3 'XML 20,000 deep' kind=http status=200 content_type=text/xml \
            body="$(awk 'BEGIN { for (i = 0; i < 20000; i++) printf "<a>" }')"
        content "$1" 3 'a line end in the key' 3026-01-01T00:00:00Z 'ASIA&#13;&#10;X-Evil: geheim'
        content "$1" 3 'a NUL byte in the key' 3026-01-01T00:00:00Z 'ASIA&#0;geheim'
        ;;
    ContainerCredentials | ImdsRole)
        content "$1" 3 'a line end in the key' 3026-01-01T00:00:00Z 'ASIA\r\nX-Evil: geheim'
        content "$1" 3 'a NUL byte in the key' 3026-01-01T00:00:00Z 'ASIA\u0000geheim'
        ;;
    GetRoleCredentials)
        content "$1" 3 'a line end in the key' 33324134400000 'ASIA\r\nX-Evil: geheim'
        content "$1" 3 'a NUL byte in the key' 33324134400000 'ASIA\u0000geheim'
        ;;
    CreateToken)
        content "$1" 3 'a line end in the token' 3600 'aoa\r\nX-Evil: geheim'
        content "$1" 3 'a NUL byte in the token' 3600 'aoa\u0000geheim'
        ;;
    ImdsToken | ImdsRoleList)
        fault "$1" 3 'a line end in the text' kind=http status=200 content_type=text/plain body='a
X-Evil: geheim'
        ;;
    esac
}

faults() { # faults OPERATION
    want=3
    image
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
    for status in 500 502 503 504; do
        fault "$1" 3 "status $status" kind=http status=$status body=oops
    done
    fault "$1" 3 'throttled' kind=http status=429 body=
    fault "$1" 3 'bytes that are not HTTP' kind=garbage
    fault "$1" 3 'a page' kind=html status=200
    fault "$1" 3 'nothing' kind=empty-body
    fault "$1" 3 'JSON 20,000 deep' kind=deep-json depth=20000
    fault "$1" 3 'NUL bytes' kind=nul
    bodies "$1"
    if [ "$1" = GetImage ]; then
        fault "$1" 3 'another content type' kind=wrong-content-type
    else
        # Metadata services send JSON as text/plain, so the content type decides nothing.
        fault "$1" 0 'another content type' kind=wrong-content-type
    fi
}

# --- a program -------------------------------------------------------------------------------------------

# given WANTED-CODE NAME COMMAND: the command is run by sh as credential_process
given() {
    want=$1
    printf '%s\n' "$3" >"$HOME/give"
    ask_program
    sound "$1"
    tap "credential_process: $2"
}
ask_program() {
    give_s=$timeout_s
    [ "$want" = 3 ] || give_s=60
    run -t $give_s --profile proc
}
process() {
    printf '[profile proc]\ncredential_process = sh %s/give\n' "$HOME" >"$HOME/.aws/config"
    json='{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"geheim","SessionToken":"geheim"'
    given 0 'a good answer' "echo '$json}'"
    given 3 'no such program' 'exec /nonexistent/program'
    given 3 'silent' 'exec sleep 60'
    given 3 'one byte at a time' "while :; do printf ' '; sleep 0.3; done"
    given 3 'killed by a signal' 'kill -9 $$'
    given 3 'ended without an answer' 'exit 0'
    given 3 'ended with a failure' "echo '$json}'; exit 1"
    given 3 'cut off' "printf %s '$json'"
    given 3 '100 MB' 'head -c 104857600 /dev/zero | tr "\000" a'
    given 3 '100 MB of complaints, then silence' 'head -c 104857600 /dev/zero >&2; exec sleep 60'
    given 3 'a page' 'echo "<html><body>502</body></html>"'
    given 3 'garbage' 'head -c 4096 /dev/urandom'
    given 3 'JSON 20,000 deep' "awk 'BEGIN { for (i = 0; i < 20000; i++) printf \"[\" }'"
    given 3 'NUL bytes' "printf '{\"Version\":1,\"AccessKeyId\":\"AS\\000IA\",\"SecretAccessKey\":\"geheim\"}'"
    given 3 'a NUL byte in the key' "printf '%s' '{\"Version\":1,\"AccessKeyId\":\"AS\\u0000IA\",\"SecretAccessKey\":\"geheim\"}'"
    given 3 'a line end in the key' "printf '%s' '{\"Version\":1,\"AccessKeyId\":\"AS\\r\\nX-Evil: geheim\",\"SecretAccessKey\":\"geheim\"}'"
    given 3 'another version' "echo '{\"Version\":2,\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"geheim\"}'"
    given 3 'expired long ago' "echo '$json,\"Expiration\":\"2001-01-01T00:00:00Z\"}'"
    given 3 'a date that is none' "echo '$json,\"Expiration\":\"2026-13-45T00:00:00Z\"}'"
    given 3 'a word for a date' "echo '$json,\"Expiration\":\"yesterday\"}'"
    given 0 'good for a thousand years' "echo '$json,\"Expiration\":\"3026-01-01T00:00:00Z\"}'"
    given 3 'a child that keeps the pipe open' 'sleep 60 & sleep 60'
    given 3 'a program that cannot be told to stop' "trap '' TERM INT HUP; while :; do sleep 1; done"
}

# --- files -----------------------------------------------------------------------------------------------

# spoil FILE: each way in which it may be spoilt, for a run of ask_file
spoilt() { # spoilt WHAT PATH JSON: JSON: it holds JSON with secrets
    what=$1 path=$2
    spoil_it() { # spoil_it WANTED-CODE NAME COMMAND…: the command writes the file
        want=$1 name=$2
        shift 2
        rm -rf "$path"
        "$@" >"$path" 2>/dev/null
        ask_file "$what"
        sound "$want"
        tap "$what: $name"
    }
    in_its_place() { # in_its_place NAME COMMAND…: the command makes something that is no file
        want=3 name=$1
        shift
        rm -rf "$path"
        "$@" "$path"
        ask_file "$what"
        sound 3
        tap "$what: $name"
        rm -rf "$path"
    }
    in_its_place 'a directory' mkdir
    in_its_place 'a FIFO that nobody writes' mkfifo
    in_its_place 'a link to itself' sh -c 'ln -s "$1" "$1"' sh
    in_its_place 'a device that never ends' ln -s /dev/zero
    spoil_it 3 'not there' rm "$path"
    spoil_it 3 'empty' true
    spoil_it 3 '100 MB' sh -c 'head -c 104857600 /dev/zero | tr "\000" a'
    spoil_it 3 'garbage' head -c 4096 /dev/urandom
    spoil_it 3 'NUL bytes' printf 'a\000geheim\000'
    [ "$3" = JSON ] || return 0
    spoil_it 3 'a page' echo '<html><body>502</body></html>'
    spoil_it 3 'cut off' printf '{"accessToken":"aoaEXAMPLE","expiresAt":'
    spoil_it 3 'JSON 20,000 deep' awk 'BEGIN { for (i = 0; i < 20000; i++) printf "[" }'
}
ask_file() {
    give_s=$timeout_s
    [ "$want" = 3 ] || give_s=60
    case $1 in
    'SSO token file') AWS_ENDPOINT_URL=$standin_url run -t $give_s --profile sso ;;
    'aws login file') run -t $give_s --profile login ;;
    'web identity token file') AWS_ENDPOINT_URL=$standin_url run -t $give_s --profile web ;;
    'container token file')
        AWS_CONTAINER_CREDENTIALS_FULL_URI=$standin_url/v1/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$path run -t $give_s
        ;;
    'config file') AWS_CONFIG_FILE=$path run -t $give_s --profile nobody ;;
    'credentials file') AWS_SHARED_CREDENTIALS_FILE=$path run -t $give_s --profile nobody ;;
    esac
}
files() {
    ctl set-services '{"container": {"token": "Bearer right"}}' >/dev/null
    printf '%s\n' '[profile login]' login_session=me >>"$HOME/.aws/config"
    spoilt 'SSO token file' "$token_file" JSON
    for end in 2026-13-45T00:00:00Z yesterday; do
        want=3
        sso_token aoaEXAMPLE "$end"
        ask_file 'SSO token file'
        sound 3
        tap "SSO token file: the date $end"
    done
    spoilt 'aws login file' "$HOME/.aws/login/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json" JSON
    spoilt 'web identity token file' "$HOME/token" text
    spoilt 'container token file' "$HOME/container-token" text
    spoilt 'config file' "$HOME/other-config" text
    spoilt 'credentials file' "$HOME/other-credentials" text
}

results=$(mktemp -d) || exit 99
trap 'rm -rf "$results"' EXIT
pids=
ops='AssumeRole AssumeRoleWithWebIdentity GetRoleCredentials CreateToken ContainerCredentials ImdsToken ImdsRoleList ImdsRole GetImage'
parts="$ops process files"
for op in $parts; do
    (
        world
        case $op in
        process | files) $op ;;
        *) faults "$op" ;;
        esac
    ) >"$results/$op" 2>&1 &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || echo "not ok - a part ended early"
done
for op in $parts; do
    cat "$results/$op"
done | awk '/^(not )?ok / { n++; sub(/ok [0-9]+/, "ok " n) } { print } END { print "1.." n }'

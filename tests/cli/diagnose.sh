#!/bin/sh
# SPDX-License-Identifier: MIT
# --diagnose of each program: every setting with who said so, and permissions asked for without
# changing anything.
# shellcheck disable=SC2154
. "$abs_top_srcdir/tests/cli/cred_tap.sh"
standin_start
cred_home
standin_keys
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
probe_arn=${arn%/*}/999999999

# shows PROGRAM WANTED-CODE PREFIX ARGUMENT…: exit code and state of the first line
shows() {
    program=$1 want=$2 prefix=$3
    shift 3
    "$abs_top_builddir/plugins/$program" "$@" --diagnose --endpoint-url "$standin_url" >"$out" 2>&1
    code=$?
    first=$(head -n 1 "$out")
    case $first in
    "$prefix"*) [ "$code" = "$want" ] ;;
    *) false ;;
    esac || {
        echo "# wanted $want, $prefix ..."
        echo "# got    $code, $first"
        : >"$out" # so that no line of it is found either
        false
    }
}
has() { # has LINE: a line of the output, '*' for any text
    while IFS= read -r line; do
        # shellcheck disable=SC2254
        case $line in
        $1) return 0 ;;
        esac
    done <"$out"
    echo "# no line: $1"
    return 1
}

prefix_of() {
    case $1 in
    check_ib_image) echo IB_IMAGE ;;
    ib_cancel_action) echo IB_CANCEL ;;
    ib_create_action) echo IB_CREATE ;;
    ib_workflow) echo IB_WORKFLOW ;;
    esac
}
# on_each PROGRAM FUNCTION ARGUMENT…: the function with the program, its prefix and a command line that works
on_each() {
    each=$1 call=$2
    shift 2
    case $each in
    check_ib_image) set -- "$@" -a "$arn" -c 90m ;;
    ib_cancel_action) set -- "$@" -a "$arn" -c 90m --no-journal --state CRITICAL --state-type HARD ;;
    ib_create_action) set -- "$@" --recipe "${arn%:*}:image-recipe/web-server/1.4.2" \
        --infrastructure "${arn%:*}:infrastructure-configuration/web" ;;
    ib_workflow) set -- run --from getImage --given "createImage.imageBuildVersionArn=$arn" "$@" ;;
    esac
    $call "$each" "$@"
}
programs='check_ib_image ib_cancel_action ib_create_action ib_workflow'

each_ok() {
    program=$1
    shift
    shows "$program" 0 "$(prefix_of "$program") OK - AWS knows us as arn:aws:iam::123456789012:user/monitoring" "$@"
    tap "$program: who AWS knows us as"
}
for program in $programs; do
    on_each "$program" each_ok
    has "user: *(uid $(id -u)), HOME $HOME, home in the password database *" &&
        has "config file: $HOME/.aws/config: not there (HOME)" &&
        has "credentials file: $HOME/.aws/credentials: not there (HOME)" &&
        has 'profile: default (default)' && has 'region: eu-central-1 (ARN), partition aws' &&
        has "endpoint: imagebuilder: $standin_url (--endpoint-url), proxy: none" &&
        has "endpoint: sts: $standin_url (--endpoint-url), proxy: none" && has 'trusted CAs: /*' &&
        has 'tries: 3 at most (retry mode standard)' &&
        has 'credentials: environment: used: environment, access key ...MPLE' &&
        has 'caller: arn:aws:iam::123456789012:user/monitoring' && has 'clock: *'
    tap "$program: every setting with who said so"
    if [ "$program" = ib_create_action ]; then # which has no build to ask about
        has 'permission: GetImage: *allowed *' &&
            has 'permission: CancelImageCreation: seems allowed (AWS looked for arn:aws:imagebuilder:eu-central-1:123456789012:image/ib-plugins-permission-probe/0.0.1/999999999: ResourceNotFoundException)'
    else
        has "permission: GetImage: allowed (asked for $arn)" &&
            has "permission: CancelImageCreation: seems allowed (AWS looked for $probe_arn: ResourceNotFoundException)"
    fi
    tap "$program: permissions"
done
[ "$(ctl count CreateImage --status any)" = 0 ]
tap 'nothing was started'
shows ib_cancel_action 0 'IB_CANCEL OK' -a "$arn" -c 90m --state OK --state-type HARD
tap 'ib_cancel_action: also for an event that it would not act on'
[ "$(ctl cancels "$arn")" = 0 ] && [ "$(ctl state "$arn")" = BUILDING ]
tap 'nothing was cancelled'
! ctl requests CancelImageCreation | grep -v -q /999999999
tap 'no cancel was asked for but of a build that does not exist'

shows check_ib_image 0 'IB_IMAGE OK' -A -r us-east-1
has 'region: us-east-1 (--region), partition aws' &&
    has 'permission: CancelImageCreation: seems allowed (AWS looked for arn:aws:imagebuilder:us-east-1:123456789012:image/ib-plugins-permission-probe/0.0.1/999999999: ResourceNotFoundException)'
tap 'without a build at hand an image that nobody has is asked for'

ctl add-fault op=CancelImageCreation kind=error code=AccessDeniedException \
    message='User: x is not authorized to perform: imagebuilder:CancelImageCreation' >/dev/null
shows check_ib_image 0 'IB_IMAGE OK' -a "$arn"
has "permission: GetImage: allowed (asked for $arn)" &&
    has "permission: CancelImageCreation: DENIED for $probe_arn: needs imagebuilder:CancelImageCreation (*"
tap 'may read, may not cancel'
shows ib_cancel_action 3 'IB_CANCEL UNKNOWN - CancelImageCreation: ' -a "$arn" -c 90m --state CRITICAL --state-type HARD
grep -q 'imagebuilder:CancelImageCreation' "$out" && has "permission: GetImage: allowed (asked for $arn)"
tap 'what must cancel and may not is not OK'
shows ib_cancel_action 0 'IB_CANCEL OK' -A -c 90m -r eu-central-1 --state CRITICAL --state-type HARD
has 'permission: CancelImageCreation: not known: denied for an image that nobody has; a policy that names images denies that too: ask with -a ARN (*'
tap 'a policy that names images: whether it lets cancel is not known without one'
ctl clear-faults >/dev/null
ctl clear-requests >/dev/null
ctl add-fault op=GetImage kind=error code=AccessDeniedException \
    message='User: x is not authorized to perform: imagebuilder:GetImage' >/dev/null
shows check_ib_image 0 'IB_IMAGE OK' -A -r eu-central-1
has 'permission: GetImage: not known: denied for an image that nobody has; a policy that names images denies that too: ask with -a ARN (*'
tap 'a policy that names images: whether it lets read is not known without one'
shows ib_cancel_action 3 'IB_CANCEL UNKNOWN - GetImage: ' -a "$arn" -c 90m --state CRITICAL --state-type HARD
tap 'what may not read may not cancel either, and is not OK'
shows check_ib_image 3 'IB_IMAGE UNKNOWN - GetImage: ' -a "$arn"
has "permission: GetImage: DENIED for $arn: needs imagebuilder:GetImage (*" &&
    has "permission: CancelImageCreation: not asked, because AWS did not say that $probe_arn does not exist" &&
    [ "$(ctl count CancelImageCreation --status any)" = 0 ]
tap 'may not read: then no cancel is asked for, not even of nothing'
ctl clear-faults >/dev/null
ctl add-image name=web-server version=1.4.2 build=999999999 >/dev/null
ctl clear-requests >/dev/null
shows check_ib_image 0 'IB_IMAGE OK' -a "$arn"
has "permission: CancelImageCreation: not asked, because AWS did not say that $probe_arn does not exist" &&
    [ "$(ctl count CancelImageCreation --status any)" = 0 ] && [ "$(ctl cancels "$probe_arn")" = 0 ]
tap 'a build of the number that no build has is not touched either'
ctl remove-image "$probe_arn" >/dev/null

# --- what is in the way ------------------------------------------------------------------------------------

AWS_SECRET_ACCESS_KEY='' shows check_ib_image 3 \
    'IB_IMAGE UNKNOWN - environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not' -a "$arn"
tap 'half-set keys'
has 'credentials: environment: failed: *' && has 'credentials: none' && has 'endpoint: imagebuilder: *'
tap 'half-set keys: and all the rest'
shows check_ib_image 3 'IB_IMAGE UNKNOWN - profile "mon" (--profile) does not exist; looked in ' -a "$arn" --profile mon
has "config file: $HOME/.aws/config: not there (HOME)"
tap 'a profile that is not there'
shows check_ib_image 3 'IB_IMAGE UNKNOWN - --region is us-east-1, but the ARN names region eu-central-1' -a "$arn" -r us-east-1
tap 'two regions'
ctl credentials AKIDEXAMPLE remove=true >/dev/null
shows check_ib_image 3 'IB_IMAGE UNKNOWN - GetCallerIdentity: InvalidClientTokenId' -a "$arn"
tap 'a key that AWS does not know'
ctl reset >/dev/null
arn=$(ctl add-image name=web-server version=1.4.2 build=7 age_s=7980)
ctl set-clock-skew 1800 >/dev/null
shows check_ib_image 0 'IB_IMAGE OK' -a "$arn"
has "clock: *; AWS's is *m *s ahead: check the time service of this machine"
tap 'a clock that is off'
ctl set-clock-skew 0 >/dev/null

# --- every program, on the very command line that fails -----------------------------------------------------------

each_without_keys() {
    program=$1
    shift
    AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' \
        shows "$program" 3 "$(prefix_of "$program") UNKNOWN - no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; " "$@"
    tap "$program without credentials: the reason"
    has 'credentials: environment: passed over: AWS_ACCESS_KEY_ID is not set' &&
        has 'credentials: instance metadata: passed over: switched off by AWS_EC2_METADATA_DISABLED' &&
        has 'credentials: none' && has 'region: eu-central-1 (ARN), partition aws' &&
        has "config file: $HOME/.aws/config: not there (HOME)"
    tap "$program without credentials: who was asked, and all the rest"
}
printf 'defaults: { profile = "mon";\n  regionn = "us-east-1"; };\n' >"$standin_dir/broken.conf"
each_broken() {
    program=$1
    shift
    shows "$program" 3 "$(prefix_of "$program") UNKNOWN - $standin_dir/broken.conf:2: defaults.regionn: there is no such key; \"region\" is meant?" \
        --config "$standin_dir/broken.conf" "$@"
    tap "$program with a broken configuration: the line and the key"
    has 'configuration: cannot be used; what follows does without it' &&
        has 'region: eu-central-1 (ARN), partition aws' &&
        has 'caller: arn:aws:iam::123456789012:user/monitoring'
    tap "$program with a broken configuration: whether AWS could be reached"
}
each_missing() {
    program=$1
    shift
    shows "$program" 3 "$(prefix_of "$program") UNKNOWN - $standin_dir/none.conf does not exist" --config "$standin_dir/none.conf" "$@"
    has 'caller: arn:aws:iam::123456789012:user/monitoring'
    tap "$program with a configuration that is not there"
}
each_json() {
    program=$1
    shift
    shows "$program" 0 "{\"program\":\"$program\",\"state\":\"OK\",\"exitCode\":0,\"text\":\"AWS knows us as " --output json "$@"
    "${PYTHON:-/usr/bin/python3}" -c 'import json,sys; d=json.load(open(sys.argv[1])); assert {"topic","text"} == set(d["diagnosis"][0])' "$out"
    tap "$program as JSON"
}
for program in $programs; do
    on_each "$program" each_without_keys
    on_each "$program" each_broken
    on_each "$program" each_missing
    on_each "$program" each_json
done
for way in --resume --history '--sweep -A' '--detach -A'; do
    # shellcheck disable=SC2086 # words
    shows ib_cancel_action 0 'IB_CANCEL OK - AWS knows us as ' $way -c 1h -r us-east-1 --state-dir "$standin_dir/journal"
    has 'region: us-east-1 (--region), partition aws' && has "credential cache: $standin_dir/journal/cache"
    tap "ib_cancel_action $way"
done
shows check_ib_image 3 'IB_IMAGE UNKNOWN - --arn: ' -a "${arn%:*}:image/web-server" && has 'caller: *'
tap 'an ARN that is none of a build'
shows check_ib_image 3 'IB_IMAGE UNKNOWN - --target: there is no configuration file' -T web-server -r eu-central-1 && has 'caller: *'
tap 'a target without a configuration'
shows ib_workflow 3 'IB_WORKFLOW UNKNOWN - ' run "$standin_dir/none.yaml" -r eu-central-1 && has "trouble: *none.yaml*" && has 'caller: *'
tap 'a workflow document that is not there'

# --- what -v tells when a program ends by an error ---------------------------------------------------------------

# tells PROGRAM VERBOSE ARGUMENT…: the run itself, not its diagnosis
tells() {
    program=$1 verbose=$2
    shift 2
    "$abs_top_builddir/plugins/$program" "$@" "$verbose" --endpoint-url "$standin_url" >"$out" 2>&1
    [ $? = 3 ] && grep -q "^$(prefix_of "$program") UNKNOWN - .*no AWS credentials" "$out"
}
each_tells() {
    program=$1
    shift
    AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' tells "$program" -vv "$@" &&
        has "[*] profile default (default), files: $HOME/.aws/config (missing), $HOME/.aws/credentials (missing)" &&
        has '[*] credentials: environment: passed over: AWS_ACCESS_KEY_ID is not set' &&
        has '[*] credentials: instance metadata: passed over: switched off by AWS_EC2_METADATA_DISABLED'
    tap "$program -vv without credentials: who was asked for them"
    # With keys for STS alone a role is asked for, and refused: the request is shown by -vvv only.
    tells_role "$program" -vv "$@" && ! grep -q '^[<>] ' "$out"
    tap "$program -vv: no requests"
    tells_role "$program" -vvv "$@" && has '[*] credentials: assume role: failed: *'
    tap "$program -vvv with a role that is not given: how far it came"
}
tells_role() {
    program=$1 verbose=$2
    shift 2
    "$abs_top_builddir/plugins/$program" "$@" "$verbose" --role-arn "$role" --endpoint-url "$standin_url" >"$out" 2>&1
    [ $? = 3 ] && has '[*] credentials: environment: environment, access key ...MPLE' &&
        grep -q "^$(prefix_of "$program") UNKNOWN - .*AssumeRole" "$out"
}
role=arn:aws:iam::123456789012:role/other
ctl set-services '{"roles": {"'$role'": {"assumable": false}}}' >/dev/null
for program in $programs; do
    on_each "$program" each_tells
done
ctl set-services '{"roles": {}}' >/dev/null
AWS_ACCESS_KEY_ID='' "$abs_top_builddir/plugins/check_ib_image" -a "$arn" --endpoint-url "$standin_url" >"$out" 2>&1
[ "$(wc -l <"$out")" = 1 ]
tap 'without -v an error is one line'

# --- with a configuration ------------------------------------------------------------------------------------

mkdir -m 700 "$standin_dir/state"
cat >"$standin_dir/c.conf" <<F
state_dir = "$standin_dir/state";
defaults: { region = "us-east-1"; role_arn = "arn:aws:iam::123456789012:role/x"; external_id = "geheim"; };
targets: { web-server: { arn = "$arn"; critical = "2h"; }; };
F
shows check_ib_image 0 'IB_IMAGE OK - AWS knows us as arn:aws:sts::123456789012:assumed-role/x/' --config "$standin_dir/c.conf" -T web-server
has 'setting: critical = 2h (targets.web-server (*' && has 'region: eu-central-1 (ARN), partition aws' &&
    has "credential cache: $standin_dir/state/cache" &&
    has 'credentials: assume role: used: role arn:aws:iam::123456789012:role/x*'
tap 'a target of the configuration, by its role, in the region of its ARN'
! grep -q geheim "$out"
tap 'no external id is shown'
"$abs_top_builddir/plugins/check_ib_image" --config "$standin_dir/c.conf" -T web-server --endpoint-url "$standin_url" >"$out"
"$abs_top_builddir/plugins/check_ib_image" --config "$standin_dir/c.conf" -T web-server --endpoint-url "$standin_url" >"$out"
[ "$(ctl count AssumeRole)" = 1 ]
tap 'diagnosis and checks share the cached role'
"$abs_top_builddir/plugins/check_ib_image" --config "$standin_dir/c.conf" -T web-server --endpoint-url "$standin_url" \
    -c 3h -w 1h --phase TESTING=20m,40m --map FAILED=warning --none ok --lookback 36h --stuck-only --waiting critical \
    -r eu-central-1 --external-id verborgen --diagnose >"$out"
for row in 'critical = 3h' 'warning = 1h' 'phases.TESTING = 20m, 40m' 'map.FAILED = WARNING' 'none = OK' 'lookback = 1d 12h' \
    'stuck_only = true' 'waiting = CRITICAL' 'region = eu-central-1' 'external_id = (set)' "endpoint_url = $standin_url"; do
    has "setting: $row (command line)"
    tap "a setting of the command line is told from one of the file: ${row%% =*}"
done
has "setting: role_arn = arn:aws:iam::123456789012:role/x (defaults (*" && has 'setting: cancel.enabled = false (built in)' &&
    ! grep -q -e geheim -e verborgen "$out"
tap 'beside them those of the file keep their place, and no external id is shown'

plan

#!/bin/sh
# SPDX-License-Identifier: MIT
# check_ib_image and ib_cancel_action by the targets of one configuration: several Regions, profiles
# and roles in one run, requests in parallel, one target that fails while the others are judged.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/cli/lib.sh"
start_standin
fast_workflow
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
ctl credentials AKIDONEONEONEONEONEO onesecretonesecretonesecretonesecretones >/dev/null
ctl credentials AKIDTWOTWOTWOTWOTWOT twosecrettwosecrettwosecrettwosecrettwos >/dev/null
cat >"$dir/credentials" <<'END'
[one]
aws_access_key_id = AKIDONEONEONEONEONEO
aws_secret_access_key = onesecretonesecretonesecretonesecretones
[two]
aws_access_key_id = AKIDTWOTWOTWOTWOTWOT
aws_secret_access_key = twosecrettwosecrettwosecrettwosecrettwos
[wrong]
aws_access_key_id = AKIDWRONGWRONGWRONGW
aws_secret_access_key = wrongsecretwrongsecretwrongsecretwrongse
END
chmod 600 "$dir/credentials"
AWS_SHARED_CREDENTIALS_FILE=$dir/credentials
export AWS_SHARED_CREDENTIALS_FILE

cat >"$dir/ib.conf" <<END
state_dir = "$dir/state";
defaults: { region = "eu-central-1"; profile = "one"; warning = "45m"; critical = "90m"; };
targets: {
  web: { pipeline = "web-server"; critical = "2h"; cancel: { enabled = true; }; };
  golden: { image = "golden"; profile = "two"; region = "us-east-1"; };
  account: { all = true; region = "ap-southeast-2"; profile = "two"; };
  careful: { pipeline = "careful"; cancel: { enabled = true; max_cancel = 2; }; };
  manual: { pipeline = "web-server"; critical = "1h"; };
};
cancel: { allow = [ "arn:aws:imagebuilder:*:123456789012:image/web-*", "arn:aws:imagebuilder:*:*:image/careful" ]; };
END
chmod 600 "$dir/ib.conf"
ctl add-pipeline name=web-server image_name=web-server version=1.0.0 >/dev/null
ctl add-pipeline name=careful image_name=careful version=1.0.0 >/dev/null
web=$(ctl add-image name=web-server pipeline=web-server age_s=6000)
ctl add-image name=golden region=us-east-1 status=AVAILABLE age_s=100000 >/dev/null
ctl add-image name=careful pipeline=careful status=AVAILABLE age_s=100000 >/dev/null

check() { run check_ib_image --config "$dir/ib.conf" "$@"; }
cancel() { run ib_cancel_action --config "$dir/ib.conf" --workflow "$fast" --confirm-timeout 3s "$@"; }

check -T web
is "a target's own critical age" 1 'IB_IMAGE WARNING - web-server 1.0.0/1 BUILDING for 1h 40m (warning 45m)*'
like "a target's own limits in the perfdata" 'age=600?s;2700;7200;0 *' "$perf"
check -T manual
is "another target for the same builds" 2 'IB_IMAGE CRITICAL - web-server 1.0.0/1 BUILDING for 1h 40m (critical 1h)*'
check -T web -c 3h -w 2h
is "the command line wins" 0 'IB_IMAGE OK - web-server 1.0.0/1 BUILDING for 1h 40m'
check -T golden
is "another Region and profile" 0 'IB_IMAGE OK - golden 1.0.0/1 AVAILABLE'
check -T account
is "an account without builds" 0 'IB_IMAGE OK - no build in flight, target account'
check --all-targets
is "all targets" 2 'IB_IMAGE CRITICAL - web-server 1.0.0/1 BUILDING for 1h 40m (critical 1h)*'
equal "all targets: a build that two targets select has one line" 1 \
    "$(printf '%s\n' "$out" | grep -c '^\[.*web-server 1.0.0/1')"
like "all targets: no limits in the perfdata where they differ" 'age=600?s;2700;;0 *' "$perf"
check --all-targets --output json
equal "all targets: JSON names the target of each build" "careful golden manual web" \
    "$(printf '%s\n' "$out" | "${PYTHON:-/usr/bin/python3}" -c "
import json, sys
print(*sorted(b['target'] for b in json.load(sys.stdin)['builds']))")"
check -T nope
is "a target that is not there" 3 'IB_IMAGE UNKNOWN - *nope*'
like "a target that is not there: those that are" '*web*golden*' "$first"

# files that are no configuration
bad_file() { # bad_file NAME PATTERN: $dir/bad.conf
    refused "$1" "IB_IMAGE UNKNOWN - *$2*" check_ib_image --config "$dir/bad.conf" -T web
    rm -rf "$dir/bad.conf"
}
cp "$dir/ib.conf" "$dir/bad.conf" && chmod 666 "$dir/bad.conf"
bad_file "a configuration that anybody may write" 'may be written by others'
cp "$dir/ib.conf" "$dir/bad.conf" && chmod 620 "$dir/bad.conf"
bad_file "a configuration that its group may write" 'may be written by others'
{ cat "$dir/ib.conf" && head -c 300000 /dev/zero | tr '\0' '#'; } >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "a huge configuration" 'bad.conf has *bytes, more than 262144'
head -c 4096 "$build/plugins/check_ib_image" >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "a program for a configuration" 'bad.conf'
printf 'targets: { web: { image = "a\0b"; }; };\n' >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "a configuration with a NUL" 'NUL'
: >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "an empty configuration" 'has no targets'
mkdir "$dir/bad.conf"
bad_file "a directory for a configuration" 'bad.conf'
mkfifo -m 600 "$dir/bad.conf"
bad_file "a FIFO for a configuration" 'bad.conf'
printf 'targets: {\n  web: { image = "a"; };\n  web: { image = "b"; };\n};\n' >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "a target given twice: the line is told" 'bad.conf:3: duplicate'
printf 'targets: {\n  web: { image = "a"; regoin = "x"; };\n};\n' >"$dir/bad.conf" && chmod 600 "$dir/bad.conf"
bad_file "a key that is misspelt: the line is told, and what is meant" 'bad.conf:2: *"region" is meant'

# one fails, the others are judged
sed 's/image = "golden"; profile = "two"/image = "golden"; profile = "wrong"/' "$dir/ib.conf" >"$dir/wrong.conf"
chmod 600 "$dir/wrong.conf"
run check_ib_image --config "$dir/wrong.conf" -T golden -T web
is "one target fails, the other is judged" 1 'IB_IMAGE WARNING - web-server 1.0.0/1 *; also 1 UNKNOWN'
like "the failing target is named" '*\[UNKNOWN\] image golden: ListImages*' "$out"
sed 's/image = "golden"; profile = "two"/image = "golden"; profile = "none"/' "$dir/ib.conf" >"$dir/wrong.conf"
run check_ib_image --config "$dir/wrong.conf" -T golden -T web
is "a target whose profile is not there" 1 'IB_IMAGE WARNING - web-server 1.0.0/1 *; also 1 UNKNOWN'
like "a target whose profile is not there: named" '*\[UNKNOWN\] golden: *' "$out"

# in parallel, and never more than was said
between() { # between NAME MIN MAX SEEN
    if [ "$4" -ge "$2" ] && [ "$4" -le "$3" ]; then result "$1" yes
    else result "$1" no "$4 is not within $2..$3"; fi
}
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    ctl add-image "name=many-$i" age_s=60 >/dev/null
done
# The stand-in counts what it has not answered yet: that does not depend on how busy the machine is.
ctl add-fault op=GetImage kind=delay seconds=1 >/dev/null
arns=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    arns="$arns -a arn:aws:imagebuilder:eu-central-1:123456789012:image/many-$i/1.0.0/1"
done
ctl clear-requests >/dev/null
# shellcheck disable=SC2086
AWS_PROFILE=one run check_ib_image $arns -c 90m --parallel 12
is "twelve builds at once" 0 'IB_IMAGE OK - 12 builds, 12 in flight*'
between "twelve builds are asked for at once" 5 12 "$(ctl peak GetImage)"
ctl clear-faults >/dev/null
ctl add-fault op=GetImage kind=delay seconds=0.2 >/dev/null
ctl clear-requests >/dev/null
# shellcheck disable=SC2086
AWS_PROFILE=one run check_ib_image $arns -c 90m --parallel 2
between "--parallel 2 is a bound" 1 2 "$(ctl peak GetImage)"
ctl clear-faults >/dev/null
ctl add-fault op=ListImagePipelines kind=delay seconds=1 >/dev/null
ctl add-fault op=ListImages kind=delay seconds=1 >/dev/null
ctl add-fault op=ListImageBuildVersions kind=delay seconds=1 >/dev/null
ctl clear-requests >/dev/null
check -T web -T golden -T account
between "targets of several profiles are asked at the same time" 2 8 "$(ctl peak '*')"
ctl clear-faults >/dev/null

# --- cancelling by target ---
ctl set-image "$web" age_s=8010 >/dev/null
cancel -T manual
is "a target without cancel.enabled" 2 'IB_CANCEL CRITICAL - web-server 1.0.0/1 refused by rule enabled: *'
equal "a target without cancel.enabled: no cancel" 0 "$(ctl cancels "$web")"
cancel -a "$web" --profile one
is "the defaults' critical age holds for -a" 0 'IB_CANCEL OK - web-server 1.0.0/1 cancelled and confirmed'
web=$(ctl add-image name=web-server pipeline=web-server age_s=8010)
cancel -T web
is "a target that may be cancelled" 0 'IB_CANCEL OK - web-server 1.0.0/2 cancelled and confirmed*'
equal "a target that may be cancelled: one cancel" 1 "$(ctl cancels "$web")"
young=$(ctl add-image name=web-server pipeline=web-server age_s=6000)
cancel -T web
is "a build below the target's critical age" 0 'IB_CANCEL OK - nothing to cancel: no build is stuck'
equal "a build below the target's critical age: no cancel" 0 "$(ctl cancels "$young")"
one=$(ctl add-image name=careful pipeline=careful age_s=9000)
cancel -T careful
is "a build outside cancel.allow" 2 'IB_CANCEL CRITICAL - careful 1.0.0/2 refused by rule allow-list: *'
equal "a build outside cancel.allow: no cancel" 0 "$(ctl cancels "$one")"
cancel -p web-server -c 1h --profile one --allow 'arn:aws:imagebuilder:*:*:image/*'
is "--allow enables what the file allows" 0 'IB_CANCEL OK - web-server 1.0.0/3 cancelled and confirmed*'
cancel -p careful -c 1h --profile one --allow 'arn:aws:imagebuilder:*:*:image/*'
is "--allow does not widen the file's list" 2 'IB_CANCEL CRITICAL - careful 1.0.0/2 refused by rule allow-list: *'
cancel -p web-server -c 1h --profile one
is "a pipeline needs --allow or a target" 0 'IB_CANCEL OK - nothing to cancel: no build is stuck'
again=$(ctl add-image name=web-server pipeline=web-server age_s=9000)
cancel -p web-server -c 1h --profile one
is "a stuck build of a pipeline needs --allow or a target" 2 'IB_CANCEL CRITICAL - * refused by rule enabled: *'
equal "a stuck build of a pipeline: no cancel" 0 "$(ctl cancels "$again")"
cancel -T manual --allow 'arn:aws:imagebuilder:*:*:image/*'
is "--allow enables no target of the file" 2 'IB_CANCEL CRITICAL - web-server * refused by rule enabled: *'
cancel -T manual --sweep --allow 'arn:aws:imagebuilder:*:*:image/*'
equal "--allow enables no target of the file: nor in a sweep" 0 "$(ctl cancels "$again")"
cancel -p web-server -c 1h --profile one --allow 'arn:aws:imagebuilder:*:*:image/other-*'
is "--allow narrows the file's list" 2 'IB_CANCEL CRITICAL - * refused by rule allow-list: no pattern of the allow list *'
equal "--allow narrows the file's list: no cancel" 0 "$(ctl cancels "$again")"
cancel -a "$again" --profile one --allow 'arn:aws:imagebuilder:*:*:image/other-*'
is "--allow narrows the file's list, for an ARN, too" 2 'IB_CANCEL CRITICAL - * refused by rule allow-list: *'
equal "the stand-in's answers fit the model" "" "$(ctl problems)"
finish

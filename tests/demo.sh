#!/bin/sh
# SPDX-License-Identifier: MIT
# A stuck build is found, cancelled and confirmed under a real scheduler, in two minutes:
#   sh tests/demo.sh [icinga|nagios]
# Everything happens on this machine: a stand-in plays AWS, the scheduler runs in a scratch directory
# on loopback. Nothing of the machine's own Icinga or Nagios is touched, and nothing is left running.
# shellcheck disable=SC2154 # what tests/e2e/lib.sh sets
set -u
exec </dev/null
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
which=${1:-icinga}
case $which in
icinga | nagios) ;;
*)
    echo "usage: sh tests/demo.sh [icinga|nagios]" >&2
    exit 3
    ;;
esac

step() {
    demo_step=$((${demo_step:-0} + 1))
    printf '\n\033[1m%s. %s\033[0m\n' "$demo_step" "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
}
note() {
    printf '   %s\n' "$@"
}
run() { # run COMMAND…: shown as an administrator would type it, then its output and exit code
    printf '   $ %s\n' "$*"
    demo_out=$("$@" 2>&1)
    demo_rc=$?
    printf '%s\n' "$demo_out" | sed 's/ |.*//; s/^/     /' # without performance data
    note "  (exit $demo_rc)"
}
die() {
    echo "demo: $*" >&2
    exit 1
}

# IB_DEMO_PREFIX: an installation that is there already, in place of a new one (tests/e2e/demo.sh).
demo_end() {
    [ -z "${e2e_dir:-}" ] || e2e_end
    [ -n "${demo_keep:-}" ] || rm -rf "${demo_made:-}"
}
build_and_install() {
    sh "$top/tests/install-packages.sh" build peers || die "packages are missing"
    unset CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS DESTDIR
    demo_keep=${IB_ALL_DIR:-}
    IB_ALL_DIR=${IB_ALL_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/ib-demo.XXXXXX")} || exit 1
    export IB_ALL_DIR
    demo_made=$IB_ALL_DIR
    mkdir -p "$IB_ALL_DIR" && chmod 755 "$IB_ALL_DIR"
    for stage in copy configure build install; do
        note "$stage ..."
        sh "$top/tests/stage.sh" $stage >"$IB_ALL_DIR/demo.log" 2>&1 || {
            tail -n 30 "$IB_ALL_DIR/demo.log"
            die "$stage failed"
        }
    done
    IB_PREFIX=$IB_ALL_DIR/main/inst
    abs_top_builddir=$IB_ALL_DIR/main
}
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH
trap demo_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "Build and install into a scratch directory"
if [ -n "${IB_DEMO_PREFIX:-}" ]; then
    IB_PREFIX=$IB_DEMO_PREFIX
    note "there is one: $IB_PREFIX"
else
    build_and_install
fi
abs_top_srcdir=$top
export IB_PREFIX abs_top_srcdir abs_top_builddir
. "$top/tests/env"
. "$top/tests/e2e/lib.sh"
e2e_begin icinga2 nagios4 curl openssl
trap demo_end EXIT
demo_began=$(date +%s)

step "An AWS account with three builds (a stand-in on 127.0.0.1 that checks signatures)"
aws_start
stuck=$(ctl add-image name=web-server version=1.4.2 build=7 status=BUILDING age_s=7980 step=WaitForSSMAgent)
young=$(ctl add-image name=database version=2.0.0 build=3 status=TESTING age_s=720)
ready=$(ctl add-image name=golden-ami version=1.0.0 build=12 status=AVAILABLE age_s=86400)
note "$stuck" "    in BUILDING for 2h 13m: stuck" "$young" "    in TESTING for 12m: healthy" "$ready" "    AVAILABLE since yesterday"

aws_says() {
    "${AWS_CLI:-/usr/bin/aws}" --endpoint-url "$standin_url" --region eu-central-1 imagebuilder get-image \
        --image-build-version-arn "$1" --query image.state.status --output text
}
AWS_SHARED_CREDENTIALS_FILE=$aws_credentials
AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED
PATH=$IB_PREFIX/lib/nagios/plugins:$IB_PREFIX/lib/nagios/plugins/eventhandlers:$IB_PREFIX/bin:$PATH

step "The check, by hand: critical above 90 minutes"
run check_ib_image --endpoint-url "$standin_url" -a "$stuck" -w 45m -c 90m
run check_ib_image --endpoint-url "$standin_url" -a "$young" -w 45m -c 90m

step "What would the event handler do? (--dry-run)"
run ib_cancel_action --endpoint-url "$standin_url" -a "$stuck" -c 90m --state CRITICAL --state-type HARD --dry-run

if [ "$which" = icinga ]; then
    step "Icinga 2 takes over, as user $e2e_user, with the configuration that the package ships"
    icinga_config <<CONFIG
object Host "aws" {
  import "ib-account"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_credentials_file = "$aws_credentials"
  for (name => arn in { "web-server" = "$stuck", "database" = "$young", "golden-ami" = "$ready" }) {
    vars.ib_images[name] = {
      ib_arn = arn; ib_warning = "45m"; ib_critical = "90m"; ib_cancel = true
      ib_check_interval = 3s; ib_retry_interval = 2s
    }
  }
}
CONFIG
else
    step "Nagios Core takes over, as user $e2e_user, with the configuration that the package ships"
    {
        nagios_host
        for build in "web-server $stuck" "database $young" "golden-ami $ready"; do
            nagios_service "ib ${build% *}" ib-image-service "${build#* }" "_IB_CHECK_OPTIONS -w 45m"
            nagios_service "ib-stuck ${build% *}" ib-stuck-service "${build#* }" "event_handler ib_cancel_action"
        done
    } | nagios_config
fi
scheduler_start "$which"
note "It checks every few seconds; each line below is a change that it reports itself."
demo_seen=
demo_until=$(($(date +%s) + 100))
while :; do
    for name in web-server database golden-ami; do
        for service in "ib-stuck $name" "ib $name"; do
            now=$(service_state "$service" | head -n 1)
            # State and type tell changes apart; ages in the text change all the time.
            key="[$service $(echo "$now" | cut -d ' ' -f 1,2)]"
            case $demo_seen$now in
            *"$key"* | *PENDING*) ;;
            *)
                demo_seen=$demo_seen$key
                note "$(date +%T)  $service: $(echo "$now" | cut -d ' ' -f 1,2)" "          ${now#* * }"
                ;;
            esac
        done
    done
    service_is "ib web-server" WARNING HARD >/dev/null && service_is "ib-stuck web-server" OK HARD >/dev/null && break
    [ "$(date +%s)" -lt $demo_until ] || die "the scheduler did not get there within 100 seconds"
    sleep 0.3
done
note "The event handler was called $(handler_calls "ib-stuck web-server") times for the stuck build."

step "What AWS says now (the AWS CLI asks)"
for arn in "$stuck" "$young" "$ready"; do
    note "$(aws_says "$arn")  $arn"
done
note "Cancels that AWS has seen: $(ctl cancels "$stuck") for the stuck build," \
    "$(ctl count CancelImageCreation --arn "$young" --status any) and $(ctl count CancelImageCreation --arn "$ready" --status any) for the others."
run check_ib_image --endpoint-url "$standin_url" -a "$stuck" -w 45m -c 90m

printf '\n'
[ "$(aws_says "$stuck") $(aws_says "$young") $(aws_says "$ready")" = "CANCELLED TESTING AVAILABLE" ] ||
    die "the builds are not as they should be"
[ "$(ctl count CancelImageCreation --status any)" = 1 ] || die "AWS has not seen exactly one cancel"
echo "Found, cancelled once, confirmed; the healthy builds were left alone. ($(($(date +%s) - demo_began)) s)"

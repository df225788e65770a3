# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Real schedulers for tests: Icinga 2 and Nagios Core on loopback in a scratch directory, with the
# configuration files that this project ships, beside the stand-in. Sourced by tests/e2e/*.sh.
#
# Started by root the daemons run as user nagios, else as the caller; always with an empty
# environment and no HOME. What was started is ended by its recorded process id, on any exit.
# IB_PREFIX names the installation under test.

e2e_top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
e2e_python=${PYTHON:-/usr/bin/python3}
e2e_n=0
e2e_bad=0
e2e_pids=

# --- TAP ------------------------------------------------------------------------------------------
# ok NAME COMMAND…: one result; what the command prints explains a failure.
ok() {
    e2e_name=$1
    shift
    e2e_n=$((e2e_n + 1))
    if e2e_says=$("$@" 2>&1); then
        echo "ok $e2e_n - $e2e_name"
    else
        e2e_bad=$((e2e_bad + 1))
        echo "not ok $e2e_n - $e2e_name"
        printf '%s\n' "failed: $*" "$e2e_says" | sed 's/^/# /'
    fi
}
is() { # is GOT WANTED, for use with ok
    [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }
}
has() { # has TEXT PART
    case $1 in *"$2"*) return 0 ;; esac
    echo "'$1' lacks '$2'"
    return 1
}
e2e_skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}
e2e_done() {
    if [ $e2e_bad != 0 ]; then
        e2e_explain | sed 's/^/# /'
    fi
    echo "1..$e2e_n"
    [ $e2e_bad = 0 ] || exit 1
    exit 0
}
e2e_explain() { # the logs of everything, for who reads a failed run
    for e2e_log in "$e2e_dir"/*.out "$e2e_dir"/*/log/icinga2.log "$e2e_dir"/*/nagios.log "$e2e_dir"/*/nrpe.log; do
        [ -s "$e2e_log" ] || continue
        echo "--- $e2e_log"
        grep -vE '/HttpServerConnection|/ApiListener' "$e2e_log" | tail -n 40
    done
    echo "--- requests at the stand-in"
    ctl requests 2>&1 | "$e2e_python" -c '
import json, sys
for line in sys.stdin.readlines()[-40:]:
    r = json.loads(line)
    print(r.get("time"), r.get("op"), r.get("arn"), r.get("status"), r.get("code"), r.get("fault"))'
}
# wait_until SECONDS COMMAND…: true as soon as the command is.
wait_until() {
    e2e_end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -ge "$e2e_end" ]; then
            echo "waited in vain for: $*"
            "$@"
            return 1
        fi
        sleep 0.2
    done
}

# --- scratch directory and processes --------------------------------------------------------------
e2e_begin() { # e2e_begin PROGRAM…: what must be installed
    [ -n "${IB_PREFIX:-}" ] || e2e_skip_all "IB_PREFIX is not set: run sh tests/all.sh e2e"
    for e2e_program in "$@"; do
        command -v "$e2e_program" >/dev/null || e2e_skip_all "$e2e_program is not installed"
    done
    e2e_user=$(id -un)
    if [ "$(id -u)" = 0 ]; then
        id nagios >/dev/null 2>&1 || e2e_skip_all "no user nagios"
        e2e_user=nagios
    fi
    e2e_group=$(id -gn "$e2e_user")
    e2e_dir=$(mktemp -d "${TMPDIR:-/tmp}/ib-e2e.XXXXXX") || exit 1
    chmod 755 "$e2e_dir"
    # The journal's place as the packages make it: root and the daemon's group share it.
    ib_state_dir=$e2e_dir/state
    mkdir "$ib_state_dir" && chgrp "$e2e_group" "$ib_state_dir" && chmod 2770 "$ib_state_dir" || exit 1
    icinga_dir=$e2e_dir/icinga
    nagios_dir=$e2e_dir/nagios
    trap e2e_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
e2e_end() {
    trap '' INT TERM
    for e2e_pid in $e2e_pids; do
        e2e_stop "$e2e_pid"
    done
    standin_stop
    [ -n "${E2E_KEEP:-}" ] || rm -rf "$e2e_dir"
}
# Each daemon leads a process group of its own. First politely, then whoever is left of the group.
e2e_stop() {
    kill -TERM "$1" 2>/dev/null
    e2e_tries=0
    while kill -0 "$1" 2>/dev/null && [ $e2e_tries -lt 50 ]; do
        e2e_tries=$((e2e_tries + 1))
        sleep 0.1
    done
    kill -KILL -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
    # Its id may soon be another's.
    e2e_left=
    for e2e_pid_left in $e2e_pids; do
        [ "$e2e_pid_left" = "$1" ] || e2e_left="$e2e_left $e2e_pid_left"
    done
    e2e_pids=$e2e_left
}
e2e_start() { # e2e_start NAME COMMAND…: in the background; its id in $e2e_started
    e2e_what=$1
    shift
    setsid "$@" >"$e2e_dir/$e2e_what.out" 2>&1 </dev/null &
    e2e_started=$!
    e2e_pids="$e2e_started $e2e_pids"
}
e2e_as_daemon() { # prefix of a command: no HOME, nothing of the caller's environment
    if [ "$(id -u)" = 0 ]; then
        echo "setpriv --reuid=$e2e_user --regid=$e2e_group --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin IB_STATE_DIR=$ib_state_dir"
    else
        echo "env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin IB_STATE_DIR=$ib_state_dir"
    fi
}
e2e_free_port() {
    "$e2e_python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# --- the stand-in ---------------------------------------------------------------------------------
. "$e2e_top/tests/standin/start.sh"
aws_start() { # aws_start [OPTION…]: the stand-in; sets $standin_url and $aws_credentials
    standin_dir=$e2e_dir/standin
    mkdir "$standin_dir" && standin_start "$@"
    aws_credentials=$e2e_dir/credentials
    (
        umask 077
        standin_keys
        printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
            "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$aws_credentials"
    )
    chown "$e2e_user" "$aws_credentials"
}
state_is() { # state_is ARN STATUS
    is "$(ctl state "$1")" "$2"
}
cancels_are() { # cancels_are ARN N: effective cancels
    is "$(ctl cancels "$1")" "$2"
}
cancel_requests_are() { # cancel_requests_are ARN N: whatever their answer
    is "$(ctl count CancelImageCreation --arn "$1" --status any)" "$2"
}
history_of() { # history_of ARN: its audit, oldest first, each line an event and the arguments of its call if told
    "$IB_PREFIX/lib/nagios/plugins/eventhandlers/ib_cancel_action" --history -a "$1" --limit 1000 \
        --output json --state-dir "$ib_state_dir" | "$e2e_python" -c '
import json, sys
text = sys.stdin.read()
rows = json.loads(text[text.index("{"):] if text[:1] != "[" else text)
rows = rows["history"] if isinstance(rows, dict) else rows
print(*[" ".join([r["event"], *r.get("arguments", [])]) for r in reversed(rows)], sep="\n")' | tr -d "'"
}

# --- one face for both schedulers -----------------------------------------------------------------
# scheduler_start icinga|nagios; then service_state SERVICE prints "CRITICAL HARD text",
# handler_calls SERVICE how often its event handler was called. The host is "aws" in each.
scheduler_start() {
    scheduler=$1
    "${scheduler}_start"
}
service_state() {
    "${scheduler}_service_state" "$1"
}
service_is() { # service_is SERVICE STATE TYPE
    e2e_state=$(service_state "$1")
    case $e2e_state in
    "$2 $3 "*) return 0 ;;
    esac
    echo "$1 is '$e2e_state', wanted $2 $3"
    return 1
}
service_state_is() { # service_state_is SERVICE STATE: SOFT or HARD
    e2e_state=$(service_state "$1")
    is "${e2e_state%% *}" "$2" || {
        echo "$1 is '$e2e_state'"
        return 1
    }
}
check_now() { # check_now SERVICE: by force, as somebody does who clicks
    "${scheduler}_check_now" "$1"
}
service_says() { # service_says SERVICE PART
    has "$(service_state "$1")" "$2"
}
handler_calls() {
    "${scheduler}_handler_calls" "$1"
}
turned_hard_critical() { # turned_hard_critical SERVICE: at any time, by the scheduler's own log
    "${scheduler}_turned_hard_critical" "$1"
}
handlers_ended_well() { # no handler ended with another exit code than 0
    "${scheduler}_handlers_ended_well"
}
handler_called() { # handler_called SERVICE N: at least so often
    [ "$(handler_calls "$1")" -ge "$2" ] || {
        echo "called $(handler_calls "$1") times, wanted $2"
        return 1
    }
}

# --- Icinga 2 -------------------------------------------------------------------------------------
# Objects come on stdin; the shipped commands, templates and apply rules are included as installed.
icinga_config() {
    icinga_port=$(e2e_free_port)
    mkdir -p "$icinga_dir/etc" "$icinga_dir/data/certs" "$icinga_dir/log" "$icinga_dir/cache" \
        "$icinga_dir/spool" "$icinga_dir/run"
    {
        cat <<CONFIG
const PluginDir = "$IB_PREFIX/lib/nagios/plugins"
const PluginContribDir = PluginDir
const NodeName = "localhost"
const ZoneName = NodeName
include <itl>
include "$IB_PREFIX/share/icinga2/include/plugins-contrib.d/*.conf"
include "$IB_PREFIX/share/ib-plugins/icinga2/services.conf"
object Endpoint NodeName { }
object Zone ZoneName { endpoints = [ NodeName ] }
object IcingaApplication "app" { }
object CheckerComponent "checker" { }
object FileLogger "main" { severity = "notice"; path = "$icinga_dir/log/icinga2.log" }
object ApiListener "api" { bind_host = "127.0.0.1"; bind_port = $icinga_port }
object ApiUser "e2e" { password = "e2e"; permissions = [ "*" ] }
CONFIG
        cat
    } >"$icinga_dir/icinga2.conf"
    chown -R "$e2e_user" "$icinga_dir"
    icinga_certificates >"$e2e_dir/pki.out" 2>&1 || { cat "$e2e_dir/pki.out"; exit 1; }
}
# As "icinga2 node setup" makes them: they know the node's name, and no address.
icinga_certificates() {
    [ -e "$icinga_dir/data/certs/ca.crt" ] && return 0 # of a configuration before this one
    icinga_pki new-ca &&
        icinga_pki new-cert --cn localhost --key "$icinga_dir/data/certs/localhost.key" --csr "$icinga_dir/localhost.csr" &&
        icinga_pki sign-csr --csr "$icinga_dir/localhost.csr" --cert "$icinga_dir/data/certs/localhost.crt" &&
        cp -p "$icinga_dir/data/ca/ca.crt" "$icinga_dir/data/certs/ca.crt"
}
icinga_pki() {
    icinga_verb=$1
    shift
    # shellcheck disable=SC2046 # words
    $(e2e_as_daemon) icinga2 pki "$icinga_verb" $(icinga_directories) "$@"
}
icinga_directories() {
    echo "-D ConfigDir=$icinga_dir/etc -D DataDir=$icinga_dir/data -D LogDir=$icinga_dir/log \
        -D CacheDir=$icinga_dir/cache -D SpoolDir=$icinga_dir/spool -D InitRunDir=$icinga_dir/run \
        -D RunAsUser=$e2e_user -D RunAsGroup=$e2e_group"
}
icinga_command() {
    echo "$(e2e_as_daemon) icinga2 daemon -c $icinga_dir/icinga2.conf $(icinga_directories)"
}
icinga_validate() {
    # shellcheck disable=SC2046 # words
    $(icinga_command) -C
}
icinga_start() {
    # shellcheck disable=SC2046 # words
    e2e_start icinga $(icinga_command)
    icinga_pid=$e2e_started
    wait_until 60 icinga_get status/IcingaApplication || { e2e_explain; exit 1; }
}
icinga_get() {
    curl -sfk --max-time 5 -u e2e:e2e "https://127.0.0.1:$icinga_port/v1/$1"
}
icinga_post() { # icinga_post PATH JSON
    curl -sfk --max-time 5 -u e2e:e2e -H 'Accept: application/json' -d "$2" "https://127.0.0.1:$icinga_port/v1/$1"
}
icinga_service_state() {
    icinga_get "objects/services?service=aws!$(echo "$1" | sed 's/ /%20/g')" | "$e2e_python" -c '
import json, sys
a = json.load(sys.stdin)["results"][0]["attrs"]
r = a["last_check_result"]
print("PENDING" if r is None else "%s %s %s" % (["OK", "WARNING", "CRITICAL", "UNKNOWN"][int(a["state"])],
      ["SOFT", "HARD"][int(a["state_type"])], r["output"]))'
}
icinga_check_now() {
    icinga_post "actions/reschedule-check?service=aws!$1" '{"force": true}' >/dev/null
}
icinga_handler_calls() {
    grep -c "Executing event handler .* 'aws!$1'" "$icinga_dir/log/icinga2.log"
}
icinga_handlers_ended_well() {
    ! grep "/eventhandlers/.*terminated with exit code [1-9]" "$icinga_dir/log/icinga2.log"
}
icinga_turned_hard_critical() {
    grep "State Change: Checkable 'aws!$1' hard state change from [A-Z]* to CRITICAL" "$icinga_dir/log/icinga2.log"
}

# --- Nagios Core ----------------------------------------------------------------------------------
nagios_host() {
    printf 'define host {\n use ib-account\n host_name aws\n contact_groups admins\n}\n'
}
nagios_service() { # nagios_service NAME TEMPLATE ARN LINE…
    printf 'define service {\n use %s\n host_name aws\n service_description %s\n contact_groups admins\n' "$2" "$1"
    printf ' check_interval 2\n retry_interval 1\n _IB_BUILDS -r eu-central-1 --endpoint-url %s -a %s -c 90m\n' \
        "$standin_url" "$3"
    shift 3
    printf ' %s\n' "$@" '}'
}
# Objects come on stdin, "interval_length" is a second: shipped minutes pass as seconds.
# NAGIOS_EXTRA: more lines for nagios.cfg, the last one wins.
nagios_config() {
    mkdir -p "$nagios_dir/rw" "$nagios_dir/archives" "$nagios_dir/checkresults"
    cat >"$nagios_dir/objects.cfg"
    cat >>"$nagios_dir/objects.cfg" <<'CONFIG'
define timeperiod {
    timeperiod_name 24x7
    alias           always
    sunday          00:00-24:00
    monday          00:00-24:00
    tuesday         00:00-24:00
    wednesday       00:00-24:00
    thursday        00:00-24:00
    friday          00:00-24:00
    saturday        00:00-24:00
}
define command {
    command_name    nothing
    command_line    /bin/true
}
define contact {
    contact_name                    nobody
    service_notification_period     24x7
    host_notification_period        24x7
    service_notification_options    n
    host_notification_options       n
    service_notification_commands   nothing
    host_notification_commands      nothing
}
define contactgroup {
    contactgroup_name   admins
    alias               admins
    members             nobody
}
CONFIG
    cat >"$nagios_dir/nagios.cfg" <<CONFIG
log_file=$nagios_dir/nagios.log
cfg_file=$IB_PREFIX/etc/nagios-plugins/config/ib-plugins.cfg
cfg_file=$nagios_dir/objects.cfg
object_cache_file=$nagios_dir/objects.cache
precached_object_file=$nagios_dir/objects.precache
status_file=$nagios_dir/status.dat
status_update_interval=1
nagios_user=$e2e_user
nagios_group=$e2e_group
check_external_commands=1
command_file=$nagios_dir/rw/nagios.cmd
query_socket=$nagios_dir/rw/nagios.qh
lock_file=$nagios_dir/nagios.pid
temp_file=$nagios_dir/nagios.tmp
temp_path=$nagios_dir
log_archive_path=$nagios_dir/archives
check_result_path=$nagios_dir/checkresults
state_retention_file=$nagios_dir/retention.dat
retain_state_information=1
use_syslog=0
event_broker_options=0
interval_length=1
enable_event_handlers=1
log_event_handlers=1
log_service_retries=1
event_handler_timeout=30
service_check_timeout=60
service_check_timeout_state=c
check_result_reaper_frequency=1
enable_notifications=0
execute_host_checks=0
service_inter_check_delay_method=n
service_interleave_factor=1
max_service_check_spread=1
check_for_updates=0
illegal_macro_output_chars=\`~\$&|'"<>
date_format=iso8601
${NAGIOS_EXTRA:-}
CONFIG
    chown -R "$e2e_user" "$nagios_dir"
}
nagios_validate() {
    # shellcheck disable=SC2046 # words
    $(e2e_as_daemon) nagios4 -v "$nagios_dir/nagios.cfg"
}
nagios_start() {
    # Nagios has no environment of its own for a command: the unit file gives it to the daemon.
    # shellcheck disable=SC2046 # words
    e2e_start nagios $(e2e_as_daemon) AWS_SHARED_CREDENTIALS_FILE="$aws_credentials" \
        nagios4 "$nagios_dir/nagios.cfg"
    nagios_pid=$e2e_started
    wait_until 60 test -s "$nagios_dir/status.dat" || { e2e_explain; exit 1; }
}
nagios_service_state() {
    awk -F= -v service="$1" '
        /^servicestatus \{/ { here = 1; found = 0 }
        !here { next }
        { key = $1; sub(/^[ \t]+/, "", key); value = substr($0, index($0, "=") + 1) }
        key == "service_description" { found = (value == service) }
        key == "has_been_checked" { checked = value }
        key == "current_state" { state = value }
        key == "state_type" { type = value }
        key == "plugin_output" { text = value }
        /^[ \t]*\}/ { here = 0
            if (found) {
                split("OK WARNING CRITICAL UNKNOWN", states, " ")
                if (checked == "1") print states[state + 1], (type == "1" ? "HARD" : "SOFT"), text
                else print "PENDING"
            } }' "$nagios_dir/status.dat"
}
nagios_check_now() {
    printf '[%s] SCHEDULE_FORCED_SVC_CHECK;aws;%s;%s\n' "$(date +%s)" "$1" "$(date +%s)" >"$nagios_dir/rw/nagios.cmd"
}
nagios_handler_calls() {
    grep -c "SERVICE EVENT HANDLER: aws;$1;" "$nagios_dir/nagios.log"
}
nagios_handlers_ended_well() {
    ! grep "is a non-check helper but exited with return code" "$nagios_dir/nagios.log"
}
nagios_turned_hard_critical() {
    grep "SERVICE ALERT: aws;$1;CRITICAL;HARD;" "$nagios_dir/nagios.log"
}

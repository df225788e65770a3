#!/bin/sh
# SPDX-License-Identifier: MIT
# The traps of night.sh under Nagios Core, with the configuration that we ship.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/night.sh"

night_command() { # night_command LINE: one external command
    printf '[%s] %s\n' "$(date +%s)" "$1" >"$nagios_dir/rw/nagios.cmd"
}
night_downtime() { # is it in effect? Began below, before the first check was over.
    [ -n "${night_asked:-}" ] || night_command "SCHEDULE_SVC_DOWNTIME;aws;$1;$(date +%s);$(($(date +%s) + 3600));1;0;3600;admin;maintenance"
    night_asked=yes
    grep -q "SERVICE DOWNTIME ALERT: aws;$1;STARTED" "$nagios_dir/nagios.log"
}
night_downtime_end() {
    night_command "DEL_DOWNTIME_BY_HOST_NAME;aws;$1"
    wait_until 60 grep -q "SERVICE DOWNTIME ALERT: aws;$1;\(CANCELLED\|STOPPED\)" "$nagios_dir/nagios.log"
}
night_handler_killed() { # by SIGKILL after event_handler_timeout
    grep -i "event handler.*timed out" "$nagios_dir/nagios.log" || grep "wproc:.*early_timeout=1" "$nagios_dir/nagios.log"
}
night_commented() { # night_commented SERVICE TEXT
    awk -F= -v service="$1" '/^servicecomment \{/ { here = 1; mine = 0 }
        here && $1 ~ /service_description$/ { mine = ($2 == service) }
        here && mine && $1 ~ /comment_data$/ { print }
        /^[ \t]*\}/ { here = 0 }' "$nagios_dir/status.dat" >"$e2e_dir/comments"
    has "$(cat "$e2e_dir/comments")" "$2"
}
night_checked_since_start() {
    [ "$(nagios_last_check "$1")" -gt "$night_restarted" ]
}
nagios_last_check() {
    awk -F= -v service="$1" '/^servicestatus \{/ { here = 1 }
        here && $1 ~ /service_description$/ { mine = ($2 == service) }
        here && mine && $1 ~ /last_check$/ { print $2 }
        /^[ \t]*\}/ { here = mine = 0 }' "$nagios_dir/status.dat"
}
service() { # service NAME TEMPLATE LINE…: times as they are shipped, minutes as seconds
    printf 'define service {\n use %s\n host_name aws\n service_description %s\n contact_groups admins\n' "$2" "$1"
    shift 2
    printf ' %s\n' "$@" '}'
}

e2e_begin nagios4 openssl
aws_start
night_config <<CONFIG
feedback: { nagios: { command_file = "$nagios_dir/rw/nagios.cmd"; }; };
CONFIG
where="-r eu-central-1 --endpoint-url $standin_url -c 90m"
handler="event_handler ib_cancel_action"
{
    nagios_host
    service again ib-stuck-service "_IB_BUILDS $where -n again" "$handler" "_IB_CANCEL_OPTIONS --allow $allow/again/* --confirm-timeout 1s"
    service plain ib-image-service "_IB_BUILDS --config $night_conf -T plain" "$handler" "check_interval 2"
    service guarded ib-image-service "_IB_BUILDS --config $night_conf -T guarded" "$handler" "check_interval 2"
    service "ib beside" ib-image-service "_IB_BUILDS $where -n beside" "check_interval 2"
    service "ib-stuck beside" ib-stuck-service "_IB_BUILDS $where -n beside" "$handler" "_IB_CANCEL_OPTIONS --allow $allow/beside/*"
    service killed ib-stuck-service "_IB_BUILDS $where -a $killed1" "$handler" "is_volatile 0"
    service eager ib-stuck-service "_IB_BUILDS $where -a $eager1" "$handler" "max_check_attempts 6" "_IB_CANCEL_OPTIONS --on soft:2"
    service resting ib-stuck-service "_IB_BUILDS $where -n resting" "$handler" "_IB_CHECK_OPTIONS --none ok" \
        "_IB_CANCEL_OPTIONS --allow $allow/resting/* --skip-in-downtime"
    service told ib-stuck-service "_IB_BUILDS $where -a $told1" "$handler" "check_interval 3600" "is_volatile 0" \
        "_IB_CANCEL_OPTIONS --config $told_conf --recheck nagios --comment"
    service flow ib-stuck-service "_IB_BUILDS --config $flow_conf -T flow" "$handler"
    service ib-sweep ib-sweep-service "_IB_BUILDS --config $night_conf --all-targets"
    service ib-unconfirmed ib-unconfirmed-service
} | NAGIOS_EXTRA="event_handler_timeout=9" nagios_config
ok "the configuration is valid" nagios_validate
scheduler_start nagios
night_pid=$nagios_pid
night_judge
e2e_done

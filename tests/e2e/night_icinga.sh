#!/bin/sh
# SPDX-License-Identifier: MIT
# The traps of night.sh under Icinga 2, with the configuration that we ship.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/night.sh"

night_downtime() {
    [ -n "${night_asked:-}" ] || icinga_post "actions/schedule-downtime?service=aws!$1" \
        "{\"author\": \"admin\", \"comment\": \"maintenance\", \"fixed\": true, \"start_time\": $(($(date +%s) - 1)), \"end_time\": $(($(date +%s) + 3600))}" >/dev/null
    night_asked=yes
    icinga_get "objects/services?service=aws!$1&attrs=downtime_depth" | grep '"downtime_depth":1'
}
night_downtime_end() {
    icinga_post "actions/remove-downtime?service=aws!$1" '{"author": "admin"}' >/dev/null
}
night_handler_killed() { # SIGTERM at the command's timeout
    grep -F "$killed1" "$icinga_dir/log/icinga2.log" | grep "Terminating process .*ib_cancel_action.* after timeout of 4"
}
night_commented() {
    has "$(icinga_get "objects/comments" | "$e2e_python" -c '
import json, sys
print(*["%s: %s" % (c["attrs"]["author"], c["attrs"]["text"]) for c in json.load(sys.stdin)["results"]
        if c["attrs"]["service_name"] == sys.argv[1]])' "$1")" "$2"
}
night_checked_since_start() {
    icinga_get "objects/services?service=aws!$1&attrs=last_check" | "$e2e_python" -c '
import json, sys
sys.exit(json.load(sys.stdin)["results"][0]["attrs"]["last_check"] <= float(sys.argv[1]))' "$night_restarted"
}

feedback_may() { # feedback_may METHOD PATH: what Icinga answers the shipped API user
    # 2.13 says 404 where it means that there is nothing that this user may see.
    curl -sk --max-time 5 -o /dev/null -w '%{http_code}' -u ib-plugins:e2e-feedback -X "$1" \
        -H 'Accept: application/json' "https://127.0.0.1:$icinga_port/v1/$2"
}

e2e_begin icinga2 curl openssl
aws_start
umask 022
printf 'e2e-feedback\n' >"$e2e_dir/icinga-password"
chmod 640 "$e2e_dir/icinga-password" && chgrp "$e2e_group" "$e2e_dir/icinga-password"
night_config </dev/null
# The user of --recheck and --comment, with the permissions that conf/icinga2/api-user.conf ships.
sed -e 's/change-me/e2e-feedback/' "$IB_PREFIX/share/ib-plugins/icinga2/api-user.conf" >"$e2e_dir/api-user.conf"
icinga_config <<CONFIG
include "$e2e_dir/api-user.conf"
object EventCommand "ib_cancel_action_short" {
  import "ib_cancel_action"
  timeout = 4s
}
template Service "night" {
  host_name = "aws"
  event_command = "ib_cancel_action"
  check_interval = 2s
  retry_interval = 1s
  vars.ib_critical = "90m"
}
object Host "aws" {
  import "ib-account"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_credentials_file = "$aws_credentials"
  vars.ib_images["beside"] = {
    ib_image = "beside"; ib_critical = "90m"; ib_cancel = true; ib_cancel_allow = "$allow/beside/*"
    ib_check_interval = 2s; ib_retry_interval = 1s
  }
}
object Service "foreign" {
  host_name = "aws"
  check_command = "dummy"
}
object Service "again" {
  import "ib-stuck-service"
  import "night"
  vars.ib_image = "again"
  vars.ib_cancel_allow = "$allow/again/*"
  vars.ib_cancel_confirm_timeout = "1s"
}
object Service "plain" {
  import "ib-image-service"
  import "night"
  vars.ib_config = "$night_conf"
  vars.ib_target = "plain"
}
object Service "guarded" {
  import "ib-image-service"
  import "night"
  vars.ib_config = "$night_conf"
  vars.ib_target = "guarded"
}
object Service "killed" {
  import "ib-stuck-service"
  import "night"
  event_command = "ib_cancel_action_short"
  volatile = false
  vars.ib_arn = "$killed1"
}
object Service "eager" {
  import "ib-stuck-service"
  import "night"
  max_check_attempts = 6
  vars.ib_arn = "$eager1"
  vars.ib_cancel_on = "soft:2"
}
object Service "resting" {
  import "ib-stuck-service"
  import "night"
  vars.ib_image = "resting"
  vars.ib_none = "ok"
  vars.ib_cancel_allow = "$allow/resting/*"
  vars.ib_cancel_skip_in_downtime = true
}
object Service "told" {
  import "ib-stuck-service"
  import "night"
  check_interval = 1h
  volatile = false
  vars.ib_arn = "$told1"
  vars.ib_config = "$told_conf"
  vars.ib_cancel_recheck = "icinga"
  vars.ib_cancel_comment = true
}
object Service "flow" {
  import "ib-stuck-service"
  import "night"
  vars.ib_config = "$flow_conf"
  vars.ib_target = "flow"
}
object Service "ib-sweep" {
  import "ib-sweep-service"
  host_name = "aws"
  check_interval = 2s
  retry_interval = 1s
  vars.ib_config = "$night_conf"
}
object Service "ib-unconfirmed" {
  import "ib-unconfirmed-service"
  host_name = "aws"
  check_interval = 2s
  retry_interval = 1s
}
CONFIG
# By the name in its certificate, as conf/ib-plugins.conf says.
cat >"$told_conf" <<CONFIG
feedback: { icinga: { url = "https://localhost:$icinga_port"; user = "ib-plugins";
                      password_file = "$e2e_dir/icinga-password"; ca = "$icinga_dir/data/certs/ca.crt"; }; };
CONFIG
ok "the configuration is valid" icinga_validate
scheduler_start icinga
# Icinga takes up to a minute for the first check of a service with a long interval.
icinga_post "actions/reschedule-check?service=aws!told" '{"force": true}' >/dev/null
ok "the shipped API user may not look at objects" is "$(feedback_may GET objects/services)" 404
ok "the shipped API user may not end the daemon" is "$(feedback_may POST actions/shutdown-process)" 404
ok "the shipped API user may not have other services checked" is \
    "$(feedback_may POST "actions/reschedule-check?service=aws!foreign")" 404
night_pid=$icinga_pid
night_judge
e2e_done

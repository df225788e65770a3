#!/bin/sh
# SPDX-License-Identifier: MIT
# A stuck build is found, cancelled and confirmed by Nagios Core with the configuration that we ship.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/scenarios.sh"

e2e_begin nagios4 openssl
aws_start
builds_add
{
    nagios_host
    nagios_service "ib stuck" ib-image-service "$stuck"
    nagios_service "ib-stuck stuck" ib-stuck-service "$stuck" "event_handler ib_cancel_action"
    nagios_service "ib failed" ib-image-service "$failed"
    nagios_service "ib-stuck failed" ib-stuck-service "$failed" "event_handler ib_cancel_action"
    nagios_service finished ib-stuck-service "$finished" "event_handler ib_cancel_action" "max_check_attempts 1"
    nagios_service soft ib-stuck-service "$soft" "event_handler ib_cancel_action" "max_check_attempts 1000" "is_volatile 0"
    nagios_service young ib-stuck-service "$young" "event_handler ib_cancel_action" "max_check_attempts 1"
    cat <<CONFIG
define service {
    use                     ib-stuck-service
    host_name               aws
    service_description     left
    contact_groups          admins
    check_interval          2
    retry_interval          1
    is_volatile             0
    event_handler           ib_cancel_action
    _IB_BUILDS              -r eu-central-1 --endpoint-url $standin_url -n left -c 90m
    _IB_CHECK_OPTIONS       --none ok
    _IB_CANCEL_OPTIONS      --allow arn:aws:imagebuilder:*:123456789012:image/left/* --confirm-timeout 1s
}
define service {
    use                     ib-unconfirmed-service
    host_name               aws
    service_description     ib-unconfirmed
    contact_groups          admins
    _IB_CANCEL_OPTIONS      --confirm-timeout 1s
}
CONFIG
} | NAGIOS_EXTRA=service_check_timeout=4 nagios_config
ok "the configuration is valid" nagios_validate
scheduler_start nagios
scenarios_judge
ok "a check that Nagios ends at its timeout is reported as CRITICAL" \
    wait_until 60 grep 'SERVICE ALERT: aws;young;CRITICAL;HARD' "$nagios_dir/nagios.log"
ok "a check that Nagios ends at its timeout: the handler is called for CRITICAL HARD" \
    wait_until 60 grep 'SERVICE EVENT HANDLER: aws;young;CRITICAL;HARD' "$nagios_dir/nagios.log"
ok "a check that Nagios ends at its timeout: the next one is OK" wait_until 60 service_is "young" OK HARD
ok "a check that Nagios ends at its timeout cancels nothing" cancel_requests_are "$young" 0
ok "nothing is left open" wait_until 60 service_is "ib-unconfirmed" OK HARD
journal_judge
ok "no call of the handler ended with an error" handlers_ended_well
unconfirmed_judge
ok "after all that each build was cancelled as often as it should be" is \
    "$(ctl cancels "$stuck") $(ctl cancels "$finished") $(ctl cancels "$soft") $(ctl cancels "$young") $(ctl cancels "$failed")" \
    "1 0 0 0 0"
e2e_done

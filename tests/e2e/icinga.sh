#!/bin/sh
# SPDX-License-Identifier: MIT
# A stuck build is found, cancelled and confirmed by Icinga 2 with the configuration that we ship.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/scenarios.sh"

e2e_begin icinga2 curl openssl
aws_start
builds_add
icinga_config <<CONFIG
template Service "e2e" {
  host_name = "aws"
  check_interval = 2s
  retry_interval = 1s
  event_command = "ib_cancel_action"
}
object Host "aws" {
  import "ib-account"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_credentials_file = "$aws_credentials"
  vars.ib_unconfirmed = true
  vars.ib_cancel_confirm_timeout = "1s"
  vars.ib_images["stuck"] = {
    ib_arn = "$stuck"; ib_critical = "90m"; ib_cancel = true; ib_check_interval = 2s; ib_retry_interval = 1s
    ib_cancel_confirm_timeout = "15s"
  }
  vars.ib_images["failed"] = {
    ib_arn = "$failed"; ib_critical = "90m"; ib_cancel = true; ib_check_interval = 2s; ib_retry_interval = 1s
  }
}
object Service "finished" {
  import "ib-stuck-service"
  import "e2e"
  max_check_attempts = 1
  vars.ib_arn = "$finished"
  vars.ib_critical = "90m"
}
object Service "soft" {
  import "ib-stuck-service"
  import "e2e"
  volatile = false
  max_check_attempts = 1000
  vars.ib_arn = "$soft"
  vars.ib_critical = "90m"
}
object Service "young" {
  import "ib-stuck-service"
  import "e2e"
  max_check_attempts = 1
  check_timeout = 3s
  vars.ib_arn = "$young"
  vars.ib_critical = "90m"
}
object Service "left" {
  import "ib-stuck-service"
  import "e2e"
  volatile = false
  vars.ib_image = "left"
  vars.ib_critical = "90m"
  vars.ib_none = "ok"
  vars.ib_cancel_allow = "arn:aws:imagebuilder:*:123456789012:image/left/*"
}
CONFIG
ok "the configuration is valid" icinga_validate
scheduler_start icinga
scenarios_judge
ok "a check that Icinga ends at its timeout: the handler is called" wait_until 60 handler_called "young" 1
ok "a check that Icinga ends at its timeout: the next one is OK" wait_until 60 service_is "young" OK HARD
ok "a check that Icinga ends at its timeout cancels nothing" cancel_requests_are "$young" 0
check_now ib-unconfirmed
ok "nothing is left open" wait_until 60 service_is "ib-unconfirmed" OK HARD
journal_judge
ok "no call of the handler ended with an error" handlers_ended_well
unconfirmed_judge
ok "after all that each build was cancelled as often as it should be" is \
    "$(ctl cancels "$stuck") $(ctl cancels "$finished") $(ctl cancels "$soft") $(ctl cancels "$young") $(ctl cancels "$failed")" \
    "1 0 0 0 0"
e2e_done

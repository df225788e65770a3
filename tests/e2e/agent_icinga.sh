#!/bin/sh
# SPDX-License-Identifier: MIT
# An Icinga 2 master that schedules and an agent that runs what it is told (command_endpoint), both on
# loopback: check and event handler run on the agent, with the agent's credentials and journal.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/zones.sh"

endpoints() {
    cat <<CONFIG
object Endpoint "master1" { host = "127.0.0.1"; port = $master_port }
object Endpoint "agent1" { host = "127.0.0.1"; port = $agent_port }
object Zone "master" { endpoints = [ "master1" ] }
object Zone "agent1" { endpoints = [ "agent1" ]; parent = "master" }
CONFIG
}
master_objects() {
    endpoints
    cat <<CONFIG
include "$IB_PREFIX/share/ib-plugins/icinga2/services.conf"
object Host "aws" {
  import "ib-account"
  zone = "master"
  vars.ib_agent = "agent1"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_unconfirmed = true
  vars.ib_images["agent"] = {
    ib_image = "agent"; ib_critical = "90m"; ib_none = "ok"; ib_check_interval = 2s; ib_retry_interval = 1s
    ib_cancel = true; ib_cancel_allow = "arn:aws:imagebuilder:*:123456789012:image/agent/*"
    ib_credentials_file = "$aws_credentials"
  }
}
CONFIG
}
connected() { # both sides say so
    zone_connected master1 agent1 && zone_connected agent1 master1
}

e2e_begin icinga2 openssl
aws_start
master_port=$(e2e_free_port)
agent_port=$(e2e_free_port)
zone_certificates master1 agent1
master_objects | zone_config master1 master "$master_port"
endpoints | zone_config agent1 agent1 "$agent_port"
ok "the configuration is valid on the master" zone_valid master1
ok "the configuration is valid on the agent" zone_valid agent1
zone_start master1
zone_start agent1
ok "master and agent are connected" wait_until 60 connected
ok "the agent runs the check" wait_until 60 zone_checks agent1 -ge 1
stuck=$(ctl add-image name=agent status=BUILDING age_s=8000 'on_cancel={"polls": 1}')
ok "the agent runs the handler" wait_until 60 zone_called agent1 1
ok "the build is cancelled" wait_until 60 state_is "$stuck" CANCELLED
ok "once" cancels_are "$stuck" 1
ok "by the agent, as its journal tells" has "$(zone_history agent1)" " claim "
ok "the master ran no check itself" zone_checks master1 -eq 0
ok "the master ran no handler itself" is "$(grep -c "Running command .*ib_cancel_action" "$e2e_dir/master1/log/icinga2.log")" 0
ok "what is open is looked after on the agent" wait_until 60 grep -q "Running command .*'--resume'" "$e2e_dir/agent1/log/icinga2.log"
ok "the stand-in has nothing to complain about" is "$(ctl problems)" ""
e2e_done

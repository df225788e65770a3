#!/bin/sh
# SPDX-License-Identifier: MIT
# Two Icinga 2 daemons on loopback, a master zone and a satellite zone below it, which gets its objects
# from the master; the package is on both. Icinga runs the event handler of a satellite's service in both zones; the one
# that did not run the check does nothing. The journal is each node's own, as on two machines.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/zones.sh"

endpoints() {
    cat <<CONFIG
object Endpoint "master1" { host = "127.0.0.1"; port = $master_port }
object Endpoint "satellite1" { host = "127.0.0.1"; port = $satellite_port }
object Zone "master" { endpoints = [ "master1" ] }
object Zone "satellite" { endpoints = [ "satellite1" ]; parent = "master" }
CONFIG
}
zone_objects() {
    cat <<CONFIG
include "$IB_PREFIX/share/ib-plugins/icinga2/services.conf"
object Host "aws" {
  import "ib-account"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_credentials_file = "$aws_credentials"
  vars.ib_images["zones"] = {
    ib_image = "zones"; ib_critical = "90m"; ib_none = "ok"; ib_check_interval = 2s; ib_retry_interval = 1s
    ib_cancel = true; ib_cancel_allow = "arn:aws:imagebuilder:*:123456789012:image/zones/*"
  }
}
CONFIG
}
connected() { # both sides say so
    zone_connected master1 satellite1 && zone_connected satellite1 master1
}

e2e_begin icinga2 openssl
aws_start
master_port=$(e2e_free_port)
satellite_port=$(e2e_free_port)
zone_certificates master1 satellite1
# The satellite gets its objects from the master, by zones.d, as README.md says.
mkdir -p "$e2e_dir/master1/etc/zones.d/satellite"
zone_objects >"$e2e_dir/master1/etc/zones.d/satellite/aws.conf"
endpoints | zone_config master1 master "$master_port"
endpoints | zone_config satellite1 satellite "$satellite_port"
ok "the configuration is valid on the master" zone_valid master1
ok "the configuration is valid on the satellite" zone_valid satellite1
zone_start master1
zone_start satellite1
ok "master and satellite are connected" wait_until 60 connected
ok "the satellite runs the check" wait_until 60 zone_checks satellite1 -ge 1
# Its cancel takes a while, so that both nodes get their calls.
stuck=$(ctl add-image name=zones status=BUILDING age_s=8000 'on_cancel={"after_s": 5}')
ok "the satellite calls the handler" wait_until 60 zone_called satellite1 1
ok "the master calls it too" wait_until 60 zone_called master1 1
ok "the build is cancelled" wait_until 60 state_is "$stuck" CANCELLED
ok "the master never ran the check" zone_checks master1 -eq 0
ok "once" cancels_are "$stuck" 1
ok "by the satellite, as its journal tells" has "$(zone_history satellite1)" " claim "
ok "the master's handler had no hand in it" is "$(zone_history master1 | grep -c "$stuck")" 0
ok "the stand-in has nothing to complain about" is "$(ctl problems)" ""
e2e_done

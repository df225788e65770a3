#!/bin/sh
# SPDX-License-Identifier: MIT
# Two Icinga 2 daemons on loopback, a master zone and a satellite zone below it, which gets its objects
# from the master; the package is on both. Icinga runs the event handler of a satellite's service in both zones; the one
# that did not run the check does nothing.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/zones.sh"

e2e_begin icinga2 openssl
aws_start
zone_pair_begin
# The satellite gets its objects from the master, by zones.d, as README.md says.
cat >"$e2e_dir/master1/etc/zones.d/satellite/aws.conf" <<CONFIG
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
zone_pair_judge
e2e_done

#!/bin/sh
# SPDX-License-Identifier: MIT
# zones_icinga.sh once more, with the commands and templates of the Icinga Director basket in place of
# the package's: as Director renders them, in the global zone that it uses. Director itself does not run.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/e2e/zones.sh"

e2e_begin icinga2 openssl
aws_start
zone_pair_begin
zone_commands=
zone_more='object Zone "director-global" { global = true }'
mkdir "$e2e_dir/master1/etc/zones.d/director-global"
# Director's commands have no environment: the unit file gives it to the daemon.
zone_environment=AWS_SHARED_CREDENTIALS_FILE=$aws_credentials
"$e2e_python" "$top/tests/e2e/director.py" "$IB_PREFIX/share/ib-plugins/director/ib-plugins-basket.json" \
    "$IB_PREFIX/lib/nagios/plugins" >"$e2e_dir/master1/etc/zones.d/director-global/basket.conf"
cat >"$e2e_dir/master1/etc/zones.d/satellite/aws.conf" <<CONFIG
object Host "aws" {
  check_command = "dummy"
  enable_active_checks = false
}
object Service "zones" {
  import "ib-stuck-cancel-service"
  host_name = "aws"
  check_interval = 2s
  retry_interval = 1s
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_image = "zones"
  vars.ib_critical = "90m"
  vars.ib_none = "ok"
  vars.ib_cancel_allow = "arn:aws:imagebuilder:*:123456789012:image/zones/*"
}
CONFIG
zone_pair_judge
e2e_done

#!/bin/sh
# SPDX-License-Identifier: MIT
# Two Icinga 2 daemons on loopback, a master zone and a satellite zone below it, the same shipped
# configuration on both. Icinga runs the event handler of a satellite's service in both zones; the one
# that did not run the check does nothing. The journal is each node's own, as on two machines.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"

zone_certificates() { # one CA for both nodes
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=ib-e2e CA" \
        -keyout "$e2e_dir/ca.key" -out "$e2e_dir/ca.crt" 2>/dev/null
    for zone_node in master1 satellite1; do
        zone_dir=$e2e_dir/$zone_node
        mkdir -p "$zone_dir/etc" "$zone_dir/data/certs" "$zone_dir/log" "$zone_dir/cache" "$zone_dir/spool" \
            "$zone_dir/run"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$zone_node" \
            -keyout "$zone_dir/data/certs/$zone_node.key" -out "$zone_dir/$zone_node.csr" 2>/dev/null
        openssl x509 -req -days 2 -in "$zone_dir/$zone_node.csr" -CA "$e2e_dir/ca.crt" -CAkey "$e2e_dir/ca.key" \
            -CAcreateserial -out "$zone_dir/data/certs/$zone_node.crt" 2>/dev/null
        cp "$e2e_dir/ca.crt" "$zone_dir/data/certs/ca.crt"
    done
}
zone_config() { # zone_config NODE ZONE PORT
    zone_dir=$e2e_dir/$1
    cat >"$zone_dir/icinga2.conf" <<CONFIG
const PluginDir = "$IB_PREFIX/lib/nagios/plugins"
const PluginContribDir = PluginDir
const NodeName = "$1"
const ZoneName = "$2"
include <itl>
include "$IB_PREFIX/share/icinga2/include/plugins-contrib.d/*.conf"
include "$IB_PREFIX/share/ib-plugins/icinga2/services.conf"
object Endpoint "master1" { host = "127.0.0.1"; port = $master_port }
object Endpoint "satellite1" { host = "127.0.0.1"; port = $satellite_port }
object Zone "master" { endpoints = [ "master1" ] }
object Zone "satellite" { endpoints = [ "satellite1" ]; parent = "master" }
object IcingaApplication "app" { }
object CheckerComponent "checker" { }
object FileLogger "main" { severity = "notice"; path = "$zone_dir/log/icinga2.log" }
object ApiListener "api" { bind_host = "127.0.0.1"; bind_port = $3; accept_config = true; accept_commands = true }
object ApiUser "e2e" { password = "e2e"; permissions = [ "*" ] }
object Host "aws" {
  import "ib-account"
  zone = "satellite"
  vars.ib_region = "eu-central-1"
  vars.ib_endpoint_url = "$standin_url"
  vars.ib_credentials_file = "$aws_credentials"
  vars.ib_cancel_state_dir = "$zone_dir/state"
  vars.ib_images["zones"] = {
    ib_image = "zones"; ib_critical = "90m"; ib_none = "ok"; ib_check_interval = 2s; ib_retry_interval = 1s
    ib_cancel = true; ib_cancel_allow = "arn:aws:imagebuilder:*:123456789012:image/zones/*"
  }
}
CONFIG
    chown -R "$e2e_user" "$zone_dir"
    mkdir "$zone_dir/state" && chgrp "$e2e_group" "$zone_dir/state" && chmod 2770 "$zone_dir/state" || exit 1
}
zone_start() { # zone_start NODE
    zone_dir=$e2e_dir/$1
    # shellcheck disable=SC2046 # words
    e2e_start "$1" $(e2e_as_daemon) icinga2 daemon -c "$zone_dir/icinga2.conf" -D ConfigDir="$zone_dir/etc" \
        -D DataDir="$zone_dir/data" -D LogDir="$zone_dir/log" -D CacheDir="$zone_dir/cache" \
        -D SpoolDir="$zone_dir/spool" -D InitRunDir="$zone_dir/run" -D RunAsUser="$e2e_user" -D RunAsGroup="$e2e_group"
}
zone_valid() {
    zone_dir=$e2e_dir/$1
    # shellcheck disable=SC2046 # words
    $(e2e_as_daemon) icinga2 daemon -C -c "$zone_dir/icinga2.conf" -D ConfigDir="$zone_dir/etc" \
        -D DataDir="$zone_dir/data" -D LogDir="$zone_dir/log" -D CacheDir="$zone_dir/cache" \
        -D SpoolDir="$zone_dir/spool" -D InitRunDir="$zone_dir/run" -D RunAsUser="$e2e_user" -D RunAsGroup="$e2e_group"
}
zone_called() { # zone_called NODE N: calls of the handler for HARD CRITICAL, at least
    zone_n=$(grep "Running command .*ib_cancel_action.*'--state' 'CRITICAL'.*'--state-type' 'HARD'" \
        "$e2e_dir/$1/log/icinga2.log" | grep -c "'--node' '$1'")
    [ "$zone_n" -ge "$2" ] || {
        echo "$1 called it $zone_n times"
        return 1
    }
}
zone_history() { # zone_history NODE: lines of audit about the build
    "$IB_PREFIX/lib/nagios/plugins/eventhandlers/ib_cancel_action" --history -a "$stuck" --state-dir "$e2e_dir/$1/state"
}
connected() { # both sides say so
    grep -q "Finished syncing endpoint 'satellite1'\|New client connection.*satellite1" "$e2e_dir/master1/log/icinga2.log" &&
        grep -q "Finished syncing endpoint 'master1'\|New client connection.*master1" "$e2e_dir/satellite1/log/icinga2.log"
}
checks_on() { # checks_on NODE N -ge|-eq: how often it ran the check itself
    test "$(grep -c "Running command .*/check_ib_image.*--stuck-only" "$e2e_dir/$1/log/icinga2.log")" "$3" "$2"
}

e2e_begin icinga2 openssl
aws_start
master_port=$(e2e_free_port)
satellite_port=$(e2e_free_port)
zone_certificates
zone_config master1 master "$master_port"
zone_config satellite1 satellite "$satellite_port"
ok "the configuration is valid on the master" zone_valid master1
ok "the configuration is valid on the satellite" zone_valid satellite1
zone_start master1
zone_start satellite1
ok "master and satellite are connected" wait_until 30 connected
ok "the satellite runs the check" wait_until 20 checks_on satellite1 1 -ge
# Its cancel takes a while, so that both nodes get their calls.
stuck=$(ctl add-image name=zones status=BUILDING age_s=8000 'on_cancel={"after_s": 5}')
ok "the satellite calls the handler" wait_until 20 zone_called satellite1 1
ok "the master calls it too" wait_until 20 zone_called master1 1
ok "the build is cancelled" wait_until 20 state_is "$stuck" CANCELLED
ok "the master never ran the check" checks_on master1 0 -eq
ok "once" cancels_are "$stuck" 1
ok "by the satellite, as its journal tells" has "$(zone_history satellite1)" " claim "
ok "the master's handler had no hand in it" is "$(zone_history master1 | grep -c "$stuck")" 0
ok "the stand-in has nothing to complain about" is "$(ctl problems)" ""
e2e_done

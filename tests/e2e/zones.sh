# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# Several Icinga 2 daemons on loopback that know each other. Sourced after tests/e2e/lib.sh.

zone_certificates() { # zone_certificates NODE…: one CA for all
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=ib-e2e CA" \
        -keyout "$e2e_dir/ca.key" -out "$e2e_dir/ca.crt" 2>/dev/null
    for zone_node in "$@"; do
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
# zone_config NODE ZONE PORT: the shipped commands and templates, and the objects that come on stdin.
# zone_commands, when it is set: another configuration in place of the package's commands.
# Each node has a journal of its own, as on machines of their own.
zone_config() {
    zone_dir=$e2e_dir/$1
    zone_shipped="include \"$IB_PREFIX/share/icinga2/include/plugins-contrib.d/*.conf\""
    {
        cat <<CONFIG
const PluginDir = "$IB_PREFIX/lib/nagios/plugins"
const PluginContribDir = PluginDir
const NodeName = "$1"
const ZoneName = "$2"
include <itl>
${zone_commands-$zone_shipped}
object IcingaApplication "app" { }
object CheckerComponent "checker" { }
object FileLogger "main" { severity = "notice"; path = "$zone_dir/log/icinga2.log" }
object ApiListener "api" { bind_host = "127.0.0.1"; bind_port = $3; accept_config = true; accept_commands = true }
object ApiUser "e2e" { password = "e2e"; permissions = [ "*" ] }
CONFIG
        cat
    } >"$zone_dir/icinga2.conf"
    chown -R "$e2e_user" "$zone_dir"
    mkdir "$zone_dir/state" && chgrp "$e2e_group" "$zone_dir/state" && chmod 2770 "$zone_dir/state" || exit 1
}
zone_command() { # zone_command NODE
    zone_dir=$e2e_dir/$1
    echo "$(e2e_as_daemon) IB_STATE_DIR=$zone_dir/state ${zone_environment:-} icinga2 daemon -c $zone_dir/icinga2.conf -D ConfigDir=$zone_dir/etc \
        -D DataDir=$zone_dir/data -D LogDir=$zone_dir/log -D CacheDir=$zone_dir/cache -D SpoolDir=$zone_dir/spool \
        -D InitRunDir=$zone_dir/run -D ZonesDir=$zone_dir/etc/zones.d -D RunAsUser=$e2e_user -D RunAsGroup=$e2e_group"
}
zone_start() { # zone_start NODE
    # shellcheck disable=SC2046 # words
    e2e_start "$1" $(zone_command "$1")
}
zone_valid() { # zone_valid NODE
    # shellcheck disable=SC2046 # words
    $(zone_command "$1") -C
}
zone_called() { # zone_called NODE N: calls of the handler for HARD CRITICAL, at least
    zone_n=$(grep "Running command .*ib_cancel_action.*'--state' 'CRITICAL'.*'--state-type' 'HARD'" \
        "$e2e_dir/$1/log/icinga2.log" | grep -c "'--node' '$1'")
    [ "$zone_n" -ge "$2" ] || {
        echo "$1 called it $zone_n times"
        return 1
    }
}
zone_history() { # zone_history NODE: lines of audit
    "$IB_PREFIX/lib/nagios/plugins/eventhandlers/ib_cancel_action" --history --state-dir "$e2e_dir/$1/state"
}
zone_connected() { # zone_connected NODE PEER
    grep -q "Finished syncing endpoint '$2'\|New client connection.*$2" "$e2e_dir/$1/log/icinga2.log"
}
zone_checks() { # zone_checks NODE -ge|-eq N: how often it ran the check itself
    test "$(grep -c "Running command .*/check_ib_image.*--stuck-only" "$e2e_dir/$1/log/icinga2.log")" "$2" "$3"
}

# --- a master and a satellite below it, which gets its objects from the master -------------------------
# The journal is each node's own, as on two machines.
zone_pair() { # for both nodes; zone_more: more of it
    cat <<CONFIG
object Endpoint "master1" { host = "127.0.0.1"; port = $master_port }
object Endpoint "satellite1" { host = "127.0.0.1"; port = $satellite_port }
object Zone "master" { endpoints = [ "master1" ] }
object Zone "satellite" { endpoints = [ "satellite1" ]; parent = "master" }
${zone_more:-}
CONFIG
}
zone_pair_connected() { # both sides say so
    zone_connected master1 satellite1 && zone_connected satellite1 master1
}
zone_pair_begin() { # the caller then fills etc/zones.d of the master, and calls zone_pair_judge
    master_port=$(e2e_free_port)
    satellite_port=$(e2e_free_port)
    zone_certificates master1 satellite1
    mkdir -p "$e2e_dir/master1/etc/zones.d/satellite"
}
# Host "aws" has a service with the handler that watches image "zones".
zone_pair_judge() {
    zone_pair | zone_config master1 master "$master_port"
    zone_pair | zone_config satellite1 satellite "$satellite_port"
    ok "the configuration is valid on the master" zone_valid master1
    ok "the configuration is valid on the satellite" zone_valid satellite1
    zone_start master1
    zone_start satellite1
    ok "master and satellite are connected" wait_until 60 zone_pair_connected
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
}

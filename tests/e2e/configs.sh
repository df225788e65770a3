#!/bin/sh
# SPDX-License-Identifier: MIT
# The shipped configuration is accepted by the real tools, and NRPE runs its commands.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"

e2e_begin icinga2 nagios4 nrpe openssl
aws_start

# Every custom variable that the commands know, in one entry: nothing is misspelt or of a wrong type.
variables=$(grep -o '"\$ib_[a-z0-9_]*\$"' "$IB_PREFIX/share/icinga2/include/plugins-contrib.d/ib-plugins.conf" |
    tr -d '"$' | sort -u)
{
    echo 'object Host "aws" {'
    echo '  import "ib-account"'
    echo '  vars.ib_unconfirmed = true'
    echo '  vars.ib_images["all"] = {'
    echo '    ib_cancel = true'
    for name in $variables; do
        echo "    $name = \"1\""
    done
    echo '  }'
    echo '}'
    echo 'object Service "sweep" { host_name = "aws"; check_command = "ib_sweep" }'
} | icinga_config
ok "Icinga 2 accepts commands, templates and services" icinga_validate
ok "there are variables for every option" test "$(echo "$variables" | wc -l)" -ge 40

# An apply rule makes both services, the handler only where it is asked for.
icinga_config <<'CONFIG'
object Host "aws" {
  import "ib-account"
  vars.ib_images["told"] = { ib_pipeline = "told" }
  vars.ib_images["cancelled"] = { ib_pipeline = "cancelled"; ib_cancel = true; ib_cancel_allow = [ "arn:aws:imagebuilder:*:1:image/*" ] }
}
CONFIG
icinga_validate >/dev/null 2>&1
# shellcheck disable=SC2046 # words
$(e2e_as_daemon) icinga2 object list --type Service -D CacheDir="$icinga_dir/cache" -D DataDir="$icinga_dir/data" \
    -D ConfigDir="$icinga_dir/etc" -D LogDir="$icinga_dir/log" >"$e2e_dir/objects.out" 2>&1
handler_of() {
    sed 's/\x1b\[[0-9;]*m//g' "$e2e_dir/objects.out" | awk -v name="aws!$1" '
        /^Object / { here = index($0, "\047" name "\047") }
        here && /event_command = / { print $NF }' | tr -d '"'
}
ok "an entry without ib_cancel has no event handler" is "$(handler_of "ib-stuck told")" ""
ok "an entry with ib_cancel has it" is "$(handler_of "ib-stuck cancelled")" ib_cancel_action
ok "the service that tells never has it" is "$(handler_of "ib cancelled")" ""

cat "$IB_PREFIX/share/ib-plugins/nagios/example-services.cfg" | nagios_config
ok "Nagios Core accepts commands, templates and the example" nagios_validate
ok "Nagios Core has no warning about them" has "$(nagios_validate)" "Total Warnings: 0"

# NRPE: the shipped commands take no arguments; what to watch is in ib-plugins.conf.
arn=$(ctl add-image name=far status=BUILDING age_s=7980)
config=$IB_PREFIX/etc/ib-plugins/ib-plugins.conf
cp -p "$config" "$e2e_dir/ib-plugins.conf.kept"
trap 'cp -p "$e2e_dir/ib-plugins.conf.kept" "$config"; e2e_end' EXIT
cat >"$config" <<CONFIG
targets: { far: { arn = "$arn"; critical = "90m"; endpoint_url = "$standin_url"; }; };
CONFIG
nrpe_port=$(e2e_free_port)
mkdir "$e2e_dir/nrpe" && chown "$e2e_user" "$e2e_dir/nrpe"
cat >"$e2e_dir/nrpe.cfg" <<CONFIG
server_address=127.0.0.1
server_port=$nrpe_port
nrpe_user=$e2e_user
nrpe_group=$e2e_group
allowed_hosts=127.0.0.1
dont_blame_nrpe=0
pid_file=$e2e_dir/nrpe/nrpe.pid
log_file=$e2e_dir/nrpe/nrpe.log
include=$IB_PREFIX/share/ib-plugins/nrpe/ib-plugins.cfg
CONFIG
# shellcheck disable=SC2046 # words
e2e_start nrpe $(e2e_as_daemon) AWS_SHARED_CREDENTIALS_FILE="$aws_credentials" nrpe -n -f -c "$e2e_dir/nrpe.cfg"
ask() {
    /usr/lib/nagios/plugins/check_nrpe -n -u -t 35 -H 127.0.0.1 -p "$nrpe_port" -c "$1"
}
answers() {
    ask "$1" 2>&1 | grep -q IB_IMAGE
}
ok "NRPE runs the shipped check" wait_until 60 answers check_ib_image
ask check_ib_stuck >"$e2e_dir/nrpe.answer"
ok "NRPE hands the exit code on" is $? 2
ok "NRPE hands the text on" has "$(cat "$e2e_dir/nrpe.answer")" "far 1.0.0/1 BUILDING for 2h"
e2e_done

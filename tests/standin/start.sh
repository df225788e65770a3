# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
# Sourced by shell tests: a stand-in of their own, and a place for scratch files.
#
#   . "$abs_top_srcdir/tests/standin/start.sh"
#   standin_start [ARGUMENT…]   sets standin_dir, standin_port, standin_url; stops it at exit
#   ctl COMMAND [ARGUMENT…]     the control API
#   standin_keys                exports the default credentials and a Region
abs_top_srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
standin_home=$abs_top_srcdir/tests/standin
standin_pid=
standin_dir=

standin_stop() {
    if [ -n "$standin_pid" ]; then
        kill "$standin_pid" 2>/dev/null
        wait "$standin_pid" 2>/dev/null
        standin_pid=
    fi
}

standin_clean() {
    standin_stop
    [ -z "$standin_dir" ] || rm -rf "$standin_dir"
}

standin_start() {
    if [ -z "$standin_dir" ]; then
        standin_dir=$(mktemp -d) || exit 99
        trap standin_clean EXIT
        trap 'exit 99' HUP INT TERM
        # The journal of what the programs under test do, gone with the rest.
        IB_STATE_DIR=$standin_dir/state
        export IB_STATE_DIR
    fi
    rm -f "$standin_dir/port"
    "${PYTHON:-/usr/bin/python3}" "$standin_home/standin.py" --port-file "$standin_dir/port" \
        --die-with-parent --log "$standin_dir/requests.jsonl" "$@" 2>"$standin_dir/stderr" &
    standin_pid=$!
    standin_tries=0
    while [ ! -s "$standin_dir/port" ]; do
        standin_tries=$((standin_tries + 1))
        if [ "$standin_tries" -gt 200 ] || ! kill -0 "$standin_pid" 2>/dev/null; then
            echo "Bail out! the stand-in did not start: $(head -n 5 "$standin_dir/stderr")"
            exit 99
        fi
        sleep 0.1
    done
    standin_port=$(cat "$standin_dir/port")
    standin_url=http://127.0.0.1:$standin_port
}

ctl() {
    "${PYTHON:-/usr/bin/python3}" "$standin_home/ctl.py" "$standin_port" "$@"
}

standin_keys() {
    AWS_ACCESS_KEY_ID=AKIDEXAMPLE
    AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
    AWS_DEFAULT_REGION=eu-central-1
    AWS_REGION=eu-central-1
    AWS_EC2_METADATA_DISABLED=true
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_REGION \
        AWS_EC2_METADATA_DISABLED
}

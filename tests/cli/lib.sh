# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2120
# For the tests of the programs: a stand-in of their own, and assertions that print TAP.
#
#   . tests/cli/lib.sh; start_standin
#   run check_ib_image -a "$arn" -c 90m
#   is "a build over its critical age" 2 'IB_IMAGE CRITICAL - web-server 1.4.2/7 ...'
#   finish
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${abs_top_builddir:-$top}
n=0
dir=$(mktemp -d)
standin=
trap 'stop_standin; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP

# Nothing of the caller's, and no search for an instance's role.
AWS_EC2_METADATA_DISABLED=true
AWS_ACCESS_KEY_ID=AKIDEXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
AWS_CONFIG_FILE=$dir/no-config
AWS_SHARED_CREDENTIALS_FILE=$dir/no-credentials
export AWS_EC2_METADATA_DISABLED AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE
export AWS_SHARED_CREDENTIALS_FILE
# A journal of the test's own.
IB_STATE_DIR=$dir/state
export IB_STATE_DIR

result() { # result NAME yes|no [EXPLANATION]
    n=$((n + 1))
    if [ "$2" = yes ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        [ -z "$3" ] || printf '%s\n' "$3" | sed 's/^/# /'
    fi
}

equal() { # equal NAME WANTED SEEN
    if [ "$2" = "$3" ]; then
        result "$1" yes
    else
        result "$1" no "wanted: $2
seen:   $3"
    fi
}

like() { # like NAME SHELL-PATTERN SEEN
    # shellcheck disable=SC2254
    case $3 in
    $2) result "$1" yes ;;
    *) result "$1" no "wanted: $2
seen:   $3" ;;
    esac
}

finish() {
    echo "1..$n"
}

start_standin() {
    "${PYTHON:-/usr/bin/python3}" "$top/tests/standin/standin.py" --port-file "$dir/port" "$@" \
        >"$dir/standin.log" 2>&1 &
    standin=$!
    i=0
    until [ -s "$dir/port" ]; do
        i=$((i + 1))
        if [ $i -gt 600 ] || ! kill -0 "$standin" 2>/dev/null; then
            echo "Bail out! the stand-in does not start: $(tail -n 1 "$dir/standin.log")"
            exit 1
        fi
        sleep 0.1
    done
    url=http://127.0.0.1:$(cat "$dir/port")
}

stop_standin() {
    if [ -n "$standin" ]; then
        kill "$standin" 2>/dev/null
        wait "$standin" 2>/dev/null
        standin=
    fi
}

ctl() {
    "${PYTHON:-/usr/bin/python3}" "$top/tests/standin/ctl.py" "$dir/port" "$@"
}

# The built-in workflow with shorter waits: nothing here sleeps.
fast_workflow() {
    sed 's/retryAfter: .*/retryAfter: 0.02/' \
        "$top/conf/workflows/cancel-running-image-build.arazzo.yaml" >"$dir/fast.arazzo.yaml"
    fast=$dir/fast.arazzo.yaml
}

# Run a program against the stand-in: sets rc, out (all), first (without perfdata), perf.
run() {
    program=$1
    shift
    rc=0
    out=$("$build/plugins/$program" --endpoint-url "$url" "$@" 2>"$dir/stderr") || rc=$?
    take_apart
}

# The same without endpoint.
run_bare() {
    program=$1
    shift
    rc=0
    out=$("$build/plugins/$program" "$@" 2>"$dir/stderr") || rc=$?
    take_apart
}

take_apart() {
    line=$(printf '%s\n' "$out" | sed -n 1p)
    first=${line%% | *}
    case $line in
    *' | '*) perf=${line#* | } ;;
    *) perf= ;;
    esac
}

is() { # is NAME RC FIRST-LINE-PATTERN
    equal "$1: exit code" "$2" "$rc"
    like "$1: first line" "$3" "$first"
    [ ! -s "$dir/stderr" ] || result "$1: nothing on stderr" no "$(cat "$dir/stderr")"
}

# Requests that reached the stand-in, whatever came of them.
requests() {
    ctl count "${1:-*}" --status any
}

# How many requests came within any SECONDS: with a fault that delays answers so long, so many were
# under way at once, however busy the machine is.
at_once() {
    ctl requests | "${PYTHON:-/usr/bin/python3}" -c "
import json, sys
times = [json.loads(line)['time'] for line in sys.stdin]
print(max(sum(0 <= one - other < $1 for other in times) for one in times))"
}

# One line, exit 3, not a single request: what bad input must come to.
refused() { # refused NAME FIRST-LINE-PATTERN PROGRAM [ARGUMENT]...
    name=$1
    pattern=$2
    shift 2
    ctl clear-requests >/dev/null
    run "$@"
    is "$name" 3 "$pattern"
    equal "$name: one line" 1 "$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
    equal "$name: no request" 0 "$(requests)"
}

# Lines of a help text beyond column 80. A configured path may be wider than a line: nothing else.
too_wide() {
    printf '%s\n' "$out" | grep -E '^.{81}' | grep -vE '^  /[^ ]{78,}$'
}

# A member of the JSON output: json '["builds"][0]["status"]'
json() {
    printf '%s\n' "$out" | "${PYTHON:-/usr/bin/python3}" -c "
import json, sys
v = json.load(sys.stdin)$1
print(v if isinstance(v, str) else json.dumps(v))"
}

# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
# Sourced by the tests of credentials: TAP, a stand-in, a home directory, the probe.
. "$abs_top_srcdir/tests/standin/start.sh"
probe=$abs_top_builddir/tests/cli/ib_cred_probe
tap_n=0

# tap NAME: ok when the last command was
tap() {
    tap_rc=$?
    tap_n=$((tap_n + 1))
    if [ "$tap_rc" = 0 ]; then
        echo "ok $tap_n - $1"
    else
        echo "not ok $tap_n - $1"
        sed 's/^/# /' "$out" | head -n 5
    fi
}
skip() { # skip NAME WHY
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}
plan() {
    echo "1..$tap_n"
}

# A home for the tests, with nothing in it.
cred_home() {
    HOME=$standin_dir/home
    export HOME
    rm -rf "$HOME"
    mkdir -p "$HOME/.aws/sso/cache" "$HOME/.aws/login/cache"
    out=$standin_dir/out
    : >"$out"
}
# No variable of an earlier test, no metadata service of the machine that runs this.
cred_env() {
    for cred_name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do
        unset "$cred_name"
    done
    AWS_EC2_METADATA_DISABLED=true
    AWS_REGION=eu-central-1
    export AWS_EC2_METADATA_DISABLED AWS_REGION
}
# run ARGUMENT…: the probe; sets code, first (its first line) and seconds; all output in $out
run() {
    run_start=$(date +%s%N)
    "$probe" "$@" >"$out" 2>&1
    code=$?
    run_end=$(date +%s%N)
    millis=$(((run_end - run_start) / 1000000))
    first=$(head -n 1 "$out")
}
# says CODE TEXT: exit code and first line
says() {
    [ "$code" = "$1" ] && [ "$first" = "IB_CRED $2" ] || {
        echo "# wanted $1, IB_CRED $2"
        echo "# got    $code, $first"
        false
    }
}
# begins CODE TEXT
begins() {
    case $first in
    "IB_CRED $2"*) [ "$code" = "$1" ] ;;
    *) false ;;
    esac || {
        echo "# wanted $1, IB_CRED $2..."
        echo "# got    $code, $first"
        false
    }
}
sha1() {
    printf %s "$1" | sha1sum | cut -c1-40
}

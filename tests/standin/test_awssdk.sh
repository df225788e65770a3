#!/bin/sh
# SPDX-License-Identifier: MIT
# The stand-in seen by npm's aws-sdk, which knows the operations that are newer than Debian's botocore.
# Where the package is: $IB_AWS_SDK_DIR, else it is installed once below the user's cache.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/standin/start.sh"

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

node=$(command -v node) || skip "no node (Debian: nodejs)"
version=2.1693.0
sdk=${IB_AWS_SDK_DIR:-${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/ib-plugins-aws-sdk-$version-$(id -u)}
if [ ! -d "$sdk/node_modules/aws-sdk" ]; then
    npm=$(command -v npm) || skip "no aws-sdk in $sdk and no npm (Debian: npm) to install it"
    (umask 077 && mkdir -p "$sdk") || skip "cannot make $sdk"
    if [ ! -O "$sdk" ]; then
        skip "$sdk belongs to somebody else"
    fi
    (cd "$sdk" && HOME=$sdk timeout 30 "$npm" install "aws-sdk@$version" --no-audit --no-fund \
        --ignore-scripts --no-update-notifier) >"$sdk/npm.log" 2>&1 ||
        skip "npm could not install aws-sdk@$version: $(tail -n 1 "$sdk/npm.log")"
fi

standin_start --model-dir "$sdk"
NODE_PATH=$sdk/node_modules
AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1
export NODE_PATH AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE
"$node" --no-deprecation "$standin_home/test_awssdk.js" "$standin_port"

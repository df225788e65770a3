#!/bin/sh
# SPDX-License-Identifier: MIT
# The stand-in seen by npm's aws-sdk, which knows operations that are newer than Debian's botocore.
# The package is in $IB_AWS_SDK_DIR, where install-awssdk.sh puts it; a test does not go to the net.
. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/standin/start.sh"

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

sdk=${IB_AWS_SDK_DIR:-}
[ -n "$sdk" ] ||
    skip "IB_AWS_SDK_DIR is not set (tests/standin/install-awssdk.sh DIR fills one)"
[ -d "$sdk/node_modules/aws-sdk" ] ||
    skip "no aws-sdk in IB_AWS_SDK_DIR=$sdk (tests/standin/install-awssdk.sh installs it)"
node=$(command -v node) || skip "no node (Debian: nodejs)"

standin_start --model-dir "$sdk"
NODE_PATH=$sdk/node_modules
AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1
export NODE_PATH AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE
"$node" --no-deprecation "$standin_home/test_awssdk.js" "$standin_port"

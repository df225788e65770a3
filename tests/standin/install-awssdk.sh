#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts npm's aws-sdk into DIR, unless it is there already: the second model and client of the
# stand-in, for the operations that are newer than Debian's botocore.
#   sh tests/standin/install-awssdk.sh DIR
set -u
version=2.1693.0
dir=${1:?usage: install-awssdk.sh DIR}
[ -d "$dir/node_modules/aws-sdk" ] && exit 0
if ! npm=$(command -v npm); then
    echo "install-awssdk.sh: no npm, so no aws-sdk in $dir" >&2
    exit 1
fi
mkdir -p "$dir" && cd "$dir" || exit 1
if ! timeout 120 "$npm" install "aws-sdk@$version" --no-audit --no-fund --ignore-scripts \
    --no-update-notifier >npm.log 2>&1; then
    echo "install-awssdk.sh: npm could not install aws-sdk@$version: $(tail -n 1 npm.log)" >&2
    exit 1
fi

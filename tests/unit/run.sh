#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one unit test. cmocka says "not ok N # SKIP" of a test that was skipped, which TAP takes for a
# failure.
out=$("$@")
rc=$?
printf '%s\n' "$out" | sed 's/^not \(ok [0-9]* # SKIP\)/\1/'
exit $rc

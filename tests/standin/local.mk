# SPDX-License-Identifier: MIT
# The stand-in: a local Image Builder, with tests that prove it honest by real clients.
standin_tests = tests/standin/test_botocore.py tests/standin/test_control.py \
	tests/standin/test_awscli.sh tests/standin/test_awssdk.sh
TESTS += $(standin_tests)
EXTRA_DIST += $(standin_tests) tests/standin/README.md tests/standin/standin.py tests/standin/ctl.py \
	tests/standin/tap.py tests/standin/start.sh tests/standin/install-awssdk.sh \
	tests/standin/test_awssdk.js tests/standin/facts.json tests/standin/operations.tsv \
	tests/standin/ibstandin

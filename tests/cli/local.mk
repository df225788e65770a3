# SPDX-License-Identifier: MIT
include tests/cli/cred.mk
include tests/cli/workflow.mk

# Check and cancel as a scheduler calls them, against a stand-in of their own.
cli_tests = tests/cli/cancel.sh tests/cli/cancel_bad_input.sh tests/cli/cancel_scenarios.sh \
	tests/cli/cancel_stop.sh tests/cli/check_arn.sh tests/cli/check_bad_input.sh \
	tests/cli/check_find.sh tests/cli/check_targets.sh tests/cli/create.sh
TESTS += $(cli_tests)
EXTRA_DIST += $(cli_tests) tests/cli/lib.sh
cli_python_tests = tests/cli/test_survey.py tests/cli/test_json.py
TESTS += $(cli_python_tests)
EXTRA_DIST += $(cli_python_tests) tests/cli/survey.py
include tests/cli/journal.mk

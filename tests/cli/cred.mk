# SPDX-License-Identifier: MIT
EXTRA_DIST += tests/cli/cred_tap.sh tests/cli/messages.sh tests/cli/redaction.sh tests/cli/diagnose.sh tests/cli/credentials.sh tests/cli/credentials_faults.sh
TESTS += tests/cli/messages.sh tests/cli/redaction.sh tests/cli/diagnose.sh tests/cli/credentials.sh tests/cli/credentials_faults.sh
cred_python_tests = tests/cli/test_metadata.py tests/cli/test_core.py \
	tests/cli/test_like_awscli.py
EXTRA_DIST += $(cred_python_tests)
TESTS += $(cred_python_tests)
check_PROGRAMS += tests/cli/ib_cred_probe
tests_cli_ib_cred_probe_SOURCES = tests/cli/ib_cred_probe.c
tests_cli_ib_cred_probe_LDADD = $(IB_LIBS)

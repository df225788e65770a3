# SPDX-License-Identifier: MIT
EXTRA_DIST += tests/cli/cred_tap.sh tests/cli/messages.sh tests/cli/redaction.sh tests/cli/diagnose.sh tests/cli/credentials.sh tests/cli/credentials_faults.sh
TESTS += tests/cli/messages.sh tests/cli/redaction.sh tests/cli/diagnose.sh tests/cli/credentials.sh tests/cli/credentials_faults.sh
check_PROGRAMS += tests/cli/ib_cred_probe
tests_cli_ib_cred_probe_SOURCES = tests/cli/ib_cred_probe.c
tests_cli_ib_cred_probe_LDADD = $(IB_LIBS)

# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/cli/ib_cred_probe
tests_cli_ib_cred_probe_SOURCES = tests/cli/ib_cred_probe.c
tests_cli_ib_cred_probe_LDADD = $(IB_LIBS)

# SPDX-License-Identifier: MIT
# End to end under the real daemons. Not part of make check: they take seconds each and need the
# programs installed below IB_PREFIX, as tests/all.sh does it; then "make e2e".
e2e_tests = tests/e2e/icinga.sh tests/e2e/nagios.sh tests/e2e/configs.sh \
	tests/e2e/night_icinga.sh tests/e2e/night_nagios.sh tests/e2e/zones_icinga.sh \
	tests/e2e/zones_director.sh tests/e2e/agent_icinga.sh tests/e2e/demo.sh
EXTRA_DIST += $(e2e_tests) tests/e2e/lib.sh tests/e2e/zones.sh tests/e2e/scenarios.sh tests/e2e/night.sh \
	tests/e2e/director.py

.PHONY: e2e
e2e: all
	@test -n "$$IB_PREFIX" || { echo "make e2e: IB_PREFIX is not set; use: sh tests/all.sh e2e" >&2; exit 1; }
	@test -z "$(e2e_tests)" || $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(e2e_tests)' TEST_SUITE_LOG=tests/e2e/e2e.log

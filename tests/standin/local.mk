# SPDX-License-Identifier: MIT
# The stand-in: a local Image Builder, with tests that prove it honest by real clients.
EXTRA_DIST += tests/standin/README.md tests/standin/standin.py tests/standin/ctl.py \
	tests/standin/facts.json tests/standin/operations.tsv tests/standin/ibstandin \
	tests/data/samples
standin_tests =
TESTS += $(standin_tests)
EXTRA_DIST += $(standin_tests)

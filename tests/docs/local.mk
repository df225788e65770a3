# SPDX-License-Identifier: MIT
# The documents: what they show is run, and they agree with the programs.
docs_tests = tests/docs/test_docs.py tests/docs/test_examples.py
TESTS += $(docs_tests)
EXTRA_DIST += $(docs_tests) tests/docs/document.py tests/docs/validators.py tests/docs/world.py

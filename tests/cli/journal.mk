# SPDX-License-Identifier: MIT
TESTS += tests/cli/ib_cancel_journal.py
EXTRA_DIST += tests/cli/ib_cancel_journal.py tests/cli/cancel_world.py

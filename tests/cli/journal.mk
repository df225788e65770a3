# SPDX-License-Identifier: MIT
TESTS += tests/cli/ib_cancel_journal.py tests/cli/ib_cancel_torture.py tests/cli/ib_cancel_after.py tests/cli/ib_cancel_resume.py
TESTS += tests/cli/ib_cancel_feedback.py tests/cli/ib_cancel_hostile.py tests/cli/ib_cancel_process.py
EXTRA_DIST += tests/cli/ib_cancel_feedback.py tests/cli/ib_cancel_hostile.py tests/cli/ib_cancel_process.py
EXTRA_DIST += tests/cli/ib_cancel_journal.py tests/cli/ib_cancel_torture.py tests/cli/ib_cancel_after.py tests/cli/ib_cancel_resume.py tests/cli/cancel_world.py

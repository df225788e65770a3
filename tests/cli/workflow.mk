# SPDX-License-Identifier: MIT
TESTS += tests/cli/ib_workflow.sh
EXTRA_DIST += tests/cli/ib_workflow.sh

# SPDX-License-Identifier: MIT
include tests/cli/cred.mk
include tests/cli/workflow.mk

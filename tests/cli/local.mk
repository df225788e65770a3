# SPDX-License-Identifier: MIT
include tests/cli/cred.mk

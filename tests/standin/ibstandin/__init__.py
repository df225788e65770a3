# SPDX-License-Identifier: MIT
"""A local Image Builder for tests: state, signatures, faults and a control API."""

# SPDX-License-Identifier: MIT
lib_libib_a_SOURCES +=

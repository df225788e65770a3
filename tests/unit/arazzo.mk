# SPDX-License-Identifier: MIT
EXTRA_DIST += tests/unit/arazzo_test.h
unit_programs += tests/unit/test_jsonpath tests/unit/test_jsonpath_cts
tests_unit_test_jsonpath_SOURCES = tests/unit/test_jsonpath.c
tests_unit_test_jsonpath_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_jsonpath_LDADD = $(UNIT_LIBS)
tests_unit_test_jsonpath_cts_SOURCES = tests/unit/test_jsonpath_cts.c
tests_unit_test_jsonpath_cts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_jsonpath_cts_LDADD = $(UNIT_LIBS)

# SPDX-License-Identifier: MIT
EXTRA_DIST += tests/unit/arazzo_test.h
unit_programs += tests/unit/test_criterion \
	tests/unit/test_expr \
	tests/unit/test_jsonpath \
	tests/unit/test_jsonpath_cts \
	tests/unit/test_regex \
	tests/unit/test_simple \
	tests/unit/test_template
tests_unit_test_criterion_SOURCES = tests/unit/test_criterion.c
tests_unit_test_criterion_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_criterion_LDADD = $(UNIT_LIBS)
tests_unit_test_expr_SOURCES = tests/unit/test_expr.c
tests_unit_test_expr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_expr_LDADD = $(UNIT_LIBS)
tests_unit_test_jsonpath_SOURCES = tests/unit/test_jsonpath.c
tests_unit_test_jsonpath_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_jsonpath_LDADD = $(UNIT_LIBS)
tests_unit_test_jsonpath_cts_SOURCES = tests/unit/test_jsonpath_cts.c
tests_unit_test_jsonpath_cts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_jsonpath_cts_LDADD = $(UNIT_LIBS)
tests_unit_test_regex_SOURCES = tests/unit/test_regex.c
tests_unit_test_regex_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_regex_LDADD = $(UNIT_LIBS)
tests_unit_test_simple_SOURCES = tests/unit/test_simple.c
tests_unit_test_simple_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_simple_LDADD = $(UNIT_LIBS)
tests_unit_test_template_SOURCES = tests/unit/test_template.c
tests_unit_test_template_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_template_LDADD = $(UNIT_LIBS)

include tests/unit/arazzo_engine.mk
unit_programs += tests/unit/test_arazzo_oom
tests_unit_test_arazzo_oom_SOURCES = tests/unit/test_arazzo_oom.c
tests_unit_test_arazzo_oom_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_arazzo_oom_LDADD = $(UNIT_LIBS)
tests_unit_test_arazzo_oom_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=reallocarray

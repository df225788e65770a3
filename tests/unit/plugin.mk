# SPDX-License-Identifier: MIT
unit_programs += tests/unit/test_option tests/unit/test_output tests/unit/test_perfdata tests/unit/test_range tests/unit/test_state
tests_unit_test_option_SOURCES = tests/unit/test_option.c
tests_unit_test_option_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_option_LDADD = $(UNIT_LIBS)
tests_unit_test_output_SOURCES = tests/unit/test_output.c
tests_unit_test_output_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_output_LDADD = $(UNIT_LIBS)
tests_unit_test_perfdata_SOURCES = tests/unit/test_perfdata.c
tests_unit_test_perfdata_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_perfdata_LDADD = $(UNIT_LIBS)
tests_unit_test_range_SOURCES = tests/unit/test_range.c
tests_unit_test_range_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_range_LDADD = $(UNIT_LIBS)
tests_unit_test_state_SOURCES = tests/unit/test_state.c
tests_unit_test_state_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_state_LDADD = $(UNIT_LIBS)

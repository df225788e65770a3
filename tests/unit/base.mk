# SPDX-License-Identifier: MIT
unit_programs += tests/unit/test_buf tests/unit/test_num tests/unit/test_time tests/unit/test_text tests/unit/test_error
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)
tests_unit_test_num_SOURCES = tests/unit/test_num.c
tests_unit_test_num_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_num_LDADD = $(UNIT_LIBS)
tests_unit_test_time_SOURCES = tests/unit/test_time.c
tests_unit_test_time_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_time_LDADD = $(UNIT_LIBS)
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_text_LDADD = $(UNIT_LIBS)
tests_unit_test_error_SOURCES = tests/unit/test_error.c
tests_unit_test_error_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_error_LDADD = $(UNIT_LIBS)

# SPDX-License-Identifier: MIT
unit_programs += tests/unit/test_statedb tests/unit/test_conf tests/unit/test_json tests/unit/test_value
tests_unit_test_value_SOURCES = tests/unit/test_value.c
tests_unit_test_value_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_value_LDADD = $(UNIT_LIBS)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_LDADD = $(UNIT_LIBS)
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_json_LDADD = $(UNIT_LIBS)
unit_programs += tests/unit/test_members
tests_unit_test_members_SOURCES = tests/unit/test_members.c
tests_unit_test_members_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_members_LDADD = $(UNIT_LIBS)
tests_unit_test_statedb_SOURCES = tests/unit/test_statedb.c
tests_unit_test_statedb_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_statedb_LDADD = $(UNIT_LIBS)
